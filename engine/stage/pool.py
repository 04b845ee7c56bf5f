"""States of the session to compare a step with, and what a network says of them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.contract.options import EnvironmentOptions
from engine.stage.archive import Session
from engine.stage.episodes import Weights
from engine.stage.identity import Past
from engine.stage.jobs import Priority, Wish
from engine.stage.minds import insight_job, liking
from engine.stage.posing import Poser
from engine.stage.states import Beginnings, States, collect

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


@dataclass(slots=True)
class Known:
    """What was found out about some of the states, whichever weights judge.

    Returns are of the discount that stands beside them.

    Attributes:
      rows: Where they are from and what came of them, by row; whoever finds it out
        keeps it here.
      unanswered: Rows of those whose question failed: to be asked again.
      begun: When recorded episodes began, as it was asked for last.
    """

    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    unanswered: set[int] = field(default_factory=set)
    begun: Beginnings | None = None


class Judged(NamedTuple):
    """States and what some weights say of them.

    Attributes:
      states: n of them.
      q, liking: Q-values and what actions are chosen by, [n, A].
      embedding: The last hidden layer, [n, H].
      known: What else was found out about some of them.
    """

    states: States
    q: np.ndarray
    liking: np.ndarray
    embedding: np.ndarray
    known: Known


class StatePool:
    """Gathers states once, beside whatever is asked meanwhile."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._states: States | None = None
        self._of: Source = (("", 0), False)
        self._gathered_at = 0.0
        self._gathering: Source = (("", 0), False)
        self._error: Exception | None = None
        self._judged: OrderedDict[tuple[int, int], Judged] = OrderedDict()
        self._known = Known()
        self._poser: Poser | None = None

    def judged(
        self, context: Context, session: Session, weights: Weights
    ) -> Generator[Wish, Any, Judged]:
        """The states of this session, and what these weights say of them.

        Raises:
          ValueError: If none can be gathered; the message is a sentence.
        """
        states = yield from self._gathered(context, session, weights)
        key = weights.step, session.changes
        known = self._judged.get(key)
        if known is not None and known.states is states:
            self._judged.move_to_end(key)
            return known
        found = yield from self._judge(context, session, weights, states)
        if self._states is states:
            self._keep(key, found)
        return found

    def poser(self, options: EnvironmentOptions) -> Poser:
        """What draws states of this environment; it stays, for worlds begin slowly."""
        if self._poser is None or self._poser.options != options:
            self.close()
            self._poser = Poser(options)
        return self._poser

    def close(self) -> None:
        """Let go of what draws."""
        if self._poser is not None:
            self._poser.close()
        self._poser = None

    def _keep(self, key: tuple[int, int], found: Judged) -> None:
        self._judged[key] = found
        self._judged.move_to_end(key)
        while len(self._judged) > MOST_JUDGED:
            self._judged.popitem(last=False)

    def _judge(
        self, context: Context, session: Session, weights: Weights, states: States
    ) -> Generator[Wish, Any, Judged]:
        known = self._known if self._states is states else Known()
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
        return Judged(states, seen["q"], liking(seen), seen["embedding"], known)

    def _gathered(
        self, context: Context, session: Session, weights: Weights
    ) -> Generator[Wish, Any, States]:
        of = (session.past, session.live)
        if self._of != of:
            self._states, self._of, self._error = None, of, None
            self._judged.clear()
            self._known = Known()
        old = self._clock() - self._gathered_at > AGAIN_AFTER_S
        if self._states is None or (session.live and old):
            self._begin(context, session, of, weights)
        while self._states is None and self._gathering == of == self._of:
            yield POLL_S
        if self._states is None:
            raise ValueError(str(self._error or "The session has been changed."))
        return self._states

    def _begin(
        self, context: Context, session: Session, of: Source, weights: Weights
    ) -> None:
        """Gather in a job of its own; for later, it gives way to questions."""
        if self._gathering == of:
            return
        self._gathering, self._error = of, None

        def done(found: tuple[States, Judged | None]) -> None:
            self._end(of)
            if self._of == of:
                self._take(weights.step, session.changes, *found)

        def failed(error: Exception) -> None:
            self._error = error
            self._end(of)

        waited_for = self._states is None
        job = self._fresh(context, session, None if waited_for else weights)
        priority = Priority.QUESTION if waited_for else Priority.EMBEDDING
        context.jobs.start(job, priority, done, failed)

    def _fresh(
        self, context: Context, session: Session, weights: Weights | None
    ) -> Generator[Wish, Any, tuple[States, Judged | None]]:
        """Other states, judged while the old ones still answer."""
        rng = np.random.default_rng(SEED)
        states = yield from collect(context, session, COUNT, rng)
        if weights is None:
            return states, None
        try:
            return states, (yield from self._judge(context, session, weights, states))
        except Exception:
            # Nobody waits for this judgement, and the states are good without it.
            # Whoever asks next has them judged, and is told then what fails.
            return states, None

    def _end(self, of: Source) -> None:
        if self._gathering == of:
            self._gathering = (("", 0), False)

    def _take(
        self, step: int, changes: int, states: States, judged: Judged | None
    ) -> None:
        self._states, self._gathered_at = states, self._clock()
        self._judged.clear()
        self._known = Known() if judged is None else judged.known
        if judged is not None:
            self._keep((step, changes), judged)
