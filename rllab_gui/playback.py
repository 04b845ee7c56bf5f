"""Moves the cursor by itself: plays an episode, goes through episodes, follows live."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from engine.contract.messages import EpisodeFinished, SessionStatus
from engine.contract.notes import Place
from rllab_gui.cursor import SPEEDS, Cursor
from rllab_gui.episode import ShownEpisode
from rllab_gui.link import Link
from rllab_gui.numbered import Numbered
from rllab_gui.store import Store

DEFAULT_RATE = 30


class Playback(QObject):
    """The motor of the cursor.

    Args:
      place: Where a session of this uuid was left, None where nobody knows.

    Attributes:
      active: Somebody looks; while nobody does, *following* fetches nothing.

    Signals:
      episodesChanged(): Now there are episodes, or there are none any more.
    """

    episodesChanged = Signal()

    def __init__(
        self,
        link: Link,
        store: Store,
        cursor: Cursor,
        episode: ShownEpisode,
        parent: QObject | None = None,
        *,
        place: Callable[[str], Place | None] = lambda uuid: None,
    ) -> None:
        super().__init__(parent)
        self._place = place
        self._link, self._store = link, store
        self._cursor, self._episode = cursor, episode
        self._steps: dict[str, Numbered] = {}
        self._newest: tuple[str, int] | None = None
        self._had_episodes = False
        self._left = ("", "")
        self.active = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_tick)
        cursor.modeChanged.connect(lambda mode: self._run())
        cursor.playChanged.connect(self._run)
        store.wasReset.connect(self._on_session)
        link.episodeFinished.connect(self._on_finished)
        store.wentBack.connect(self._on_gone_back)

    # ------------------------------------------------------------------ motion

    def set_active(self, active: bool) -> None:
        """Somebody looks at episodes now, or nobody does."""
        self.active = active
        if active and not self._shows_any():
            self._show_first()
        elif active and self._cursor.mode == "following":
            self._show_newest()
        self._run()

    def toggle(self) -> None:
        """Play or pause."""
        playing = self._cursor.mode == "playing"
        self._cursor.set_mode("paused" if playing else "playing")

    def set_follow(self, follow: bool) -> None:
        """Follow the newest episode, or hold."""
        if follow == (self._cursor.mode == "following"):
            return
        self._cursor.set_mode("following" if follow else "paused")
        if follow:
            self._show_newest()

    def faster(self, by: int) -> None:
        """To the next offered speed, up or down."""
        nearest = min(SPEEDS, key=lambda speed: abs(speed - self._cursor.speed))
        at = min(max(SPEEDS.index(nearest) + by, 0), len(SPEEDS) - 1)
        self._cursor.set_speed(SPEEDS[at])

    def _run(self) -> None:
        """Beat at the frame rate of the environment while something moves."""
        moves = self.active and self._cursor.mode != "paused"
        if not moves:
            self._timer.stop()
            return
        rate = self._store.card.frame_rate if self._store.card else DEFAULT_RATE
        self._timer.setInterval(max(8, round(1000 / (rate * self._cursor.speed))))
        if not self._timer.isActive():
            self._timer.start()

    def _on_tick(self) -> None:
        """One step on, once the one before has been shown with its picture."""
        if self._episode.lags:
            return
        if self._cursor.mode == "playing":
            self._cursor.play_on()
        elif self._cursor.t < self._cursor.last:
            self._cursor.place(t=self._cursor.t + 1)
        else:
            self._show_newest()

    # ---------------------------------------------------------------- episodes

    @property
    def has_episodes(self) -> bool:
        """Whether any episode of the session can be looked at."""
        return self._newest is not None

    def step_of(self, kind: str, episode: int) -> int | None:
        """Training step of a recorded episode; None where there is no such one."""
        return self._of(kind).get(episode)

    def _of(self, kind: str) -> Numbered:
        """Training steps of the episodes of a kind, by their numbers."""
        return self._steps.setdefault(kind, Numbered())

    def nearest(self, step: float) -> tuple[str, int] | None:
        """Kind and number of the training episode nearest to this training step."""
        kind = "training" if len(self._of("training")) else "evaluation"
        there = self._of(kind)
        if not len(there):
            return None
        return kind, int(there.keys[np.abs(there.values - step).argmin()])

    def go(self, by: int) -> None:
        """To the next or previous episode of the same kind."""
        position = self._cursor.position
        there = self._of(position.kind)
        if not len(there):
            return
        last = len(there) - 1
        at = last
        if position.episode in there:
            at = int(there.keys.searchsorted(position.episode)) + by
        target = int(there.keys[min(max(at, 0), last)])
        if target != position.episode:
            self._cursor.show_episode(position.kind, target)

    def go_to_mark(self, by: int) -> None:
        """To the next or previous step that is marked; near ties are not worth it."""
        data = self._episode.data
        if data is None:
            return
        marked = [t for t, mark in enumerate(data.marks) if mark not in ("", "=")]
        ahead = [t for t in marked if (t - self._cursor.t) * by > 0]
        if ahead:
            self._cursor.set_mode("paused")
            self._cursor.seek(min(ahead) if by > 0 else max(ahead))

    def _show_newest(self) -> None:
        position = self._cursor.position
        if self._newest not in (None, (position.kind, position.episode)):
            kind, episode = self._newest or ("", -1)
            self._cursor.place(kind=kind, episode=episode, t=0, branch="")

    def _show_first(self) -> None:
        """Where somebody was when they left this session, else the newest episode."""
        follows = self._cursor.mode == "following"
        place = None if follows else self._place(self._store.session.uuid)
        if place is None or place.episode not in self._of(place.kind):
            self._show_newest()
            return
        self._cursor.place(
            kind=place.kind,
            episode=place.episode,
            t=place.t,
            checkpoint=place.checkpoint,
            branch="",
        )

    def _shows_any(self) -> bool:
        return self._cursor.position.episode >= 0

    def _add(self, kind: str, episode: int, step: int) -> None:
        """A late evaluation of older weights is there, but nothing goes back to it."""
        self._of(kind).put(episode, step)
        position = self._cursor.position
        looked_at = self.step_of(position.kind, position.episode)
        if looked_at is None or step >= looked_at:
            self._newest = (kind, episode)

    def _on_finished(self, episode: EpisodeFinished) -> None:
        if self._store.configuration.recording.level != "scalars":
            self._add(episode.kind, episode.episode, episode.step)
            self._on_episodes()

    def _on_gone_back(self, step: int) -> None:
        """What comes after this step is recorded again, and is not there till then."""
        for there in self._steps.values():
            there.keep(there.values <= step)
        if self._newest is not None and self.step_of(*self._newest) is None:
            self._newest = self._latest()
        self._ask()

    def _ask(self) -> None:
        session = self._store.session
        of = (session.uuid, session.cuts)
        self._link.ask("episodes", {}, partial(self._on_table, of))

    def _latest(self) -> tuple[str, int] | None:
        """The episode with the highest training step; None where there is none."""
        last = []
        for kind, there in self._steps.items():
            if len(there):  # of equal steps, as of one checkpoint's episodes, the last
                at = len(there) - 1 - int(there.values[::-1].argmax())
                last.append((int(there.values[at]), kind, int(there.keys[at])))
        return max(last)[1:] if last else None

    def _on_table(self, of: tuple[str, int], table: dict[str, Any]) -> None:
        """The keeper says which episodes there were before this window looked."""
        session = self._store.session
        if of != (session.uuid, session.cuts):
            return
        kinds = np.asarray(table.get("kind", ()), str)
        recorded = np.asarray(table.get("recorded", np.ones(len(kinds))), bool)
        numbers = np.asarray(table.get("episode", ()), np.int64)
        steps = np.asarray(table.get("step0", np.zeros(len(kinds))), np.int64)
        lengths = np.asarray(table.get("length", np.zeros(len(kinds))), np.int64)
        # As live ones are known by: the step of their end; an evaluation takes none.
        environments = self._store.configuration.training.environments
        steps = steps + np.where(kinds == "training", environments * lengths, 0)
        for kind in set(kinds.tolist()):
            here = recorded & (kinds == kind)
            self._of(kind).put_all(numbers[here], steps[here])
        self._newest = self._newest or self._latest()
        self._on_episodes()

    def _on_episodes(self) -> None:
        if self.active and not self._shows_any():
            self._show_first()
        if self.has_episodes != self._had_episodes:
            self._tell()

    def _tell(self) -> None:
        self._had_episodes = self.has_episodes
        self.episodesChanged.emit()

    def _follows(self, session: SessionStatus) -> bool:
        """A run is followed, but not by who looked elsewhere when its engine went."""
        uuid, mode = self._left
        return session.live and (session.uuid != uuid or mode == "following")

    def _on_session(self) -> None:
        """Another session: nothing of the old one stays under the cursor."""
        session = self._store.session
        if left := self._cursor.position.session:
            self._left = left, self._cursor.mode
        self._steps, self._newest = {}, None
        self._cursor.set_last(0)
        self._cursor.select(None)
        nothing = {"checkpoint": -1, "episode": -1, "t": 0, "branch": ""}
        self._cursor.place(session=session.uuid, **nothing)
        self._cursor.set_mode("following" if self._follows(session) else "paused")
        if session.uuid:
            self._ask()
        self._tell()
