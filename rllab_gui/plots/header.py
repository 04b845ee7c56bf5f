"""The row above every plot: its title, its mode, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QHBoxLayout,
    QMenu,
    QToolButton,
)
from PySide6.QtWidgets import QWidget as Widget

from rllab_gui.plots.folded import FoldedControls, FoldingBar, FoldingRow
from rllab_gui.plots.text import OneLine
from rllab_gui.theme import Theme

FACTORS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
EXPORTS = (
    ("png", "Picture (PNG, 300 dpi)…"),
    ("svg", "Drawing (SVG)…"),
    ("csv", "Data behind it (CSV)…"),
)
FOLDS = ("export", "help", "log", "smooth")
"""Which buttons leave a narrow row first; then what a plot has added, from its end."""
MOST_TOGETHER = 32
"""Letters of a legend that are never torn apart."""


class PlotHeader(FoldingBar):
    """Title and buttons ``plot.<id>.auto/.log/.smooth/.export/.help``.

    Where they have no room, they are behind ``plot.<id>.more``.

    Signals:
      autoToggled(bool): The axes are to keep themselves (True) or stay put.
      logToggled(bool): A logarithmic axis is wanted.
      smoothingChosen(float): Factor of the moving average, 0 to 0.99.
      exportChosen(str): ``png``, ``svg`` or ``csv``.
      helpAsked(): What does this show?
    """

    autoToggled = Signal(bool)
    logToggled = Signal(bool)
    smoothingChosen = Signal(float)
    exportChosen = Signal(str)
    helpAsked = Signal()

    def __init__(
        self,
        plot_id: str,
        title: str,
        theme: Theme,
        *,
        log: bool | None = None,
        smoothing: float | None = None,
    ) -> None:
        super().__init__()
        self._id = plot_id
        self._theme = theme
        self._title = OneLine(title, self)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self._title, 1)
        self._controls: list[Widget] = []
        self._more = FoldedControls(f"plot.{plot_id}.more", title, self)
        self._folding = FoldingRow(self, self._row, self._title, self._more)
        self._row.addWidget(self._more)
        self._auto = self._mode_button()
        self._log = self._log_button(log)
        self._smooth = self._smooth_button(smoothing)
        self._export = self._export_button()
        self._help = self._button("help", "?", f"What does {title} show?")
        self._help.clicked.connect(self.helpAsked)
        self.restyle()

    def add(self, widget: Widget) -> None:
        """Put a further control of this plot before its buttons."""
        self._controls.insert(0, widget)
        self._row.insertWidget(1, widget)
        for control in (widget, *widget.findChildren(Widget)):
            self._dress(control)
        self._folding.order_tabs(self._controls)
        self.fit()

    def set_title(self, title: str) -> None:
        """Write another title."""
        self._title.setText(title)

    def set_auto(self, auto: bool) -> None:
        """Show which mode the axes are in; nothing is emitted."""
        self._auto.blockSignals(True)
        self._auto.setChecked(auto)
        self._auto.blockSignals(False)
        self._auto.setText("Auto" if auto else "Manual")
        self._auto.setProperty("state", "auto" if auto else "manual")
        self._auto.setAccessibleName(
            "Axes: automatic, they only expand" if auto else "Axes: held by you"
        )

    def hide_mode(self) -> None:
        """This plot has no axes that could keep themselves."""
        self._auto.hide()

    @property
    def has_mode(self) -> bool:
        """Whether this plot has axes that could keep themselves."""
        return not self._auto.isHidden()

    def open_exports(self) -> None:
        """Offer what can be exported, as its button does, also where that is folded."""
        menu = self._export.menu()
        assert isinstance(menu, QMenu)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))
        menu.setActiveAction(menu.actions()[0])

    def set_smoothing(self, factor: float) -> None:
        """Show which factor smooths."""
        self._smooth.setText(f"EMA {factor:g}" if factor else "raw")

    def restyle(self) -> None:
        """Take over fonts and distances."""
        self._row.setContentsMargins(
            self._theme.px(6), self._theme.px(2), self._theme.px(4), self._theme.px(2)
        )
        self._row.setSpacing(self._theme.px(3))
        self._title.setFont(self._theme.font(relative=0.95, bold=True))
        for control in self.findChildren(Widget):
            self._dress(control)
        self.fit()

    def _dress(self, control: Widget) -> None:
        """Words and size of what can be clicked."""
        if isinstance(control, QAbstractButton | QComboBox):
            least = max(24, self._theme.px(24))
            control.setFont(self._theme.font(relative=0.85))
            control.setMinimumSize(least, least)

    # ---------------------------------------------------------------- narrow

    def fit(self) -> None:
        """Fold as few controls as have to be."""
        self._folding.fit(self._controls, self._by_rank())

    def _by_rank(self) -> list[Widget]:
        named = {f"plot.{self._id}.{name}": at for at, name in enumerate(FOLDS)}
        known = [it for it in self._controls if it.objectName() in named]
        known.sort(key=lambda it: named[it.objectName()])
        mark = (QAbstractButton, QComboBox)
        others = [it for it in self._controls if isinstance(it, mark)]
        others = [it for it in others if it not in known and it is not self._auto]
        return [*known, *reversed(others), self._auto]

    # -------------------------------------------------------------- buttons

    def _button(self, name: str, text: str, accessible: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"plot.{self._id}.{name}")
        button.setText(text)
        button.setAccessibleName(accessible)
        button.setToolTip(accessible)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._controls.append(button)
        self._row.insertWidget(self._row.count() - 1, button)
        return button

    def _mode_button(self) -> QToolButton:
        button = self._button("auto", "Auto", "")
        button.setCheckable(True)
        button.setToolTip(
            "Auto: the axes follow new data and only expand. Manual: they stay as you "
            "zoomed them. A double click, or View > Automatic range, brings Auto back."
        )
        self._auto = button
        self.set_auto(True)
        button.toggled.connect(self.autoToggled)
        return button

    def _log_button(self, log: bool | None) -> QToolButton:
        button = self._button("log", "log", "Logarithmic axis")
        button.setToolTip("Logarithmic axis; zeros are shown apart, in a bin of zero")
        button.setCheckable(True)
        button.setChecked(bool(log))
        if log is None:
            button.hide()
        button.toggled.connect(self.logToggled)
        return button

    def _smooth_button(self, smoothing: float | None) -> QToolButton:
        button = self._button("smooth", "raw", "Smoothing")
        button.setToolTip(
            "Smoothing: moving average (EMA) without the pull of its start; "
            "the raw values stay behind it"
        )
        if smoothing is None:  # nothing here is smoothed: there is nothing to choose
            button.hide()
            return button
        menu, group = QMenu(button), QActionGroup(button)
        for factor in FACTORS:
            action = self._choice(menu, f"EMA {factor:g}" if factor else "raw (off)")
            action.setObjectName(f"act.plot.{self._id}.smooth.{factor:g}")
            action.setCheckable(True)
            action.setChecked(factor == smoothing)
            action.triggered.connect(_calling(self.smoothingChosen.emit, factor))
            group.addAction(action)
        self._open_with(button, menu)
        if smoothing:
            button.setText(f"EMA {smoothing:g}")
        return button

    def _export_button(self) -> QToolButton:
        button = self._button("export", "⤓", "Export")
        button.setToolTip("Export this plot: picture, drawing, or the data behind it")
        menu = QMenu(button)
        for kind, text in EXPORTS:
            action = self._choice(menu, text)
            action.setObjectName(f"act.plot.{self._id}.export.{kind}")
            action.triggered.connect(_calling(self.exportChosen.emit, kind))
        self._open_with(button, menu)
        return button

    @staticmethod
    def _choice(menu: QMenu, text: str) -> QAction:
        action = menu.addAction(text)
        action.setToolTip(text)
        action.setStatusTip(text)
        return action

    @staticmethod
    def _open_with(button: QToolButton, menu: QMenu) -> None:
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setStyleSheet("QToolButton::menu-indicator { image: none; }")


def _calling(emit: Callable[..., object], value: object) -> Callable[..., None]:
    def call(*_: object) -> None:
        emit(value)

    return call


def legend_html(entries: Sequence[tuple[str, str, str]]) -> str:
    """A line of rich text from (mark, colour, words) of each thing that is drawn.

    Words stay together on a line, but for sentences, which may be wider than the plot.
    """
    parts = []
    for mark, colour, words in entries:
        together = escape(words)
        if len(words) <= MOST_TOGETHER:
            together = together.replace(" ", "&nbsp;")
        if mark:
            mark = f'<span style="color:{colour}">{mark}</span>&nbsp;'
        parts.append(mark + together)
    return "&nbsp;&nbsp; ".join(parts)  # a broken line begins with its first mark
