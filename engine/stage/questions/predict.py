"""What the shown network, or a checkpoint, says about any observations."""

from __future__ import annotations

import numpy as np

from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.jobs import Job
from engine.stage.minds import insight_job

SHOWN = -1
MOST = 100_000


class PredictArguments(Arguments, frozen=True):
    """``observations`` [n, ...] as the agent sees them; -1 takes the shown weights."""

    observations: np.ndarray
    checkpoint_step: int = SHOWN


def _answer(context: Context, arguments: PredictArguments, asker: Asker) -> Job:
    if arguments.checkpoint_step == SHOWN:
        shown = context.shown()
        if shown is None:
            raise QuestionError("There is no network yet. Wait a moment.")
        configuration, card = shown.configuration, shown.card
        step, arrays = shown.step, shown.agent.weights()
    else:
        session = context.archive.session()
        configuration, card = session.configuration, session.card
        step = arguments.checkpoint_step
        arrays = yield from context.archive.weights(session, step)
    observations = arguments.observations
    if observations.shape[1:] != card.shape or not 0 < len(observations) <= MOST:
        raise QuestionError(
            f"Observations of {card.id} have the shape [n, "
            f"{', '.join(map(str, card.shape))}], not {list(observations.shape)}."
        )
    mind = yield from context.minds.mind(configuration, card)
    seen = yield from insight_job(
        mind, step, arrays, observations.astype(card.dtype, copy=False)
    )
    names = ("q", "advantage", "value_head")
    result = {name: seen[name] for name in names}
    return {**result, "value": seen["q"].max(axis=1), "checkpoint_step": step}


PREDICT = Question("predict", PredictArguments, _answer)
