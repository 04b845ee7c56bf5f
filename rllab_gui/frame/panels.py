"""Which panel a person means, and what keys do with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QLineEdit,
    QPushButton,
    QWidget,
)

from rllab_gui.plots.frame import PlotFrame
from rllab_gui.views.base import HIDDEN

if TYPE_CHECKING:
    from rllab_gui.main_window import MainWindow

NO_PLOT = "Click a plot, or hold the pointer over it, for its automatic range."
NO_EXPORT = "Nothing that could be exported is in front."
NO_ROWS = "There is nothing to filter yet."
TELL_MS = 4_000


class Panels:
    """The panels of the workspace in front, as keys mean them.

    Whatever has the focus is meant, else what is under the pointer.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    # -------------------------------------------------------------- what they do

    def focus(self, by: int) -> None:
        """Move the focus to the next or previous panel."""
        docks = [it for it in self._docks() if it.isVisible()]
        focus = QApplication.focusWidget()
        at = next(
            (i for i, it in enumerate(docks) if focus and it.isAncestorOf(focus)), -by
        )
        for offset in range(1, len(docks) + 1):
            dock = docks[(at + by * offset) % len(docks)]
            target = next(_focusable(dock), None)
            if target is not None:
                target.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return

    def filter(self) -> None:
        """Type a filter: of the panel with the focus, else of the first list in front.

        Only where no list is in front, one is brought there.
        """
        entries = self._window.current_workspace().findChildren(QLineEdit)
        entries = [it for it in entries if it.objectName().endswith(".filter")]
        seen = [it for it in entries if _in_front(it)]
        here = [it for dock in self._meant() for it in seen if dock.isAncestorOf(it)]
        if not entries:
            return
        dock_of = self._window.current_workspace().dock_of
        filled = [it for it in entries if it.isVisibleTo(dock_of(it))]
        entry = next(iter([*here, *seen, *filled, *entries]))
        if entry not in seen:
            dock_of(entry).show()
            dock_of(entry).raise_()
        entry.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if not entry.isVisible():
            self._tell(NO_ROWS)

    def export(self) -> None:
        """Do what ⤓ of the panel does; of the first plot in front where none is meant.

        A panel that has nothing to export leaves it to the next one.
        """
        for dock in (*self._meant(), *(it for it in self._docks() if _in_front(it))):
            plot = self._plot_in(dock)
            if plot is not None:
                plot.header.open_exports()
                return
            if any(not it.header.isEnabled() for it in dock.findChildren(PlotFrame)):
                self._tell(HIDDEN[0])
                return
            for button in dock.findChildren(QPushButton):
                wanted = button.objectName().endswith(".export")
                if wanted and _in_front(button) and button.isEnabled():
                    button.click()
                    return
        self._tell(NO_EXPORT)

    def automatic(self) -> None:
        """Give the plot that is meant its automatic range."""
        plots = (self._plot_in(dock) for dock in self._meant())
        plot = next((it for it in plots if it is not None and it.header.has_mode), None)
        if plot is None:
            self._tell(NO_PLOT)
        else:
            plot.set_auto(True)

    # ------------------------------------------------------------ which are meant

    def _docks(self) -> Iterable[QDockWidget]:
        return self._window.current_workspace().docks.values()

    def _pointed(self) -> tuple[QWidget | None, QWidget | None]:
        """What has the focus, and what is under the pointer."""
        return QApplication.focusWidget(), QApplication.widgetAt(QCursor.pos())

    def _meant(self) -> list[QDockWidget]:
        """The panel with the focus, and the one under the pointer, if any."""
        pointed = self._pointed()
        return [
            dock
            for it in pointed
            for dock in self._docks()
            if it is not None and dock.isAncestorOf(it)
        ]

    def _plot_in(self, dock: QDockWidget) -> PlotFrame | None:
        """Of several plots the one that is pointed at, else the first in front."""
        plots = [it for it in dock.findChildren(PlotFrame) if _in_front(it)]
        for pointed in self._pointed():
            for plot in plots:
                for part in (plot, plot.header):
                    if pointed is part or (pointed and part.isAncestorOf(pointed)):
                        return plot
        return plots[0] if plots else None

    def _tell(self, sentence: str) -> None:
        self._window.statusBar().showMessage(sentence, TELL_MS)


def _in_front(widget: QWidget) -> bool:
    """Behind another tab it only counts as visible."""
    return widget.isVisible() and not widget.visibleRegion().isEmpty()


def _focusable(inside: QWidget) -> Iterator[QWidget]:
    """Widgets of a dock that the Tab key would reach, its title bar's last."""
    for widget in inside.findChildren(QWidget):
        reachable = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        title = widget.objectName().startswith("dock.")
        if reachable and widget.isVisible() and widget.isEnabled() and not title:
            yield widget
