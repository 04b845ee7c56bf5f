"""Values over two of the numbers of an observation, the others as at the cursor."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.stage.context import Asker, Context, Question, QuestionError
from engine.stage.grids import gap_of, whole_map
from engine.stage.jobs import Job
from engine.stage.minds import insight_job, liking
from engine.stage.moments import observations_at
from engine.stage.questions.inside_episode import EpisodeArguments, by_whom

SIDE = 48
"""Values along each axis."""
MARGIN = 0.1
"""Of the range that was visited, added on either side."""
NO_NUMBERS = "A slice needs observations of a few numbers; {} shows pictures."
NO_GRID = "Each state of {} stands for itself: no two numbers span a slice of them."
RECURRENT = (
    "A slice needs a network without a memory: what it says here depends on the "
    "whole way to this step."
)


class SliceArguments(EpisodeArguments, frozen=True, kw_only=True):
    """The step at the cursor, and which numbers of the observation vary."""

    t: int
    x: int = 0
    y: int = 1


def _answer(context: Context, arguments: SliceArguments, asker: Asker) -> Job:
    """V(s), gap and greedy action over a grid, and where the agent has been.

    Returns:
      Of a world that is a grid its :func:`whole_map`; of others
      ``x_values`` and ``y_values`` [n]; ``value`` = max_a Q, ``gap`` (best minus
      second best Q, NaN for a single action) and ``action``, [n, n] by (y, x);
      ``visited`` int [n, n], states of the session in each bin of the two numbers;
      ``path_x``, ``path_y`` [T+1] of the episode; ``names``, ``fixed`` (the
      observation at the cursor), ``action_names``, ``checkpoint_step``.
    """
    session, record, weights = yield from by_whom(context, arguments)
    configuration, card = session.configuration, session.card
    _check(card, arguments, recurrent=configuration.network.recurrent != "none")
    steps = len(record["actions"])
    if not 0 <= arguments.t <= steps:
        raise QuestionError(f"There is no step {arguments.t:,} in this episode.")
    if card.cells():
        return (yield from whole_map(context, session, record, weights, arguments.t))
    path = yield from observations_at(context, session, record, range(steps + 1))
    here = np.array(path[arguments.t], np.float64)
    pool = yield from context.pool.judged(context, session, weights)
    seen = np.concatenate([path.reshape(len(path), -1), _flat(pool.states)])
    axes = [_axis(card, seen[:, it], it) for it in (arguments.x, arguments.y)]
    grid = _grid(here, arguments, *axes)
    mind = yield from context.minds.mind(configuration, card)
    said = yield from insight_job(
        mind, weights.step, weights.arrays, grid.astype(card.dtype)
    )
    return _result(card, arguments, axes, said, path, seen) | {
        "fixed": here,
        "checkpoint_step": weights.step,
    }


def _check(
    card: EnvironmentCard, arguments: SliceArguments, *, recurrent: bool
) -> None:
    if card.observation == "image":
        raise QuestionError(NO_NUMBERS.format(card.id))
    if recurrent:
        raise QuestionError(RECURRENT)
    if card.cells():
        return
    if card.observation != "vector":
        raise QuestionError(NO_GRID.format(card.id))
    count = card.shape[0]
    if count < 2:
        raise QuestionError("A slice needs observations of at least two numbers.")
    x, y = arguments.x, arguments.y
    if x == y or not (0 <= x < count and 0 <= y < count):
        raise QuestionError(
            f"Two different numbers of the observation span a slice: 0 to {count - 1}."
        )


def _flat(states: Any) -> np.ndarray:
    found: np.ndarray = states.observations.reshape(len(states), -1)
    return found


def _axis(card: EnvironmentCard, seen: np.ndarray, number: int) -> np.ndarray:
    """Values along an axis: a little more than what was seen, within the bounds."""
    low, high = float(seen.min()), float(seen.max())
    margin = MARGIN * max(high - low, 1e-6)
    low, high = low - margin, high + margin
    if number < len(card.low) and np.isfinite(card.low[number]):
        low = max(low, float(card.low[number]))
    if number < len(card.high) and np.isfinite(card.high[number]):
        high = min(high, float(card.high[number]))
    return np.linspace(low, high, SIDE)


def _grid(
    here: np.ndarray, arguments: SliceArguments, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    grid = np.tile(here, (SIDE * SIDE, 1))
    grid[:, arguments.x] = np.tile(x, SIDE)
    grid[:, arguments.y] = np.repeat(y, SIDE)
    return grid


def _result(
    card: EnvironmentCard,
    arguments: SliceArguments,
    axes: list[np.ndarray],
    said: dict[str, np.ndarray],
    path: np.ndarray,
    seen: np.ndarray,
) -> dict[str, Any]:
    q = said["q"]
    x, y = axes
    return {
        "x_values": x,
        "y_values": y,
        "value": q.max(axis=1).reshape(SIDE, SIDE),
        "gap": gap_of(q).reshape(SIDE, SIDE),
        "action": liking(said).argmax(axis=1).reshape(SIDE, SIDE),
        "visited": _visited(seen[:, arguments.x], seen[:, arguments.y], x, y),
        "path_x": path[:, arguments.x],
        "path_y": path[:, arguments.y],
        "names": list(card.observation_names),
        "action_names": list(card.action_names),
    }


def _visited(
    x: np.ndarray, y: np.ndarray, along_x: np.ndarray, along_y: np.ndarray
) -> np.ndarray:
    """How many of these states lie nearest to each point of the grid, int [n, n]."""
    edges = [_edges(it) for it in (along_y, along_x)]
    counts: np.ndarray = np.histogram2d(y, x, bins=edges)[0]
    return counts.astype(np.int64)


def _edges(values: np.ndarray) -> np.ndarray:
    half = (values[1] - values[0]) / 2
    return np.append(values - half, values[-1] + half)


VALUE_SLICE = Question("value_slice", SliceArguments, _answer)
