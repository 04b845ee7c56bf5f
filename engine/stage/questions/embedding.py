"""The map of states, and what stands behind one of its points."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.stage.archive import Session
from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.jobs import Job, Priority, RequestFailed
from engine.stage.minds import insight_job, liking
from engine.stage.posing import picture_of
from engine.stage.questions.frames import episode_frames
from engine.stage.states import States, find_origin
from engine.stage.world import WorldProblem

MOST_STATES = 10_000


class EmbeddingArguments(Arguments, frozen=True):
    """How many states, and how many neighbours each is compared with."""

    count: int = 2000
    perplexity: float = 30.0


class PointArguments(Arguments, frozen=True):
    """A point by its number, as in ``EmbeddingReport.point_ids``."""

    point_id: int


def _embedding(context: Context, arguments: EmbeddingArguments, asker: Asker) -> Job:
    if not 2 <= arguments.perplexity <= 500:
        raise QuestionError("The perplexity is a number from 2 to 500.")
    if not 1 <= arguments.count <= MOST_STATES:
        raise QuestionError(f"The map takes 1 to {MOST_STATES:,} states.")
    return (
        yield from context.embedding.begin(
            context, arguments.count, arguments.perplexity
        )
    )


def _explain_point(context: Context, arguments: PointArguments, asker: Asker) -> Job:
    """Observation, values and, where it can be drawn, the picture of a point."""
    session = context.archive.session()
    row = context.embedding.index(arguments.point_id)
    states, shown = context.embedding.states, context.shown()
    assert states is not None
    if shown is None:
        raise QuestionError("There is no network yet. Wait a moment.")
    observation = np.array(states.observations[row])
    mind = yield from context.minds.mind(shown.configuration, session.card)
    step, weights = shown.step, shown.agent.weights()
    memory = states.recollection(mind, [row])
    seen = yield from insight_job(
        mind, step, weights, observation[None], recollection=memory
    )
    q = seen["q"][0]
    result: dict[str, Any] = {
        "point_id": arguments.point_id,
        "observation": observation,
        "observation_names": list(session.card.observation_names),
        "q": q,
        "advantage": seen["advantage"][0],
        "value_head": float(seen["value_head"][0]),
        "value": float(q.max()),
        "action": int(liking(seen)[0].argmax()),
        "action_names": list(session.card.action_names),
        "explored": bool(states.explored[row]),
        "checkpoint_step": step,
    }
    picture = yield from _picture(context, session, states, row)
    return result | picture


def _picture(context: Context, session: Session, states: States, row: int) -> Job:
    """``frame`` and where it is from, or a ``note`` why there is none."""
    try:
        origin = yield from find_origin(context, session, states, row)
    except RequestFailed:
        # Nothing is recorded, or its keeper is not there: it is posed instead.
        origin = None
    if origin is not None:
        try:
            record = yield from context.archive.episode(
                session, origin.kind, origin.episode
            )
            frames, _, note = yield from episode_frames(
                context, session, record, [origin.t]
            )
            return {**origin._asdict(), "frame": frames[0], "note": note}
        except (QuestionError, RequestFailed) as error:
            return {**origin._asdict(), "note": str(error)}
    try:
        frame = picture_of(session.configuration.environment, states.observations[row])
    except (WorldProblem, ValueError) as error:
        return {"note": str(error)}
    if frame is None:
        return {
            "note": f"A single observation of {session.card.id} does not hold all that "
            "its picture needs."
        }
    return {"frame": frame, "note": "Drawn from the observation alone."}


EMBEDDING = Question("embedding", EmbeddingArguments, _embedding, Priority.EMBEDDING)
EXPLAIN_POINT = Question("explain_point", PointArguments, _explain_point)
