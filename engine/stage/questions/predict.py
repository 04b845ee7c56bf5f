"""What the shown network, or a checkpoint, says about any observations."""

from __future__ import annotations

import numpy as np

from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.jobs import Job
from engine.stage.minds import insight_job, liking

SHOWN = -1
MOST = 100_000


class PredictArguments(Arguments, frozen=True):
    """``observations`` [n, ...] as the agent sees them; -1 takes the shown weights.

    With the action before each of them, ``previous`` int64 [n] (-1 for none), they
    are one episode for a recurrent network; else each is the first of one.
    """

    observations: np.ndarray
    checkpoint_step: int = SHOWN
    previous: np.ndarray | None = None


def _answer(context: Context, arguments: PredictArguments, asker: Asker) -> Job:
    if arguments.checkpoint_step == SHOWN:
        shown = context.shown()
        if shown is None:
            raise QuestionError("There is no network yet. Wait a moment.")
        configuration, card = shown.configuration, shown.card
        step, arrays = shown.step, shown.agent.weights()
    else:
        step = arguments.checkpoint_step
        session = yield from context.archive.as_of(context.archive.session(), step)
        configuration, card = session.configuration, session.card
        arrays = yield from context.archive.weights(session, step)
    observations = arguments.observations
    if observations.shape[1:] != card.shape or not 0 < len(observations) <= MOST:
        raise QuestionError(
            f"Observations of {card.id} have the shape [n, "
            f"{', '.join(map(str, card.shape))}], not {list(observations.shape)}."
        )
    before = _before(arguments.previous, len(observations), card.actions)
    mind = yield from context.minds.mind(configuration, card)
    seen = yield from insight_job(
        mind, step, arrays, observations.astype(card.dtype, copy=False), before
    )
    names = ("q", "advantage", "value_head")
    result = {name: seen[name] for name in names}
    value = seen["q"].max(axis=1)
    return {
        **result,
        "liking": liking(seen),
        "value": value,
        "checkpoint_step": step,
    }


def _before(previous: np.ndarray | None, count: int, actions: int) -> np.ndarray | None:
    if previous is None:
        return None
    before = np.asarray(previous)
    fits = before.shape == (count,) and np.issubdtype(before.dtype, np.integer)
    if not fits or before.min() < -1 or before.max() >= actions:
        raise QuestionError(
            f"The actions before {count:,} observations are as many whole numbers "
            f"from -1 (none) to {actions - 1}."
        )
    return before.astype(np.int64)


PREDICT = Question("predict", PredictArguments, _answer)
