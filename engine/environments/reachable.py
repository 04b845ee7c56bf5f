"""What the tables of a small world tell: where an agent ever acts, exact values."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.contract.options import EnvironmentOptions
from engine.environments.making import open_world
from engine.environments.worlds.tabular import TabularMDP
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
        model = _model(env.unwrapped, states)
        if model is None:
            return np.ones(states, bool)
        starts = {int(env.reset(seed=seed)[0]) for seed in range(STARTS)}
    finally:
        env.close()
    return _reached(np.any(model.transition > 0, axis=1), model.terminated, starts)


def exact_values(
    options: EnvironmentOptions, states: int, discount: float
) -> np.ndarray | None:
    """V* of each state, float64 [states], time limits aside; None where unknown.

    It is unknown where the world has no tables, where no finite solution exists, and
    where the agent learns from the signs of the rewards.
    """
    if options.clip_rewards:
        return None
    env = open_world(options, render=False)
    try:
        model = _model(env.unwrapped, states)
    finally:
        env.close()
    if model is None:
        return None
    try:
        return model.solve(discount).values
    except ValueError:
        return None


def _model(world: Any, states: int) -> TabularMDP | None:
    """The tables of our own worlds, and of gymnasium's toy worlds."""
    if isinstance(world, TabularWorld):
        model = world.model()
        return model if len(model.reward) == states else None
    table = getattr(world, "P", None)
    if not isinstance(table, dict) or len(table) != states:
        return None
    actions = max(map(len, table.values()))
    transition = np.zeros((states, actions, states))
    reward, over = np.zeros((states, actions)), np.zeros(states, bool)
    for state, of_actions in table.items():
        for action, outcomes in of_actions.items():
            for probability, following, gain, terminated in outcomes:
                transition[state, action, following] += probability
                reward[state, action] += probability * float(gain)
                over[following] |= bool(terminated)
    return TabularMDP(transition, reward, over)


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
