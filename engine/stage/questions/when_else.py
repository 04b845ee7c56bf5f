"""Where else an agent would do the same, in states that it finds as good."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.stage.context import Asker, Context, Question, QuestionError
from engine.stage.jobs import Job
from engine.stage.minds import insight_job, liking
from engine.stage.questions.inside_episode import EpisodeArguments, by_whom
from engine.stage.questions.neighbours import look_at
from engine.stage.states import training_steps

NO_MAP = "There is no map of states yet: open the panel Map in Train."
SPREAD = (5.0, 95.0)


class WhenElseArguments(EpisodeArguments, frozen=True, kw_only=True):
    """A step; ``within``: so much of the spread of V(s) on the map is as good."""

    t: int
    within: float = 0.05


def _when_else(context: Context, arguments: WhenElseArguments, asker: Asker) -> Job:
    """States of the map with the same greedy action and nearly the same value.

    Returns:
      ``action`` and ``value`` here, ``tolerance`` of the value; ``count`` of such
      states of so many ``states``; ``episodes`` and ``steps`` int64 [k] of those that
      a recorded training episode has; ``checkpoint_step``, ``t``.
    """
    session = context.archive.session()
    states = context.embedding.states
    fits = states is not None and states.observations.shape[1:] == session.card.shape
    if states is None or not fits:
        raise QuestionError(NO_MAP)
    session, record, weights = yield from by_whom(context, arguments)
    _, here = yield from look_at(context, session, record, weights, arguments.t)
    mind = yield from context.minds.mind(session.configuration, session.card)
    memory = states.recollection(mind, range(len(states)))
    seen = yield from insight_job(
        mind, weights.step, weights.arrays, states.observations, recollection=memory
    )
    action, value = int(liking(here)[0].argmax()), float(here["q"][0].max())
    values = seen["q"].max(axis=1).astype(np.float64)
    low, high = np.percentile(values, SPREAD)
    tolerance = arguments.within * float(high - low)
    alike = (liking(seen).argmax(axis=1) == action) & (
        np.abs(values - value) <= tolerance
    )
    episodes, steps = yield from training_steps(context, session, states)
    known = alike & (episodes >= 0)
    result: dict[str, Any] = {
        "t": arguments.t,
        "action": action,
        "value": value,
        "tolerance": tolerance,
        "count": int(alike.sum()),
        "states": len(states),
        "episodes": episodes[known],
        "steps": steps[known],
        "checkpoint_step": weights.step,
    }
    return result


WHEN_ELSE = Question("when_else", WhenElseArguments, _when_else)
