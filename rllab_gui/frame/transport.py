"""The transport bar: play, step, jump, speed, loop and follow, bound to the cursor."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from rllab_gui.cursor import SPEEDS, Position
from rllab_gui.frame.moment_bar import MomentBar
from rllab_gui.frame.widgets import IconButton, vertical_line
from rllab_gui.lab import Lab
from rllab_gui.plain import PlainLabel

BUTTONS: tuple[tuple[str, str, str], ...] = (
    ("prevEpisode", "Previous episode", "previous-episode"),
    ("first", "First step", "first"),
    ("back10", "Ten steps back", "back-ten"),
    ("stepBack", "Step back", "step-back"),
    ("play", "Play", "play"),
    ("stepFwd", "Step forward", "step-forward"),
    ("fwd10", "Ten steps forward", "forward-ten"),
    ("last", "Last step", "last"),
    ("nextEpisode", "Next episode", "next-episode"),
)
REPEATING = frozenset({"back10", "stepBack", "stepFwd", "fwd10"})


class TransportBar(QWidget):
    """Shows and moves the cursor; its property ``mode`` is that of the cursor."""

    def __init__(self, lab: Lab, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._lab = lab
        self._buttons = {name: self._button(name, *rest) for name, *rest in BUTTONS}
        self._loop = self._button("loop", "Loop", "loop")
        self._follow = self._button("follow", "Follow live", "follow")
        self._follow.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._speed = self._make_speed()
        self.slider = self._make_slider()
        self.spin = self._make_spin()
        self._last = PlainLabel()
        self._last.setObjectName("transport.last.label")
        self.moment = MomentBar(lab)
        self._lay_out()
        lab.theme.changed.connect(self._restyle)
        cursor = lab.cursor
        cursor.changed.connect(self._show_position)
        cursor.lengthChanged.connect(self._show_length)
        cursor.modeChanged.connect(self._show_mode)
        cursor.playChanged.connect(self._show_play)
        lab.commands.keysChanged.connect(self._name_keys)
        self._name_keys()
        self._show_length(cursor.last)
        self._show_mode(cursor.mode)
        self._show_play()

    # ------------------------------------------------------------ construction

    def _button(self, name: str, title: str, drawing: str) -> IconButton:
        action = self._lab.commands.action(f"transport.{name}")
        button = IconButton(
            f"transport.{name}", title, drawing, self._lab.theme, action=action
        )
        button.setAutoRepeat(name in REPEATING)
        button.setAutoRepeatInterval(60)
        return button

    def _make_speed(self) -> QComboBox:
        speed = QComboBox()
        speed.setObjectName("transport.speed")
        speed.setAccessibleName("Playback speed")
        for value in SPEEDS:
            speed.addItem(f"{value:g}x", value)
        speed.activated.connect(
            lambda index: self._lab.cursor.set_speed(speed.itemData(index))
        )
        return speed

    def _name_keys(self) -> None:
        ways = ("slower", "faster")
        keys = {it: self._lab.commands.key(f"transport.{it}") for it in ways}
        named = " and ".join(f"{key} {it}" for it, key in keys.items() if key)
        self._speed.setToolTip("Playback speed" + (f" ({named})" if named else ""))

    def _make_slider(self) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setObjectName("transport.slider")
        slider.setAccessibleName("Step within the episode")
        slider.setToolTip("Drag to any step of the episode")
        slider.setPageStep(10)
        slider.valueChanged.connect(self._lab.cursor.seek)
        return slider

    def _restyle(self) -> None:
        font = self._lab.theme.mono()
        self.spin.setFont(font)
        self.spin.lineEdit().setFont(font)  # a styled one keeps its first font

    def _make_spin(self) -> QSpinBox:
        spin = QSpinBox()
        spin.setObjectName("transport.spinT")
        spin.setAccessibleName("Step t")
        spin.setToolTip("Type a step of the episode")
        spin.setKeyboardTracking(False)
        spin.setPrefix("t ")
        spin.setFont(self._lab.theme.mono())
        spin.valueChanged.connect(self._lab.cursor.seek)
        return spin

    def _lay_out(self) -> None:
        both = QVBoxLayout(self)
        both.setContentsMargins(8, 2, 8, 3)
        both.setSpacing(1)
        both.addWidget(self.moment)
        row = QHBoxLayout()
        both.addLayout(row)
        row.setSpacing(2)
        for button in self._buttons.values():
            row.addWidget(button)
        row.addWidget(vertical_line())
        row.addWidget(self._loop)
        row.addWidget(self._speed)
        row.addWidget(self._follow)
        row.addSpacing(6)
        row.addWidget(self.slider, 1)
        row.addSpacing(6)
        row.addWidget(self.spin)
        row.addWidget(self._last)

    # -------------------------------------------------------------- the cursor

    def _show_position(self, position: Position) -> None:
        """Show where the cursor is, without moving it."""
        for widget in (self.slider, self.spin):
            widget.blockSignals(True)
            widget.setValue(position.t)
            widget.blockSignals(False)
        self._last.setText(f"/ {self._lab.cursor.last:,}")

    def _show_length(self, last: int) -> None:
        for widget in (self.slider, self.spin):
            widget.blockSignals(True)
            widget.setRange(0, last)
            widget.setEnabled(last > 0)
            widget.blockSignals(False)
        self._show_position(self._lab.cursor.position)

    def _show_mode(self, mode: str) -> None:
        self.setProperty("mode", mode)
        play = self._buttons["play"]
        play.set_icon_name("pause" if mode == "playing" else "play")
        play.setAccessibleName("Pause" if mode == "playing" else "Play")
        self._lab.commands.action("transport.follow").setChecked(mode == "following")

    def _show_play(self) -> None:
        cursor = self._lab.cursor
        self._speed.setCurrentIndex(self._speed.findData(cursor.speed))
        action = self._lab.commands.action("transport.loop")
        action.setText(f"Loop: {cursor.loop}")
        self._loop.setProperty("state", cursor.loop)
        self._loop.setDown(cursor.loop != "off")
