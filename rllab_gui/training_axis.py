"""The training axis: which checkpoints there are, and which moment is looked at."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any

from PySide6.QtCore import QObject, Signal

from rllab_gui.cursor import Cursor, Position
from rllab_gui.link import Link
from rllab_gui.playback import Playback
from rllab_gui.store import Store

LIVE_EVERY_S = 2.0
"""While training runs the list is asked for so often."""
AS_RECORDED = -1


class TrainingAxis(QObject):
    """The kept checkpoints of the open session, and jumps to a moment of training.

    New checkpoints never move what a person has chosen; one that is judged by stays
    in the list also when the session has let go of it.

    Attributes:
      steps: Training steps of the kept checkpoints, ascending.
      best: Step of the one that evaluated best; -1 where none was evaluated.

    Signals:
      changed(): There are other checkpoints.
    """

    changed = Signal()

    def __init__(
        self,
        link: Link,
        store: Store,
        cursor: Cursor,
        playback: Playback,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(parent)
        self._link, self._store = link, store
        self._cursor, self._playback = cursor, playback
        self._clock, self._asked_at = clock, 0.0
        self._durable = self._chosen = -1
        self._kept: tuple[int, ...] = ()
        self.steps: tuple[int, ...] = ()
        self.best = AS_RECORDED
        store.wasReset.connect(self._on_reset)
        store.sessionChanged.connect(self._on_session)
        cursor.changed.connect(self._on_cursor)

    # ------------------------------------------------------------------ moments

    @property
    def step(self) -> int | None:
        """Training step that is looked at: of the checkpoint, else of the episode."""
        position = self._cursor.position
        if position.checkpoint >= 0:
            return position.checkpoint
        return self._playback.step_of(position.kind, position.episode)

    def nearest(self, step: float) -> int:
        """The kept checkpoint nearest to a step; -1 where there is none."""
        return min(self.steps, key=lambda it: abs(it - step), default=AS_RECORDED)

    def go_to(self, step: float) -> None:
        """Look at the episode and through the checkpoint that are nearest."""
        found = self._playback.nearest(step)
        if found is not None:
            self._cursor.show_episode(*found, checkpoint=self.nearest(step))
        elif self.steps:
            self._cursor.show_checkpoint(self.nearest(step))

    def next(self, by: int) -> None:
        """Judge by the next or previous checkpoint; before the first: as recorded."""
        places = (AS_RECORDED, *self.steps)
        at = bisect_left(places, self._cursor.position.checkpoint) + by
        self._cursor.show_checkpoint(places[min(max(at, 0), len(places) - 1)])

    # -------------------------------------------------------------- what arrives

    def _on_reset(self) -> None:
        self._durable, self._asked_at = -1, 0.0
        self.best = AS_RECORDED
        self._kept = ()
        self._show(())
        self._ask()

    def _on_cursor(self, position: Position) -> None:
        if position.checkpoint != self._chosen:
            self._show(self._kept)

    def _on_session(self) -> None:
        """A run that goes on has new checkpoints now and then."""
        session, now = self._store.session, self._clock()
        if session.durable_step == self._durable or not session.uuid:
            return
        if not session.live or now >= self._asked_at + LIVE_EVERY_S:
            self._durable = session.durable_step
            self._ask()

    def _ask(self) -> None:
        uuid, self._asked_at = self._store.session.uuid, self._clock()
        if uuid:
            self._link.ask(
                "checkpoints",
                {},
                partial(self._on_checkpoints, uuid),
                lambda sentence: None,  # then none can be chosen
            )

    def _on_checkpoints(self, uuid: str, table: dict[str, Any]) -> None:
        if uuid != self._store.session.uuid:
            return
        rows = zip(table.get("step", ()), table.get("best", ()), strict=True)
        kept = sorted((int(step), bool(best)) for step, best in rows)
        best = next((step for step, best in reversed(kept) if best), AS_RECORDED)
        changed, self.best = best != self.best, best
        self._kept = tuple(step for step, _ in kept)
        self._show(self._kept, changed=changed)

    def _show(self, kept: Sequence[int], *, changed: bool = False) -> None:
        self._chosen = self._cursor.position.checkpoint
        mine = {self._chosen} if self._chosen >= 0 else set()
        steps = tuple(sorted({*kept, *mine}))
        if steps != self.steps or changed:
            self.steps = steps
            self.changed.emit()
