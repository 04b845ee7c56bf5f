"""Steps of an episode are restored exactly, and chance after them is ours."""

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.classic_control import CartPoleEnv

from engine.contract.options import EnvironmentOptions
from engine.environments import make, prove
from engine.environments.restoring import chance_state, draw_anew


@pytest.mark.parametrize(
    ("id", "chance"),
    [
        ("CartPole-v1", "none"),
        ("FrozenLake-v1", "drawn anew"),
        ("RLLab/NoisyTV-v0", "drawn anew"),
    ],
)
def test_a_branch_with_the_recorded_actions_is_the_recording(id, chance):
    found = prove(EnvironmentOptions(id=id), 60)
    assert found.exact
    assert found.chance == chance
    assert "tested over" in found.sentence()


class _Hidden(CartPoleEnv):
    """Somebody else's, which may draw its chance where nobody sees it."""


def test_that_nothing_depends_on_chance_is_claimed_only_where_it_is_known():
    gymnasium.register("Test/Hidden-v0", entry_point=_Hidden)
    try:
        found = prove(EnvironmentOptions(id="Test/Hidden-v0"), 60)
    finally:
        del gymnasium.registry["Test/Hidden-v0"]
    assert (found.exact, found.chance) == (True, "cannot be told")
    assert "As far as can be seen" in found.sentence()


def test_the_same_number_gives_the_same_chance():
    world, other = (make(EnvironmentOptions(id="FrozenLake-v1")) for _ in range(2))
    ways = []
    for number in (3, 3, 4):
        for it in (world, other):
            it.reset(number + 7)
            assert draw_anew(it, number)
        assert chance_state(world) == chance_state(other)
        ways.append([world.step(2)[0].argmax() for _ in range(4)])
    assert ways[0] == ways[1]
    draws = {repr(chance_state(world))}
    draw_anew(world, 5)
    assert repr(chance_state(world)) not in draws
    world.close()
    other.close()
    assert np.shape(ways) == (3, 4)
