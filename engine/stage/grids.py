"""Worlds that are grids: where steps are taken, exact values, a whole map."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from engine.contract.grid_layouts import GOAL, PIT, WALL, read_layout
from engine.contract.options import Configuration, EnvironmentOptions
from engine.environments.reachable import exact_values, where_it_acts
from engine.stage.archive import Session
from engine.stage.context import Context
from engine.stage.episodes import Weights
from engine.stage.jobs import Wish
from engine.stage.minds import insight_job, liking
from engine.stage.moments import observations_at

GRID_WORLD = "RLLab/GridWorld-v0"
NO_ACTION = "–"
"""Stands in a cell in which no step is ever taken."""


def whole_map(
    context: Context,
    session: Session,
    record: Mapping[str, Any],
    weights: Weights,
    t: int,
) -> Generator[Wish, Any, dict[str, Any]]:
    """Every cell by these weights, with the way of an episode through them.

    Returns:
      Of n cells ``place`` (row, column) [n, 2], ``state`` [n], ``value`` = max_a Q,
      ``gap`` (best minus second best Q, NaN for a single action), ``action`` and
      ``acts`` (False where no step is ever taken), ``marks`` (:func:`marks_of`),
      ``visited`` (states of the session
      that were seen here), and, where the world can be solved, ``exact`` V* and
      ``error``, value - exact, [n]. ``path`` [T+1] are the cells of the episode, -1
      beside the grid, ``here`` that of step t; ``action_names``, ``checkpoint_step``.
    """
    configuration, card = session.configuration, session.card
    cells = card.cells()
    states, count = np.array(list(cells)), card.shape[0]
    steps = len(record["actions"])
    way = yield from observations_at(context, session, record, range(steps + 1))
    pool = yield from context.pool.judged(context, session, weights)
    mind = yield from context.minds.mind(configuration, card)
    every = np.eye(count, dtype=card.dtype)[states]
    said = yield from insight_job(mind, weights.step, weights.arrays, every)
    known = solved(configuration, states, count, said["q"].max(axis=1))
    cell_of = np.full(count, -1)
    cell_of[states] = np.arange(len(states))
    path = cell_of[way.argmax(axis=1)]
    met = np.bincount(pool.states.observations.argmax(axis=1), minlength=count)
    acts = acts_in(configuration.environment, count)[states]
    return {
        "place": np.array(list(cells.values())),
        "state": states,
        "gap": gap_of(said["q"]),
        "action": liking(said).argmax(axis=1),
        "acts": acts,
        "marks": marks_of(configuration.environment, states, acts),
        "visited": met[states] + np.bincount(path[path >= 0], minlength=len(states)),
        "path": path,
        "here": int(path[t]),
        "action_names": list(card.action_names),
        "checkpoint_step": weights.step,
        **known,
    }


def solved(
    configuration: Configuration, states: np.ndarray, count: int, value: np.ndarray
) -> dict[str, np.ndarray]:
    """``value``, and ``exact`` and ``error`` where the world can be solved, [n]."""
    exact = exact_in(configuration, count)
    if exact is None:
        return {"value": value}
    return {"value": value, "exact": exact[states], "error": value - exact[states]}


def marks_of(
    world: EnvironmentOptions, states: np.ndarray, acts: np.ndarray
) -> list[str]:
    """What each of these cells is, where it is not one to act in; else "".

    Walls, goals and pits of GridWorld; elsewhere cells without any action.
    """
    plain = ["" if it else NO_ACTION for it in acts.tolist()]
    if world.id != GRID_WORLD:
        return plain
    try:
        rows = "".join(read_layout(str(world.kwargs.get("layout", "garden"))).rows)
    except ValueError:
        # A layout of a newer RL Lab; where nobody acts is known all the same.
        return plain
    fits = [rows[it : it + 1] for it in states.tolist()]
    return [it if it and it in WALL + GOAL + PIT else "" for it in fits]


def gap_of(q: np.ndarray) -> np.ndarray:
    """Best minus second best Q of each row, float [n]; NaN for a single action."""
    if q.shape[1] < 2:
        return np.full(len(q), np.nan)
    ordered = np.sort(q, axis=1)
    gap: np.ndarray = ordered[:, -1] - ordered[:, -2]
    return gap


def acts_in(options: EnvironmentOptions, states: int) -> np.ndarray:
    """States from which a step is ever taken, bool [states]."""
    return _acts_by_text(options.model_dump_json(), states)


def exact_in(configuration: Configuration, states: int) -> np.ndarray | None:
    """V* of each state by the discount of the options, float64; None if unknown."""
    options, discount = configuration.environment, configuration.agent.discount
    return _exact_by_text(options.model_dump_json(), states, discount)


@lru_cache(maxsize=4)
def _acts_by_text(options: str, states: int) -> np.ndarray:
    """The options as text can be a key."""
    return where_it_acts(EnvironmentOptions.model_validate_json(options), states)


@lru_cache(maxsize=4)
def _exact_by_text(options: str, states: int, discount: float) -> np.ndarray | None:
    world = EnvironmentOptions.model_validate_json(options)
    return exact_values(world, states, discount)
