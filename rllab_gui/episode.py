"""The recorded episode under the cursor; every view draws from its one moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from engine.contract.messages import EpisodeFinished, SessionStatus
from engine.contract.options import Configuration
from rllab_gui.cursor import Cursor, Position
from rllab_gui.episode_frames import EpisodeFrames
from rllab_gui.link import Link
from rllab_gui.pulse import Pulse
from rllab_gui.store import Store
from rllab_gui.views.episode_model import Episode, Key, Moment, episode_from
from rllab_gui.views.limits import SessionLimits

PATIENCE_MS = 150
"""How long the moment waits for its frame before it is shown without."""
BRANCH = "branch"
"""Kind of the episode that a branch is for the stage."""
BY_HAND = "by hand"
"""``Position.branch`` while a person plays; the episode then comes from here."""
PATIENCE_JUDGED_MS = 300
"""How long another judgement of the same steps is shown while one is under way."""
REMEMBERED = 12
"""Judgements of other checkpoints that are kept, of at most so many steps each."""
REMEMBERED_STEPS = 5_000
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
      branch_numbers: Number that the stage gave a branch, by ``Position.branch``.

    Signals:
      changed(): Another episode, or none while the next one is under way.
      momentChanged(): Another moment.
      leaving(): The person waits for a picture, before which nothing else is asked.
    """

    changed = Signal()
    leaving = Signal()
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
        self.branch_numbers: dict[str, int] = {}
        self._frames = EpisodeFrames(link, self)
        self._frames.arrived.connect(self._on_frames)
        self._frames.gaveUp.connect(self._on_no_frames)
        self._last_picture: tuple[int, np.ndarray] | None = None
        self._judged: dict[Key, Episode] = {}
        self._limits = SessionLimits()
        self._arrived: Episode | None = None
        self._question = -1
        self._forward = True
        self._last_t = self._cuts = 0
        self._patience = QTimer(self, singleShot=True)
        self._patience.timeout.connect(self._on_impatient)
        self._judging = QTimer(self, singleShot=True)
        self._judging.timeout.connect(self._on_slow_judgement)
        self._leaving = QTimer(self, singleShot=True)
        self._leaving.timeout.connect(self._on_slow_arrival)
        cursor.changed.connect(self._on_cursor)
        link.sessionChanged.connect(self._on_session)
        link.episodeFinished.connect(self._on_recorded)

    @property
    def steps(self) -> int:
        """Number of actions of the episode; 0 while none is here."""
        return self.data.steps if self.data is not None else 0

    def options(self, store: Store) -> Configuration:
        """Those that judge the episode that is shown; without one those of now."""
        return store.options_at(None if self.data is None else self.data.options_step)

    @property
    def shows(self) -> bool:
        """An episode is here, or one is still shown while the next is under way."""
        return self.data is not None or self.moment is not None

    @property
    def waiting(self) -> bool:
        """An episode has been asked for and is not here yet."""
        here = self.data is not None and self.data.key == self.key
        return self.key is not None and not here and not self.problem

    def frame(self, t: int) -> np.ndarray | None:
        """Frame of the observation at ``t``, None until it has arrived."""
        return self._frames.frame(t)

    @property
    def lags(self) -> bool:
        """What the cursor points at is under way: playing would only run ahead."""
        if self.waiting or self.data is None or self._frames.refused:
            return self.waiting
        return not self._frames.has(self._cursor.t)

    def forget(self) -> None:
        """Show nothing; the next position fetches anew."""
        self._link.cancel(self._question)
        self._frames.begin(None)
        self._stop_waiting()
        self.problem = ""
        self.key = self.data = self.moment = None
        self.changed.emit()
        self.momentChanged.emit()

    def _stop_waiting(self) -> None:
        self._last_picture = self._arrived = None
        for timer in (self._patience, self._judging, self._leaving):
            timer.stop()

    def fetch_again(self) -> None:
        """Ask anew for what is at the cursor: a branch may have another number."""
        self.forget()
        self._on_cursor(self._cursor.position)

    def _on_session(self, session: SessionStatus) -> None:
        """A run that went back may have recorded under the same number anew."""
        if session.cuts == self._cuts:
            return
        self._cuts = session.cuts
        self._judged.clear()
        self._limits = SessionLimits()
        if self.key is not None and self.key[2] != BY_HAND:
            self.fetch_again()

    def _on_recorded(self, episode: EpisodeFinished) -> None:
        """What could not be shown because it was not there may be there now."""
        recorded = episode.kind, episode.episode
        if self.problem and self.key is not None and self.key[2:] == recorded:
            self.fetch_again()

    # ------------------------------------------------------------ the episode

    def play_on(self, data: Episode, frame: np.ndarray) -> None:
        """A person plays: show this growing episode, at its last step."""
        if self.key != data.key:
            self.forget()
            self.key = data.key
            self._frames.begin(None)
            self._frames.refuse("While you play, only your own steps have pictures.")
        self.data = data
        self._frames.put(data.steps, frame)
        self._cursor.set_last(data.steps)
        self._cursor.place(branch=BY_HAND, t=data.steps)
        self.changed.emit()
        self._publish(data.steps)

    def _key_of(self, position: Position) -> Key | None:
        """Which judged episode belongs to a position."""
        if position.episode < 0:
            return None
        whole = (position.session, position.checkpoint)
        if position.branch == BY_HAND:
            return self.key
        number = self.branch_numbers.get(position.branch)
        if position.branch and number is not None:
            return (*whole, BRANCH, number)
        return (*whole, position.kind, position.episode)

    def _on_cursor(self, position: Position) -> None:
        wanted = self._key_of(position)
        if wanted != self.key and wanted is not None and self._is_shown(wanted):
            self._judge_anew(wanted)
        elif wanted is None and self.key is not None:
            self.forget()
        elif wanted is not None and wanted != self.key:
            self._go_to_another(wanted, position.t)
            if self.moment is not None:
                return  # it stays till the other is here, which finds nobody busy
        elif self.data is not None:
            self._forward = position.t >= self._last_t
            self._last_t = position.t
            self._go_to(position.t)
        elif self.waiting:
            self._frames.want(position.t, forward=True)
            self._settle()
        self._pulse.soon()

    def _go_to_another(self, key: Key, t: int) -> None:
        """Ask for another episode and for the frame of this step, at once.

        What was shown stays until both are here, but no longer than for a moment.
        """
        self.leaving.emit()
        self._link.cancel(self._question)
        self._stop_waiting()
        self.key, self.data, self.problem = key, None, ""
        self._frames.begin(key)
        self._ask_judgement(key)
        self._frames.want(t, forward=True)
        self._leaving.start(self._patience_ms())
        if self.moment is None:
            self.changed.emit()
            self.momentChanged.emit()

    def _patience_ms(self) -> int:
        """While the cursor moves by itself, it waits for the picture."""
        return PATIENCE_MS if self._cursor.mode == "paused" else PATIENCE_MOVING_MS

    def _on_slow_arrival(self) -> None:
        """What is shown is left behind, whether the other is here or not."""
        if self._arrived is not None:
            self._take(self._arrived)
            self._on_impatient()
            return
        self.moment = None
        self.changed.emit()
        self.momentChanged.emit()
        self._pulse.soon()

    def _is_shown(self, wanted: Key) -> bool:
        """It is the episode that is here; only another checkpoint is to judge it."""
        key = self.data.key if self.data is not None else None
        return key is not None and (key[0], *key[2:]) == (wanted[0], *wanted[2:])

    def _judge_anew(self, key: Key) -> None:
        """Have other weights judge; their judgement takes the place of this one."""
        self._link.cancel(self._question)
        self.key, self.problem = key, ""
        known = self._judged.get(key)
        if known is not None:
            self._take(self._with_limits(known))
            return
        self._judging.start(PATIENCE_JUDGED_MS)
        self._frames.hold()
        self._ask_judgement(key)

    def _on_slow_judgement(self) -> None:
        """What is shown is not what is asked for: better nothing than the old."""
        self.data = self.moment = None
        self.changed.emit()
        self.momentChanged.emit()
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
        data = self._with_limits(episode_from(key, answer))
        if self.data is not None:
            self._take(data)
            return
        self._arrived = data
        self._frames.learn_length(data.steps)
        self._cursor.set_last(data.steps)
        self._settle()
        if self._arrived is not None and not self._leaving.isActive():
            self._on_slow_arrival()  # nothing is shown: numbers need no picture

    def _settle(self) -> None:
        """Show the episode that has arrived, once the frame at the cursor has too."""
        here = self._frames.has(self._cursor.t) or bool(self._frames.refused)
        if self._arrived is not None and here:
            self._take(self._arrived)

    def _take(self, data: Episode) -> None:
        """Show this judgement; frames are the same whoever judges."""
        self._arrived = None
        self._judging.stop()
        self._leaving.stop()
        self._remember(data)
        if self.data is None:
            self.moment = None
        self.data = data
        self._cursor.set_last(data.steps)
        self.changed.emit()
        self._last_t = self._cursor.t
        self._go_to(self._cursor.t)
        self._pulse.soon()

    def _with_limits(self, data: Episode) -> Episode:
        """With the percentiles of the session, of which it is a part now."""
        counts = data.key[2] != BRANCH
        limits = self._limits.with_episode(data.key, data.judged, counts=counts)
        return replace(data, limits=limits)

    def _remember(self, data: Episode) -> None:
        """Dragging to and fro along the training axis asks for each only once."""
        if data.key[1] >= 0 and data.steps <= REMEMBERED_STEPS:
            self._judged.pop(data.key, None)
            self._judged[data.key] = data
        while len(self._judged) > REMEMBERED:
            del self._judged[next(iter(self._judged))]

    def _on_no_judgement(self, key: Key, sentence: str) -> None:
        if key == self.key:
            self._judging.stop()
            self._leaving.stop()
            self.data = self.moment = None
            self.problem = sentence
            self.changed.emit()
            self.momentChanged.emit()
            self._pulse.soon()

    # ------------------------------------------------------------- the moment

    def _go_to(self, t: int) -> None:
        """Show step ``t`` now if its frame is here, else as soon as it comes."""
        if self._frames.has(t) or self._frames.refused:
            self._publish(t)
        else:
            self.leaving.emit()
            if not self._patience.isActive():
                self._patience.start(self._patience_ms())
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
        note = self._frames.note(t)
        self.moment = Moment(self.data, t, frame, missing, self._last_picture, note)
        self.momentChanged.emit()
        self._pulse.soon()

    def _on_impatient(self) -> None:
        self._publish(self._cursor.t, "The picture of this step is on its way.")

    def _on_frames(self, steps: range) -> None:
        self._settle()
        t, shown = self._cursor.t, self.moment
        if self._frames.has(t):
            if shown is None or shown.t != t or shown.missing:
                self._publish(t)
        elif shown is not None and shown.missing and len(steps):
            nearest = min(steps, key=lambda it: abs(it - t))
            frame = self.frame(nearest)
            self._last_picture = (nearest, frame) if frame is not None else None
            self._publish(t, shown.missing)

    def _on_no_frames(self) -> None:
        self._settle()
        self._publish(self._cursor.t)
