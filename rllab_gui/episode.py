"""The recorded episode under the cursor; every view draws from its one moment."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from rllab_gui.cursor import Cursor, Position
from rllab_gui.link import Link
from rllab_gui.pulse import Pulse
from rllab_gui.views.episode_model import Episode, Key, Moment, episode_from

AHEAD = 64
"""Frames kept on each side of the cursor, as long as they are not too large."""
FRAMES_BYTES = 96 << 20
CHUNK = 16
"""Frames in one question."""
AT_ONCE = 2
"""Questions for frames under way; more would keep the stage from a seek."""
PATIENCE_MS = 150
"""How long the moment waits for its frame before it is shown without."""


class ShownEpisode(QObject):
    """Fetches the judged episode and the frames round the cursor.

    The cursor is where the person wants to be; ``moment`` is what is shown. It
    follows the cursor as soon as the frame of that step is here, which prefetching
    makes at once, and it changes as a whole.

    Attributes:
      key: (session, checkpoint, kind, episode) that is wanted; None: nothing is.
      data: The judged episode, None while waiting for it.
      moment: What all views show, None while there is no episode.
      problem: Why the episode cannot be shown, or empty.

    Signals:
      changed(): Another episode, or none while the next one is under way.
      momentChanged(): Another moment.
      frameArrived(int): The frame of this step is here now.
    """

    changed = Signal()
    momentChanged = Signal()
    frameArrived = Signal(int)

    def __init__(
        self, link: Link, cursor: Cursor, pulse: Pulse, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._cursor = cursor
        self._pulse = pulse
        self.key: Key | None = None
        self.data: Episode | None = None
        self.moment: Moment | None = None
        self.problem = ""
        self._frames: dict[int, np.ndarray] = {}
        self._asked: dict[int, range] = {}
        self._refused = ""
        self._question = -1
        self._forward = True
        self._last_t = 0
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._on_impatient)
        cursor.changed.connect(self._on_cursor)

    @property
    def steps(self) -> int:
        """Number of actions of the episode; 0 while none is here."""
        return self.data.steps if self.data is not None else 0

    @property
    def waiting(self) -> bool:
        """An episode has been asked for and is not here yet."""
        return self.key is not None and self.data is None and not self.problem

    def frame(self, t: int) -> np.ndarray | None:
        """Frame of the observation at ``t``, None until it has arrived."""
        return self._frames.get(t)

    def forget(self) -> None:
        """Show nothing; the next position fetches anew."""
        self._link.cancel(self._question)
        for number in self._asked:
            self._link.cancel(number)
        self._asked.clear()
        self._frames.clear()
        self._patience.stop()
        self._refused = self.problem = ""
        self.key = self.data = self.moment = None
        self.changed.emit()
        self.momentChanged.emit()

    # ------------------------------------------------------------ the episode

    def _on_cursor(self, position: Position) -> None:
        key = (
            position.session,
            position.checkpoint,
            position.kind,
            position.episode,
        )
        wanted = key if position.episode >= 0 else None
        if wanted != self.key:
            self.forget()
            self.key = wanted
            if wanted is not None:
                self._ask_judgement(wanted)
        elif self.data is not None:
            self._forward = position.t >= self._last_t
            self._last_t = position.t
            self._go_to(position.t)
        self._pulse.soon()

    def _ask_judgement(self, key: Key) -> None:
        _, checkpoint, kind, episode = key
        self._question = self._link.ask(
            "judge_episode",
            {"kind": kind, "episode": episode, "checkpoint_step": checkpoint},
            lambda answer: self._on_judgement(key, answer),
            lambda sentence: self._on_no_judgement(key, sentence),
        )

    def _on_judgement(self, key: Key, answer: dict[str, Any]) -> None:
        if key != self.key:
            return
        self.data = episode_from(key, answer)
        self._cursor.set_last(self.data.steps)
        self.changed.emit()
        self._last_t = self._cursor.t
        self._go_to(self._cursor.t)
        self._pulse.soon()

    def _on_no_judgement(self, key: Key, sentence: str) -> None:
        if key == self.key:
            self.problem = sentence
            self.changed.emit()
            self._pulse.soon()

    # ------------------------------------------------------------- the moment

    def _go_to(self, t: int) -> None:
        """Show step ``t`` now if its frame is here, else as soon as it comes."""
        self._drop_far(t)
        if t in self._frames or self._refused:
            self._publish(t)
        else:
            if not self._patience.isActive():
                self._patience.start()
            if not self._is_coming(t):
                self._ask_range(range(t, t + 1))
        self._prefetch(t)

    def _publish(self, t: int, missing: str = "") -> None:
        if self.data is None:
            return
        self._patience.stop()
        frame = self._frames.get(t)
        missing = "" if frame is not None else (missing or self._refused)
        self.moment = Moment(self.data, t, frame, missing)
        self.momentChanged.emit()
        self._pulse.soon()

    def _on_impatient(self) -> None:
        self._publish(self._cursor.t, "The picture of this step is on its way.")

    # ------------------------------------------------------------- the frames

    def _reach(self) -> int:
        """Frames to each side that are kept: fewer where they are large."""
        size = next((it.nbytes for it in self._frames.values()), 0)
        return min(AHEAD, max(CHUNK, FRAMES_BYTES // (2 * size))) if size else AHEAD

    def _drop_far(self, t: int) -> None:
        reach = self._reach()
        for far in [it for it in self._frames if abs(it - t) > reach]:
            del self._frames[far]
        for number, steps in list(self._asked.items()):
            if steps.stop <= t - reach or steps.start > t + reach:
                self._link.cancel(number)
                del self._asked[number]

    def _prefetch(self, t: int) -> None:
        """Ask for what lacks, in the direction of the last move first."""
        if self._refused:
            return
        reach = self._reach()
        ahead = range(t, min(t + reach, self.steps) + 1)
        behind = range(t, max(t - reach, 0) - 1, -1)
        for steps in (ahead, behind) if self._forward else (behind, ahead):
            while len(self._asked) < AT_ONCE:
                lacking = next((it for it in steps if not self._is_coming(it)), None)
                if lacking is None:
                    break
                self._ask_range(self._chunk(lacking, steps))

    def _chunk(self, start: int, within: range) -> range:
        """Up to ``CHUNK`` steps from ``start`` that nobody has asked for yet."""
        step, at = within.step, start
        while (
            abs(at + step - start) < CHUNK
            and at + step in within
            and not self._is_coming(at + step)
        ):
            at += step
        return range(min(start, at), max(start, at) + 1)

    def _is_coming(self, t: int) -> bool:
        return t in self._frames or any(t in it for it in self._asked.values())

    def _ask_range(self, steps: range) -> None:
        key = self.key
        assert key is not None
        number = self._link.ask(
            "frames",
            {
                "kind": key[2],
                "episode": key[3],
                "first": steps.start,
                "last": steps.stop - 1,
                "max_size": 0,
            },
            lambda answer: self._on_frames(key, number, steps, answer),
            lambda sentence: self._on_no_frames(key, number, sentence),
        )
        self._asked[number] = steps

    def _on_frames(
        self, key: Key, number: int, steps: range, answer: dict[str, Any]
    ) -> None:
        self._asked.pop(number, None)
        if key != self.key:
            return
        frames = answer["frames"]
        if len(frames) < len(steps):
            self._refused = "The environment drew fewer pictures than there are steps."
        for t, frame in zip(steps, frames, strict=False):
            self._frames[t] = frame
            self.frameArrived.emit(t)
        t = self._cursor.t
        shown = self.moment
        if t in self._frames and (shown is None or shown.t != t or shown.missing):
            self._publish(t)
        self._drop_far(t)
        self._prefetch(t)

    def _on_no_frames(self, key: Key, number: int, sentence: str) -> None:
        """This environment cannot be shown again; numbers still can."""
        self._asked.pop(number, None)
        if key == self.key:
            self._refused = sentence
            self._publish(self._cursor.t)
