"""The map of states: their last hidden layer, laid out by t-SNE as training goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from engine.contract.messages import EmbeddingReport
from engine.stage.archive import Session
from engine.stage.context import Context, QuestionError
from engine.stage.jobs import Priority, RequestFailed, Wish
from engine.stage.knowledge import doubts, familiarity
from engine.stage.layout import alike, normalised, placed, principal_plane
from engine.stage.layout_process import LayoutProcess
from engine.stage.minds import insight_job
from engine.stage.states import States, collect, training_steps

LEAST_STATES = 50
LEAST_DISTINCT = 10
"""Fewer have no neighbourhoods; their main plane tells all there is."""
AGAIN_AFTER_S = 10.0
IDLE_S = 60.0
NEW_SHARE = 0.25
POLL_S = 0.05
SEED = 0
OWNER = "embedding"
CHANGED = "The session has changed meanwhile. Collect the states again."


class EmbeddingMap:
    """States that keep their number and their place while the network learns.

    Attributes:
      states: What is on the map; None before the first time.
      ids: Numbers of the points; a new state gets a new one, int64 [n].
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.states: States | None = None
        self.ids = np.zeros(0, np.int64)
        self.step = -1
        self._clock = clock
        self._worker = LayoutProcess()
        self._wanted = self._perplexity = 30.0
        self._rows = self._which = np.zeros(0, np.int64)
        self._positions = np.zeros((0, 2), np.float32)
        self._activations = np.zeros((0, 0), np.float32)
        self._value = np.zeros(0, np.float32)
        self._extras: dict[str, np.ndarray] = {}
        self._seen_at = (np.zeros(0, np.int64),) * 2
        self._next_id = 0
        self._turn = 0
        self._recurrent = False
        self._newest: EmbeddingReport | None = None
        self._rng = np.random.default_rng(SEED)

    def begin(
        self, context: Context, count: int, perplexity: float
    ) -> Generator[Wish, Any, dict[str, Any]]:
        """Gather states, show the first picture, and go on laying them out.

        Raises:
          QuestionError: If there are too few states, or the session changes meanwhile.
        """
        session = context.archive.session()
        context.jobs.cancel(OWNER)
        self._turn += 1
        turn = self._turn
        self._rng = np.random.default_rng(SEED)
        states = yield from collect(context, session, count, self._rng)
        self._check(turn)
        if len(states) < LEAST_STATES:
            raise QuestionError(
                f"The map needs at least {LEAST_STATES} states (have {len(states)}). "
                "Let it train a little longer."
            )
        self.states = states
        self.ids = np.arange(self._next_id, self._next_id + len(states))
        self._next_id += len(states)
        self._wanted = perplexity
        yield from self._think(context, session, states)
        self._positions = principal_plane(self._activations)
        self._report(context, "PCA", final=False)
        context.jobs.start(
            self._lay_out_and_follow(context, session),
            Priority.EMBEDDING,
            _ignore,
            lambda error: context.problem("stage.embedding.failed", "The map", error),
            OWNER,
        )
        return {"count": len(states), "checkpoint_step": self.step}

    def close(self) -> None:
        """End the worker."""
        self._worker.stop()

    def forget(self) -> None:
        """Another session is open: its questions are not about these states."""
        self.states, self.ids, self._newest = None, np.zeros(0, np.int64), None
        self._turn += 1

    def repeat(self, context: Context, window: str) -> None:
        """Send the newest report to a window that did not look when it was made."""
        if self._newest is not None:
            context.send(self._newest, window)

    def _check(self, turn: int) -> None:
        """Raise QuestionError where another map has been begun, or another session."""
        if turn != self._turn:
            raise QuestionError(CHANGED)

    def index(self, point_id: int) -> int:
        """Where this point is; QuestionError if it is no longer on the map."""
        found = np.flatnonzero(self.ids == point_id)
        if not len(found):
            raise QuestionError("This point is no longer on the map. Click another.")
        return int(found[0])

    def _think(
        self, context: Context, session: Session, states: States
    ) -> Generator[Wish, Any, None]:
        """Activations and values of all states by the shown weights."""
        turn = self._turn
        while (shown := context.shown()) is None:
            yield POLL_S
        if shown.configuration.environment != session.configuration.environment:
            raise QuestionError("The shown agent is of another session. Open it again.")
        mind = yield from context.minds.mind(shown.configuration, session.card)
        step, weights = shown.step, shown.agent.weights()
        memory = states.recollection(mind, range(len(states)))
        seen = yield from insight_job(
            mind, step, weights, states.observations, recollection=memory
        )
        extras = doubts(seen) | (yield from familiarity(session, states.observations))
        try:
            seen_at = yield from training_steps(context, session, states)
        except RequestFailed:
            # Without its keeper nobody knows the episodes; the map does not need them.
            seen_at = (np.zeros(0, np.int64),) * 2
        self._check(turn)
        self.step = step
        self._recurrent = memory is not None
        self._activations = seen["embedding"]
        self._rows, self._which = alike(self._activations)
        self._value = seen["q"].max(axis=1)
        self._extras, self._seen_at = extras, seen_at

    def _lay_out_and_follow(
        self, context: Context, session: Session
    ) -> Generator[Wish, Any, None]:
        yield from self._lay_out(context, fresh=True)
        while (yield from self._wait_for_news(context, session)):
            yield from self._refresh(context, session)
            yield from self._lay_out(context, fresh=False)
        self._worker.stop()

    def _lay_out(self, context: Context, *, fresh: bool) -> Generator[Wish, Any, None]:
        rows, which = self._rows, self._which
        if len(rows) < LEAST_DISTINCT:
            self._positions = principal_plane(self._activations)
            self._report(context, "PCA", final=True)
            return
        self._perplexity = min(self._wanted, (len(rows) - 1) / 3)
        self._worker.start(
            self._activations[rows],
            self._positions[rows],
            perplexity=self._perplexity,
            seed=SEED,
            fresh=fresh,
        )
        final = False
        while not final:
            for positions, final in self._worker.layouts():
                self._positions = positions[which]
                self._report(context, "t-SNE", final=final)
            yield POLL_S

    def _wait_for_news(
        self, context: Context, session: Session
    ) -> Generator[Wish, Any, bool]:
        """True once there are newer weights to be laid out; False if none can come."""
        laid_out_at = self._clock()
        while True:
            yield POLL_S * 10
            now, opened, shown = self._clock(), context.archive.open, context.shown()
            if opened is None or opened.uuid != session.uuid or not opened.live:
                return False
            if now - laid_out_at > IDLE_S:
                self._worker.stop()
            news = shown is not None and shown.step != self.step
            due = now - laid_out_at >= AGAIN_AFTER_S
            if news and due and context.wanted("embedding"):
                return True

    def _refresh(
        self, context: Context, session: Session
    ) -> Generator[Wish, Any, None]:
        """A quarter of the states makes room for newer ones; all are thought anew."""
        assert self.states is not None
        old = self.states
        share = max(1, int(NEW_SHARE * len(old)))
        new = yield from collect(context, session, share, self._rng)
        gone = self._rng.choice(len(old), min(len(new), len(old)), replace=False)
        old.replace(gone, new)
        self.ids = self.ids.copy()
        self.ids[gone] = np.arange(self._next_id, self._next_id + len(gone))
        self._next_id += len(gone)
        yield from self._think(context, session, old)
        known = np.ones(len(old), bool)
        known[gone] = False
        self._positions = placed(self._activations, self._positions, known)

    def _report(self, context: Context, method: str, *, final: bool) -> None:
        report = EmbeddingReport(
            positions=normalised(self._positions),
            value=self._value,
            point_ids=self.ids,
            exploring=self.states.explored if self.states else np.zeros(0, bool),
            legend=self._legend(method),
            checkpoint_step=self.step,
            final=final,
            extras=self._extras,
            episodes=self._seen_at[0],
            steps=self._seen_at[1],
        )
        self._newest = report
        context.send(report, "windows")

    def _legend(self, method: str) -> str:
        assert self.states is not None
        settings = f"perplexity {self._perplexity:.3g}, seed {SEED}"
        few = len(self._rows) < len(self.states)
        copies = f"({len(self._rows):,} different ones) " if few else ""
        which = "untrained" if self.step < 0 else f"checkpoint {self.step:,}"
        return (
            f"Last hidden layer ({self._activations.shape[1]} units), "
            f"{len(self.states):,} states {copies}from {self.states.source}, "
            f"{method if method == 'PCA' else f'{method}, {settings}'}, {which}. "
            f"{self._of_memory()}Axes and distances between groups have no meaning."
        )

    def _of_memory(self) -> str:
        """What a recurrent network remembers here, which is not what it would."""
        assert self.states is not None
        if not self._recurrent:
            return ""
        if self.states.remembered:
            return "Memory: as stored when each state was met. "
        return "Memory: empty, as if each state began an episode. "


def _ignore(_: Any) -> None:
    """The job's result is what it has reported."""
