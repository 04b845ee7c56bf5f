"""A picture of an observation is that of the step, where that is promised."""

import numpy as np
import pytest

from engine.contract.options import EnvironmentOptions
from engine.environments import make
from engine.stage.posing import Poser

STEPS = 300
SURE = (
    "CartPole-v1",
    "MountainCar-v0",
    "Acrobot-v1",
    "MinAtar/Breakout-v1",
    "MinAtar/SpaceInvaders-v1",
)


@pytest.mark.parametrize("name", SURE)
def test_what_was_seen_is_drawn_as_it_was(name):
    options = EnvironmentOptions(id=name)
    poser, world = Poser(options), make(options, render=True)
    assert poser.is_sure
    rng, ended, seed = np.random.default_rng(0), True, 0
    for _ in range(STEPS):
        if ended:
            seen, seed = world.reset(seed), seed + 1
        np.testing.assert_array_equal(poser.recorded_picture(seen), world.render())
        action = int(rng.integers(world.card.actions))
        seen, _, terminated, truncated, _ = world.step(action)
        ended = terminated or truncated
    world.close()
    poser.close()


def test_of_a_stack_the_single_observation_is_drawn():
    options = EnvironmentOptions(id="MinAtar/Breakout-v1", frame_stack=4)
    poser, world = Poser(options), make(options, render=True)
    seen = world.reset(0)
    np.testing.assert_array_equal(poser.recorded_picture(seen), world.render())
    world.close()


@pytest.mark.parametrize(
    "options",
    [
        EnvironmentOptions(id="RLLab/GridWorld-v0"),
        EnvironmentOptions(id="FrozenLake-v1"),
        EnvironmentOptions(id="LunarLander-v3"),
        EnvironmentOptions(id="CartPole-v1", scale_observations=True),
    ],
)
def test_worlds_that_draw_more_than_is_seen_promise_nothing(options):
    assert not Poser(options).is_sure
