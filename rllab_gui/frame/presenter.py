"""Presenter mode: the whole screen, larger words, the last key, and a caption."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QWidget

from rllab_gui.commands import NATIVE
from rllab_gui.frame.key_map import pressed
from rllab_gui.lab import Lab
from rllab_gui.plain import PlainLabel
from rllab_gui.plots.text import OneLine
from rllab_gui.theme.theme import SCALES

if TYPE_CHECKING:
    from rllab_gui.main_window import MainWindow

LARGER = 1.5
SETTLE_MS = 1_500
"""After so long panels have shrunk to words of the old size, and get their places."""
EVERY_S = 0.5
"""A caption that changes faster cannot be read."""
ASIDE = {
    "train": ("setup",),
    "step": ("episodes", "stepBranches", "bookmarks"),
}
"""Panels that fold away, by workspace."""
CAPTION = {
    "train": ("train.agent.view", "train.curve"),
    "step": ("main.breadcrumb", "step.frame.action", "step.why"),
}
"""Widgets whose words make the caption: their text, or what screen readers hear."""


class _Before(NamedTuple):
    """What is put back: nothing of presenter mode is kept."""

    state: Qt.WindowState
    scale: float


class PresenterBar(QWidget):
    """One line at the foot: what is seen, and the last key with what it did."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.setObjectName("presenter")
        self.setAccessibleName("Presenter")
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = lab.theme
        self.caption = OneLine("", self)
        self.caption.setObjectName("presenter.caption")
        self.key = PlainLabel("", self)
        self.key.setObjectName("presenter.key")
        row = QHBoxLayout(self)
        row.addWidget(self.caption, 1)
        row.addWidget(self.key)
        lab.theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def _restyle(self) -> None:
        self.caption.setFont(self._theme.font())
        self.key.setFont(self._theme.font(bold=True))
        self.key.setStyleSheet(f"color: {self._theme.tokens.link}")


class Presenter(QObject):
    """Enters and leaves it; what was before is there again afterwards.

    Args:
      lab: All models.
      window: Whose rail, panels and size it changes.
      bar: Its line.
    """

    def __init__(self, lab: Lab, window: MainWindow, bar: PresenterBar) -> None:
        super().__init__(window)
        self._lab, self._window, self.bar = lab, window, bar
        self._before: _Before | None = None
        self._layouts: dict[str, tuple[QByteArray, bool]] = {}
        self._settling = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settling.timeout.connect(self._settle)
        self._due = 0.0
        lab.pulse.ticked.connect(self._on_tick)

    @property
    def on(self) -> bool:
        """Whether the window presents now."""
        return self._before is not None

    def kept_layout(self, name: str) -> QByteArray | None:
        """How the panels of this workspace are to stand; None where they do."""
        layout = self._layouts.get(name)
        return None if layout is None else layout[0]

    def toggle(self) -> None:
        """Enter it, or leave it."""
        if self.on:
            self.leave()
        else:
            self.enter()

    def enter(self) -> None:
        """Fold what is at the sides, take the whole screen, write larger."""
        window, theme = self._window, self._lab.theme
        self._before = _Before(window.windowState(), theme.scale)
        if not self._settling.isActive():  # else they have not been put back yet
            self._layouts = {
                name: (it.layout_state(), it.untouched)
                for name, it in window.workspaces.items()
            }
        self._settling.stop()
        window.rail.hide()
        for name, panels in ASIDE.items():
            for panel in panels:
                window.workspaces[name].docks[panel].hide()
        theme.set_scale(min(LARGER * theme.scale, SCALES[-1]))
        self.bar.key.setText("")
        self.bar.show()
        window.showFullScreen()
        self._say()
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]

    def leave(self) -> None:
        """Everything as it was before."""
        before, self._before = self._before, None
        if before is None:
            return
        QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
        window = self._window
        self.bar.hide()
        window.rail.show()
        self._lab.theme.set_scale(before.scale)
        window.setWindowState(before.state)
        self._put_back()
        self._settling.start()

    def _put_back(self) -> None:
        for name, (layout, untouched) in self._layouts.items():
            self._window.workspaces[name].put_back(layout, untouched=untouched)

    def _settle(self) -> None:
        self._put_back()
        self._layouts = {}

    # --------------------------------------------------------------------- bar

    def _on_tick(self) -> None:
        if self.on and monotonic() >= self._due:
            self._say()

    def _say(self) -> None:
        """What the panels in front say of themselves."""
        self._due = monotonic() + EVERY_S
        workspace = self._window.current_workspace()
        words = []
        for name in CAPTION[workspace.name]:
            widget = self._window.findChild(QWidget, name)
            text = widget.text() if isinstance(widget, QLabel) else ""
            text = text or (widget.accessibleDescription() if widget else "")
            words += [text.rstrip(".")] if text else []
        self.bar.caption.setText(" · ".join(words) or workspace.title)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Name the key that is pressed, once, and never keep it."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(
            event, QKeyEvent
        ):
            keys = pressed(event)
            commands = self._lab.commands
            for name in commands.ids():
                if keys in commands.action(name).shortcuts():
                    text = commands.action(name).text().rstrip("…")
                    self.bar.key.setText(f"{keys.toString(NATIVE)}  {text}")
        return False
