"""The recorded episode under the cursor; every view draws from its one moment."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from rllab_gui.cursor import Cursor, Position
from rllab_gui.episode_frames import EpisodeFrames
from rllab_gui.link import Link
from rllab_gui.pulse import Pulse
from rllab_gui.views.episode_model import Episode, Key, Moment, episode_from

PATIENCE_MS = 150
"""How long the moment waits for its frame before it is shown without."""
PATIENCE_MOVING_MS = 1_500
"""The same while the cursor moves by itself, and so waits for the moment."""


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
    """

    changed = Signal()
    momentChanged = Signal()

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
        self._frames = EpisodeFrames(link, self)
        self._frames.arrived.connect(self._on_frames)
        self._frames.gaveUp.connect(self._on_no_frames)
        self._last_picture: tuple[int, np.ndarray] | None = None
        self._question = -1
        self._forward = True
        self._last_t = 0
        self._patience = QTimer(self, singleShot=True)
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
        return self._frames.frame(t)

    @property
    def lags(self) -> bool:
        """What the cursor points at is under way: playing would only run ahead."""
        if self.data is None or self._frames.refused:
            return self.waiting
        return self.frame(self._cursor.t) is None

    def forget(self) -> None:
        """Show nothing; the next position fetches anew."""
        self._link.cancel(self._question)
        self._frames.begin(None)
        self._last_picture = None
        self._patience.stop()
        self.problem = ""
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
        self._frames.begin(key, self.data.steps)
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
        if self.frame(t) is not None or self._frames.refused:
            self._publish(t)
        elif not self._patience.isActive():
            moves = self._cursor.mode != "paused"  # then it waits for the picture
            self._patience.start(PATIENCE_MOVING_MS if moves else PATIENCE_MS)
        self._frames.want(t, forward=self._forward)

    def _publish(self, t: int, missing: str = "") -> None:
        if self.data is None:
            return
        self._patience.stop()
        frame = self.frame(t)
        if frame is not None:
            self._last_picture, missing = (t, frame), ""
        elif self._frames.refused:
            self._last_picture, missing = None, self._frames.refused
        self.moment = Moment(self.data, t, frame, missing, self._last_picture)
        self.momentChanged.emit()
        self._pulse.soon()

    def _on_impatient(self) -> None:
        self._publish(self._cursor.t, "The picture of this step is on its way.")

    def _on_frames(self, steps: range) -> None:
        t, shown = self._cursor.t, self.moment
        if self.frame(t) is not None:
            if shown is None or shown.t != t or shown.missing:
                self._publish(t)
        elif shown is not None and shown.missing and len(steps):
            nearest = min(steps, key=lambda it: abs(it - t))
            frame = self.frame(nearest)
            self._last_picture = (nearest, frame) if frame is not None else None
            self._publish(t, shown.missing)

    def _on_no_frames(self) -> None:
        self._publish(self._cursor.t)
