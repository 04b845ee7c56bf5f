"""A gamepad in the hands of whoever plays: beside the keyboard, for as long."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from rllab_gui.action_keys import Input, pad_action, pad_hint, pad_table
from rllab_gui.gamepad import BACK, START, Gamepads, PadSource
from rllab_gui.hand_play import HandPlay

BEAT_MS = 16
LOOK_MS = 500
"""So often somebody looks whether a pad has been plugged in."""
STEADY = 2
"""Beats after which what is held together counts as meant together."""
REPEAT_AFTER, REPEAT_EVERY = 25, 6
"""Beats until what is held is pressed again, as a keyboard does it."""


class PadPlay(QObject):
    """Reads the pad while a person plays; else nothing of it exists.

    Attributes:
      source: Where pads are.

    Signals:
      changed(): A pad has come or gone.
    """

    changed = Signal()

    def __init__(
        self,
        hand: HandPlay,
        source: PadSource | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._hand = hand
        self.source: PadSource = source or Gamepads()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_beat)
        self._forget()
        hand.changed.connect(self._on_hand)

    @property
    def reading(self) -> bool:
        """Whether a pad is read, or looked for."""
        return self._timer.isActive()

    @property
    def hint(self) -> str:
        """Which part of the pad is which action; how to get one; why there is none."""
        if not self.reading:
            return ""
        if self.source.problem:
            return self.source.problem
        if not self.source.name:
            return "A gamepad can be plugged in."
        keys = pad_hint(self._hand.names, self.source.labels)
        return f"Gamepad: {keys}; Back takes back, Start hands back to the agent."

    def _forget(self) -> None:
        self._name = ""
        self._held: list[str] = []
        self._beats = 0
        self._action: int | None = None

    # --------------------------------------------------------------- while playing

    def _on_hand(self) -> None:
        playing = self._hand.playing
        if playing and not self.reading:
            self._forget()
            self.source.open()
            self._timer.start(0)
            self.changed.emit()
        elif not playing and self.reading:
            self._timer.stop()
            self.source.close()
            self.changed.emit()

    def _on_beat(self) -> None:
        held = self.source.read()
        if self.source.name != self._name:
            self._name = self.source.name
            self._held = []
            self._mean(None)  # it was perhaps held as it was unplugged
            self.changed.emit()
        self._timer.setInterval(BEAT_MS if self._name else LOOK_MS)
        self._take(held)

    def _take(self, held: Input) -> None:
        """What is held counts once it stays so, and again while it is held."""
        if held != frozenset(self._held):
            kept = [it for it in self._held if it in held]
            new = held - set(kept)
            self._beats = 0
            self._held = kept + sorted(new)
            self._steer(new)
        self._beats += 1
        again = self._beats - REPEAT_AFTER
        if self._beats == STEADY:
            self._mean(pad_action(pad_table(self._hand.names), self._held))
        elif again >= 0 and again % REPEAT_EVERY == 0 and self._action is not None:
            self._hand.press(self._action)

    def _steer(self, new: Input) -> None:
        """What is no action: to take back, to hand back."""
        if BACK in new:
            self._hand.take_back()
        if START in new:
            self._hand.hand_back()

    def _mean(self, action: int | None) -> None:
        """This action is held from now on, and the one before no more."""
        if self._action is not None and self._action != action:
            self._hand.release(self._action)
        self._action = action
        if action is not None:
            self._hand.press(action)
