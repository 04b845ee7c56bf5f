"""In which states of a world that is a table an agent ever acts."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.contract.options import EnvironmentOptions
from engine.environments.making import open_world
from engine.environments.worlds.world import TabularWorld

STARTS = 20
"""Episodes that are begun to see where they begin."""


def where_it_acts(options: EnvironmentOptions, states: int) -> np.ndarray:
    """States from which a step can be taken, bool [states].

    All are, where the world has no tables. Others are those in which an episode has
    ended, walls, and what no way leads to: no value is ever learned there.
    """
    env = open_world(options, render=False)
    try:
        tables = _tables(env.unwrapped, states)
        if tables is None:
            return np.ones(states, bool)
        leads, over = tables
        starts = {int(env.reset(seed=seed)[0]) for seed in range(STARTS)}
    finally:
        env.close()
    return _reached(leads, over, starts)


def _tables(world: Any, states: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Whether a state leads to another, bool [S, S], and where an episode is over."""
    if isinstance(world, TabularWorld):
        model = world.model()
        leads: np.ndarray = np.any(model.transition > 0, axis=1)
        return (leads, model.terminated) if len(leads) == states else None
    table = getattr(world, "P", None)  # as gymnasium's toy worlds have it
    if not isinstance(table, dict) or len(table) != states:
        return None
    leads, over = np.zeros((states, states), bool), np.zeros(states, bool)
    for state, of_actions in table.items():
        for outcomes in of_actions.values():
            for probability, following, _, terminated in outcomes:
                leads[state, following] |= probability > 0
                over[following] |= bool(terminated)
    return leads, over


def _reached(leads: np.ndarray, over: np.ndarray, starts: set[int]) -> np.ndarray:
    acts = np.zeros(len(over), bool)
    waiting = list(starts)
    while waiting:
        state = waiting.pop()
        if acts[state] or over[state]:
            continue
        acts[state] = True
        waiting.extend(np.flatnonzero(leads[state]).tolist())
    return acts
