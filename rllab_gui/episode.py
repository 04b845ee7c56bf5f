"""The recorded episode under the cursor, with everything that is known per step."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from rllab_gui.cursor import Cursor, Position
from rllab_gui.link import Link
from rllab_gui.pulse import Pulse

AHEAD = 64
"""Frames kept on each side of the cursor."""


class ShownEpisode(QObject):
    """Fetches the judged episode and the frames round the cursor.

    Attributes:
      key: (session, checkpoint, kind, episode) of what ``arrays`` holds; None while
        nothing is shown.
      arrays: Result of the question ``judge_episode``: ``q`` [T+1, A], ``value``
        [T+1], ``advantage``, ``value_head``, ``td_error`` [T], ``rewards``,
        ``actions``, ``explored``, ``exact``, ``note``, ...; empty while waiting.

    Signals:
      changed(): Other arrays, or none while the next ones are under way.
      frameArrived(int): The frame of this step is here now.
    """

    changed = Signal()
    frameArrived = Signal(int)

    def __init__(
        self, link: Link, cursor: Cursor, pulse: Pulse, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._cursor = cursor
        self._pulse = pulse
        self.key: tuple[str, int, str, int] | None = None
        self.arrays: dict[str, Any] = {}
        self._frames: dict[int, np.ndarray] = {}
        self._asked: dict[int, tuple[int, int]] = {}
        self._question = -1
        cursor.changed.connect(self._on_cursor)

    @property
    def steps(self) -> int:
        """Number of actions of the episode; 0 while none is here."""
        return len(self.arrays.get("actions", ()))

    def frame(self, t: int) -> np.ndarray | None:
        """Frame of the observation at ``t``, None until it has arrived."""
        return self._frames.get(t)

    def forget(self) -> None:
        """Show nothing; the next position fetches anew."""
        self._link.cancel(self._question)
        for number in list(self._asked):
            self._link.cancel(number)
        self._asked.clear()
        self._frames.clear()
        self.arrays = {}
        self.key = None
        self.changed.emit()

    def _on_cursor(self, position: Position) -> None:
        key = (
            position.session,
            position.checkpoint,
            position.kind,
            position.episode,
        )
        if key != self.key:
            self.forget()
            if position.episode >= 0:
                self.key = key
                self._ask_judgement(position)
        elif self.arrays:
            self._ask_frames(position.t)
        self._pulse.soon()

    def _ask_judgement(self, position: Position) -> None:
        key = self.key
        self._question = self._link.ask(
            "judge_episode",
            {
                "kind": position.kind,
                "episode": position.episode,
                "checkpoint_step": position.checkpoint,
            },
            lambda arrays: self._on_judgement(key, arrays),
        )

    def _on_judgement(self, key: object, arrays: dict[str, Any]) -> None:
        if key != self.key:
            return
        self.arrays = arrays
        self._cursor.set_last(self.steps)
        self._ask_frames(self._cursor.t)
        self.changed.emit()
        self._pulse.soon()

    def _ask_frames(self, t: int) -> None:
        """Ask for the frame at ``t`` first, then for those around it."""
        kept = range(t - AHEAD, t + AHEAD + 1)
        for old in [it for it in self._frames if it not in kept]:
            del self._frames[old]
        if not self._is_coming(t):
            self._ask_range(t, t)
        if len(self._asked) < 2:
            ahead = next((i for i in range(t, t + AHEAD // 2) if self._lacks(i)), None)
            if ahead is not None:
                self._ask_range(ahead, min(ahead + AHEAD // 4, self.steps))

    def _lacks(self, t: int) -> bool:
        return t <= self.steps and not self._is_coming(t)

    def _is_coming(self, t: int) -> bool:
        return t in self._frames or any(a <= t <= b for a, b in self._asked.values())

    def _ask_range(self, first: int, last: int) -> None:
        key = self.key
        assert key is not None
        arguments = {"kind": key[2], "episode": key[3], "first": first, "last": last}
        number = self._link.ask(
            "frames",
            arguments,
            lambda result: self._on_frames(key, number, first, result),
            lambda sentence: self._on_no_frames(number),
        )
        self._asked[number] = (first, last)

    def _on_frames(
        self, key: object, number: int, first: int, result: dict[str, Any]
    ) -> None:
        self._asked.pop(number, None)
        if key != self.key:
            return
        for offset, frame in enumerate(result["frames"]):
            self._frames[first + offset] = frame
            self.frameArrived.emit(first + offset)
        self._ask_frames(self._cursor.t)
        self._pulse.soon()

    def _on_no_frames(self, number: int) -> None:
        """This environment cannot be shown again; the note of the episode says so."""
        self._asked.pop(number, None)
