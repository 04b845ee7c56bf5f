"""An environment that is put back to a step goes on as it did, to the last pixel."""

import numpy as np
import pytest
from suitable import suitable_ids

from engine.contract.options import EnvironmentOptions
from engine.environments import make

SUITABLE = suitable_ids()
STEPS, STRIDE = 30, 11
WITHOUT = ("LunarLander-v3", "ALE/", "MiniGrid", "BabyAI")
"""Worlds that keep what they are where no copy can be made of it."""


def went_on(world, actions):
    """Observations, rewards and ends of these actions, and the picture behind them."""
    trace = []
    for action in actions:
        observation, _, terminated, truncated, reward = world.step(action)
        trace.append((observation.tobytes(), reward, terminated, truncated))
        if terminated or truncated:
            break
    return trace, world.render()


@pytest.mark.parametrize("id", SUITABLE)
def test_what_is_put_back_is_the_same_and_goes_on_alike(id):
    options = EnvironmentOptions(id=id)
    first = make(options, render=True)
    assert first.has_snapshots == (not id.startswith(WITHOUT))
    if not first.has_snapshots:
        first.close()
        return
    other = make(options, render=True)
    first.reset(3)
    other.reset(4)
    actions = np.random.default_rng(0).integers(first.card.actions, size=STEPS).tolist()
    for t in range(0, STEPS, STRIDE):
        snapshot, picture = first.snapshot(), first.render()
        trace, last = went_on(first, actions[t:])
        for _ in range(2):  # a copy that is played on from stays what it is
            other.put_back(snapshot)
            np.testing.assert_array_equal(other.render(), picture)
            again, same = went_on(other, actions[t:])
            assert again == trace
            np.testing.assert_array_equal(same, last)
        first.put_back(snapshot)
        moved, _ = went_on(first, actions[t : t + STRIDE])
        if any(moved[-1][2:]):
            break
    first.close()
    other.close()
