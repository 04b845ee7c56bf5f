"""Observations of single steps of a recorded episode, and what came before them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.stage.archive import Session
from engine.stage.context import Context, QuestionError
from engine.stage.episodes import (
    CannotReplay,
    Weights,
    as_stored,
    is_verified,
    played_again,
)
from engine.stage.jobs import Wish
from engine.stage.minds import Mind, insight_job
from engine.stage.replays import onwards, reach

if TYPE_CHECKING:
    from engine.agents.recollection import Recollection


def observations_at(
    context: Context, session: Session, record: Mapping[str, Any], steps: range
) -> Generator[Wish, Any, np.ndarray]:
    """What the agent saw at these steps, [k, ...], fewer at the end of the episode.

    Raises:
      QuestionError: If the episode can neither be played again nor was stored.
    """
    if not 0 <= steps.start <= len(record["actions"]):
        raise QuestionError(f"This episode has no step {steps.start:,}.")
    if is_verified(record):
        return (yield from _taken(as_stored(session, record, steps.start), len(steps)))
    try:
        with played_again(context, session, record) as replay:
            yield from reach(replay, steps.start)
            return (yield from _taken(onwards(replay), len(steps)))
    except CannotReplay as problem:
        why = str(problem)
    if "observations" not in record:
        raise QuestionError(f"{why} Its observations were not stored either.")
    return (yield from _taken(as_stored(session, record, steps.start), len(steps)))


def _taken(
    source: Generator[np.ndarray, None, None], most: int
) -> Generator[Wish, Any, np.ndarray]:
    found = []
    try:
        for observation in islice(source, most):
            found.append(np.array(observation))
            yield None
    finally:
        source.close()
    return np.stack(found)


def memory_before(
    mind: Mind, weights: Weights, record: Mapping[str, Any], observations: np.ndarray
) -> Generator[Wish, Any, Recollection | None]:
    """What a recurrent network remembers after these first steps; else None."""
    memory = mind.recollection(1)
    if memory is None:
        return None
    count = len(observations)
    before = np.append(-1, record["actions"]).astype(np.int64)
    if count:
        yield from insight_job(
            mind, weights.step, weights.arrays, observations, before[:count], memory
        )
    memory.acted(before[count : count + 1])
    return memory
