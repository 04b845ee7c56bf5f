"""Controls that have no room in a row: behind one button, each beside its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFont, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from rllab_gui.plain import PlainLabel


class FoldedControls(QToolButton):
    """Opens the controls themselves, so that they are what they are in the row."""

    def __init__(self, name: str, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setText("⋯")
        self.setAccessibleName(f"More of {title}")
        self.setToolTip("What has no room here")
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._rows: list[tuple[QWidget, QLabel]] = []
        self._closing: list[QWidget] = []
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.hide()

    def _make_menu(self) -> None:
        self._menu = QMenu(self)
        self._place = QWidget(self._menu)
        self._grid = QGridLayout(self._place)
        action = QWidgetAction(self._menu)
        action.setDefaultWidget(self._place)
        action.setObjectName(f"act.{self.objectName()}")
        action.setText(self.accessibleName())
        action.setToolTip(self.toolTip())
        action.setStatusTip(self.toolTip())
        self._menu.addAction(action)
        self._menu.aboutToShow.connect(self._name_all)
        self.setMenu(self._menu)

    @property
    def controls(self) -> list[QWidget]:
        """Those that are in here."""
        return [control for control, _ in self._rows]

    def hold(self, controls: Sequence[QWidget]) -> None:
        """Take these in, and let go of all others; whoever wants those places them."""
        if controls and self.menu() is None:  # in most rows there is room for all
            self._make_menu()
        for control, label in self._rows:
            self._grid.removeWidget(control)
            self._grid.removeWidget(label)
            label.deleteLater()
        self._rows = [(it, PlainLabel(parent=self._place)) for it in controls]
        for row, (control, label) in enumerate(self._rows):
            moved(control, self._place)
            self._grid.addWidget(control, row, 0)
            self._grid.addWidget(label, row, 1)
            self._close_after(control)
        self.setVisible(bool(controls))

    def _name_all(self) -> None:
        """What is not to be seen in the row is not to be seen here."""
        for control, label in self._rows:
            label.setText(control.accessibleName())
            label.setVisible(not control.isHidden())
        self._place.adjustSize()

    def _close_after(self, control: QWidget) -> None:
        """What opens something else does not stay in its way."""
        if control in self._closing:
            return
        self._closing.append(control)
        menu = (
            control.menu() if isinstance(control, QToolButton | QPushButton) else None
        )
        if menu is not None:
            menu.triggered.connect(self._menu.close)
        elif isinstance(control, QAbstractButton) and not control.isCheckable():
            control.clicked.connect(self._menu.close)


def moved(control: QWidget, parent: QWidget) -> None:
    """Give it another parent; it stays as much to be seen as it was, in its font."""
    if control.parentWidget() is not parent:
        hidden = control.isHidden()
        parts = [control, *control.findChildren(QWidget)]
        own = [it for it in parts if it.testAttribute(Qt.WidgetAttribute.WA_SetFont)]
        fonts = [QFont(it.font()) for it in own]
        control.setParent(parent)
        # Below another style sheet Qt brings back the font of before the last theme.
        for part, font in zip(own, fonts, strict=True):
            part.setFont(font)
        control.setVisible(not hidden)


def _tab_stops(controls: Iterable[QWidget]) -> list[QWidget]:
    """What Tab reaches of these, parts of them among it, as they stand there."""
    stops = Qt.FocusPolicy.TabFocus
    return [
        it
        for control in controls
        for it in (control, *control.findChildren(QWidget))
        if it.focusPolicy() & stops and it.window() is control.window()
    ]


def _set_tab_order(stops: Iterable[QWidget]) -> None:
    """From one to the next; Qt puts whatever is given a parent behind all others."""
    for before, after in pairwise(stops):
        QWidget.setTabOrder(before, after)


class FoldingBar(QWidget):
    """A bar that is fitted again when it, or something in it, has another size."""

    def fit(self) -> None:
        """Fold as few controls as have to be; none where there is no row."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What would be cut goes where there is room for it."""
        super().resizeEvent(event)
        self.fit()

    def showEvent(self, event: QShowEvent) -> None:
        """What has changed while nobody saw it finds its place."""
        super().showEvent(event)
        self.fit()

    def event(self, event: QEvent) -> bool:
        """A control has come, gone, or says something longer."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self.fit()
        return done


class FoldingRow:
    """Puts controls of a narrow row behind its button, as few as have to be.

    Args:
      bar: What has the row; its width is what there is.
      row: First the title, which can be cut, then the controls, last the button.
      title: It keeps its least width in any case.
      more: The button.
    """

    def __init__(
        self, bar: QWidget, row: QHBoxLayout, title: QWidget, more: FoldedControls
    ) -> None:
        self._bar, self._row, self._title, self._more = bar, row, title, more
        self._folding = False

    def fit(self, controls: Sequence[QWidget], rank: Sequence[QWidget]) -> None:
        """Fold what has no room.

        Args:
          controls: All between title and button, as they stand in the row.
          rank: Those of them that may leave it, the first one first.
        """
        # Before it is shown it has not the width that it will have.
        if self._folding or not self._bar.isVisible():
            return
        folded: list[QWidget] = []
        seen = [it for it in controls if not it.isHidden()]
        for control in (it for it in rank if it in seen):
            if self._needed(seen, folded) <= self._bar.width():
                break
            folded.append(control)
        if set(folded) != {it for it in self._more.controls if not it.isHidden()}:
            self._fold(controls, folded)

    def order_tabs(self, controls: Sequence[QWidget]) -> None:
        """Tab goes through them as they stand there, at last to the button."""
        held = self._more.controls
        stay = [it for it in controls if it not in held]
        # The button has never left its place among all that Tab goes through.
        _set_tab_order([self._more, *_tab_stops(stay), self._more])
        _set_tab_order(_tab_stops(held))

    def _needed(self, seen: list[QWidget], folded: list[QWidget]) -> int:
        """Width of the row with these in it and those behind the button."""
        rest = [it for it in seen if it not in folded]
        rest += [self._more] if folded else []
        wide = sum(max(it.sizeHint().width(), it.minimumWidth()) for it in rest)
        margins = self._row.contentsMargins()
        gaps = self._row.spacing() * len(rest) + margins.left() + margins.right()
        return self._title.minimumSizeHint().width() + wide + gaps

    def _fold(self, controls: Sequence[QWidget], folded: list[QWidget]) -> None:
        self._folding = True  # whoever is moved asks for another layout
        try:
            back = [it for it in self._more.controls if it not in folded]
            self._more.hold([it for it in controls if it in folded])
            for control in back:
                moved(control, self._bar)
            for at, control in enumerate(it for it in controls if it not in folded):
                self._row.insertWidget(1 + at, control)
        finally:
            self._folding = False
        self.order_tabs(controls)
