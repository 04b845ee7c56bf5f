"""States of the session to compare a step with, and what a network says of them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.stage.archive import Past, Session
from engine.stage.episodes import Weights
from engine.stage.jobs import Priority, Wish
from engine.stage.minds import insight_job, liking
from engine.stage.states import States, collect

if TYPE_CHECKING:
    from engine.stage.context import Context

COUNT = 2000
AGAIN_AFTER_S = 15.0
"""While training goes on, the memory holds other states after a while."""
POLL_S = 0.01
MOST_JUDGED = 3
SEED = 0

Source = tuple[Past, bool]
"""What was recorded, and whether more of it is coming."""


class Judged(NamedTuple):
    """States and what some weights say of them.

    Attributes:
      states: n of them.
      q, liking: Q-values and what actions are chosen by, [n, A].
      embedding: The last hidden layer, [n, H].
      told: What was found out about some of them, by row; whoever does keeps it here.
    """

    states: States
    q: np.ndarray
    liking: np.ndarray
    embedding: np.ndarray
    told: dict[int, dict[str, Any]]


class StatePool:
    """Gathers states once, beside whatever is asked meanwhile."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: States | None = None
        self._of: Source = (("", 0), False)
        self._gathered_at = 0.0
        self._gathering: Source = (("", 0), False)
        self._error: Exception | None = None
        self._judged: OrderedDict[int, Judged] = OrderedDict()

    def judged(
        self, context: Context, session: Session, weights: Weights
    ) -> Generator[Wish, Any, Judged]:
        """The states of this session, and what these weights say of them.

        Raises:
          ValueError: If none can be gathered; the message is a sentence.
        """
        states = yield from self._gathered(context, session)
        known = self._judged.get(weights.step)
        if known is not None and known.states is states:
            self._judged.move_to_end(weights.step)
            return known
        mind = yield from context.minds.mind(session.configuration, session.card)
        seen: dict[str, np.ndarray] = {}
        if len(states):
            memory = states.recollection(mind, range(len(states)))
            seen = yield from insight_job(
                mind,
                weights.step,
                weights.arrays,
                states.observations,
                recollection=memory,
            )
        else:
            seen = dict.fromkeys(
                ("q", "embedding"), np.zeros((0, session.card.actions))
            )
        found = Judged(states, seen["q"], liking(seen), seen["embedding"], {})
        self._judged[weights.step] = found
        while len(self._judged) > MOST_JUDGED:
            self._judged.popitem(last=False)
        return found

    def _gathered(
        self, context: Context, session: Session
    ) -> Generator[Wish, Any, States]:
        of = (session.past, session.live)
        if self._of != of:
            self._states, self._of, self._error = None, of, None
            self._judged.clear()
        old = self._clock() - self._gathered_at > AGAIN_AFTER_S
        if self._states is None or (session.live and old):
            self._begin(context, session, of)
        while self._states is None and self._gathering == of == self._of:
            yield POLL_S
        if self._states is None:
            raise ValueError(str(self._error or "The session has been changed."))
        return self._states

    def _begin(self, context: Context, session: Session, of: Source) -> None:
        """Gather in a job of its own, which gives way to questions."""
        if self._gathering == of:
            return
        self._gathering, self._error = of, None

        def done(states: States) -> None:
            self._end(of, states)

        def failed(error: Exception) -> None:
            self._error = error
            self._end(of, None)

        rng = np.random.default_rng(SEED)
        job = collect(context, session, COUNT, rng)
        context.jobs.start(job, Priority.EMBEDDING, done, failed)

    def _end(self, of: Source, states: States | None) -> None:
        if self._gathering == of:
            self._gathering = (("", 0), False)
        if self._of == of and states is not None:
            self._states, self._gathered_at = states, self._clock()
