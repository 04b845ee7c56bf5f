"""What every suitable environment does, and what only some can."""

import time

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from suitable import suitable_ids

from engine.contract.options import EnvironmentOptions
from engine.environments import (
    ReplayMismatch,
    cards,
    describe,
    make,
    observation_crc,
    replay_episode,
)

SUITABLE = suitable_ids()


def play(environment, seed, steps=60):
    """Observations and rewards of one episode with random actions."""
    rng = np.random.default_rng(seed)
    observations, rewards = [environment.reset(seed)], []
    actions = rng.integers(environment.card.actions, size=steps)
    for action in actions:
        observation, _, terminated, truncated, reward = environment.step(int(action))
        observations.append(observation)
        rewards.append(reward)
        if terminated or truncated:
            break
    return observations, rewards, actions[: len(rewards)]


@pytest.mark.parametrize("id", SUITABLE)
def test_observations_keep_their_type_and_shape(id):
    environment = make(EnvironmentOptions(id=id))
    observations, _, _ = play(environment, 5)
    for observation in observations:
        assert observation.dtype == environment.frame_dtype
        assert observation.shape == environment.frame_shape == environment.card.shape
    assert observations[0] is not observations[-1]
    environment.close()


@pytest.mark.parametrize("id", SUITABLE)
def test_an_episode_follows_from_its_seed_and_actions(id):
    """In a fresh environment, after other episodes, and while it is drawn."""
    options = EnvironmentOptions(id=id)
    environment = make(options)
    observations, rewards, actions = play(environment, 7)
    play(environment, 8)
    again, rewards_again, _ = play(environment, 7)
    np.testing.assert_array_equal(observations, again)
    assert rewards == rewards_again
    environment.close()
    crcs = [observation_crc(it) for it in observations]
    replayed = [it for _, it in replay_episode(options, 7, actions, expected=crcs)]
    np.testing.assert_array_equal(observations, replayed)


@pytest.mark.parametrize("id", SUITABLE)
def test_every_environment_draws_without_a_display(id):
    environment = make(EnvironmentOptions(id=id), render=True)
    observations = play(environment, 3, steps=5)[0]
    frame = environment.render()
    assert frame.dtype == np.uint8
    assert frame.ndim == 3
    assert frame.shape[2] == 3
    assert min(frame.shape[:2]) >= 160
    assert frame.std() > 0
    silent = make(EnvironmentOptions(id=id))
    np.testing.assert_array_equal(play(silent, 3, steps=5)[0], observations)
    environment.close()


def test_an_environment_that_was_not_asked_to_draw_says_so():
    environment = make(EnvironmentOptions())
    environment.reset(0)
    with pytest.raises(RuntimeError, match="render=True"):
        environment.render()


def test_a_replay_that_differs_is_noticed_at_that_step():
    environment = make(EnvironmentOptions())
    observations, _, actions = play(environment, 1)
    crcs = [observation_crc(it) for it in observations]
    actions[3] = 1 - actions[3]
    seen: list[int] = []
    replayed = replay_episode(EnvironmentOptions(), 1, actions, expected=crcs)
    with pytest.raises(ReplayMismatch, match=r"step 4 .* seed 1"):
        seen.extend(t for t, _ in replayed)
    assert seen == [0, 1, 2, 3]


def test_the_time_limit_truncates():
    environment = make(EnvironmentOptions(id="MountainCar-v0", time_limit=7))
    assert environment.card.max_episode_steps == 7
    environment.reset(0)
    ends = [environment.step(0)[2:4] for _ in range(7)]
    assert ends == [(False, False)] * 6 + [(False, True)]
    environment.reset(1)
    assert environment.step(0)[2:4] == (False, False)


def test_an_end_at_the_time_limit_is_an_end():
    options = EnvironmentOptions(
        id="RLLab/GridWorld-v0", kwargs={"layout": "SG"}, time_limit=1
    )
    environment = make(options)
    environment.reset(0)
    assert environment.step(1)[1:] == (1.0, True, False, 1.0)


def test_clipped_rewards_keep_the_raw_one():
    options = EnvironmentOptions(
        id="RLLab/GridWorld-v0",
        kwargs={"layout": "S.G", "step_reward": -0.25},
        clip_rewards=True,
    )
    environment = make(options)
    environment.reset(0)
    assert environment.step(1)[1::3] == (-1.0, -0.25)


def test_scaled_observations_lie_between_minus_one_and_one():
    options = EnvironmentOptions(id="MountainCar-v0", scale_observations=True)
    card = describe(options)
    assert (card.low, card.high) == ((-1.0, -1.0), (1.0, 1.0))
    plain = make(EnvironmentOptions(id="MountainCar-v0")).reset(4)
    scaled = make(options).reset(4)
    expected = [(plain[0] + 0.3) / 0.9, plain[1] / 0.07]
    np.testing.assert_allclose(scaled, expected, rtol=1e-5)


def test_elements_without_bounds_are_not_scaled():
    card = describe(EnvironmentOptions(scale_observations=True))
    assert card.low[0] == -1
    assert card.low[1] == -np.inf
    plain = make(EnvironmentOptions()).reset(4)
    scaled = make(EnvironmentOptions(scale_observations=True)).reset(4)
    assert scaled[1] == plain[1]
    np.testing.assert_allclose(scaled[0], plain[0] / 4.8, rtol=1e-6)


def test_discrete_states_are_one_hot():
    environment = make(EnvironmentOptions(id="FrozenLake-v1"))
    first = environment.reset(0)
    assert environment.card.observation == "onehot"
    assert first.tolist() == [1.0] + [0.0] * 15
    assert environment.card.observation_names[7] == "row 1, column 3"


def test_images_are_resized_and_gray():
    options = EnvironmentOptions(
        id="CarRacing-v3",
        kwargs={"continuous": False},
        image_size=24,
        grayscale=True,
        frame_stack=3,
    )
    assert describe(options).shape == (24, 24, 3)
    environment = make(options)
    small = environment.reset(0)
    assert small.shape == (24, 24, 1)
    assert small.dtype == np.uint8
    environment.close()


def test_minatar_shows_bit_planes():
    pytest.importorskip("minatar", exc_type=ImportError)
    card = describe(EnvironmentOptions(id="MinAtar/Breakout-v1"))
    assert (card.shape, card.dtype, card.high) == ((10, 10, 4), "uint8", (1.0,))
    assert card.action_names == ("no-op", "left", "right")
    frame = make(EnvironmentOptions(id="MinAtar/Breakout-v1")).reset(0)
    assert set(np.unique(frame)) == {0, 1}


def test_a_step_of_cartpole_is_cheap():
    """The lab's own share of a step stays below 10 µs, even on a busy machine."""
    environment = make(EnvironmentOptions())
    bare = gymnasium.make("CartPole-v1").unwrapped
    bare.reset(seed=0)

    def seconds(step):
        environment.reset(0)
        bare.reset(seed=0)
        start = time.process_time()
        for action in (0, 1) * 10:
            step(action)
        return time.process_time() - start

    ours = min(seconds(environment.step) for _ in range(50))
    theirs = min(seconds(bare.step) for _ in range(50))
    assert (ours - theirs) / 20 < 10e-6


class _Strange(gymnasium.Env):
    """Actions that do not start at 0, integers that must not wrap, no drawing."""

    observation_space = spaces.Box(-9, 9, (2, 2), np.int32)
    action_space = spaces.Discrete(2, start=5)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.arange(4, dtype=np.int32).reshape(2, 2), {}

    def step(self, action):
        return np.full((2, 2), action, np.int32), 0.0, False, False, {}


@pytest.fixture
def strange():
    gymnasium.register("Test/Strange-v0", entry_point=_Strange)
    yield EnvironmentOptions(id="Test/Strange-v0")
    del gymnasium.registry["Test/Strange-v0"]


def test_somebody_elses_environment_works_as_it_is(strange):
    environment = make(strange, render=True)
    assert environment.reset(0).tolist() == [0, 1, 2, 3]
    assert environment.step(1)[0].tolist() == [6, 6, 6, 6]
    assert environment.card.action_names == ("action 0", "action 1")
    assert environment.render().shape == (400, 400, 3)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (spaces.Dict({"a": spaces.Discrete(2)}), "a dictionary of several parts"),
        (spaces.Text(5), "text"),
        (spaces.Discrete(10**6), "1,000,000 discrete states"),
        (spaces.Box(0, 1, (200, 200)), "40,000 numbers"),
    ],
)
def test_observations_that_no_network_reads_are_refused(space, words):
    class Odd(_Strange):
        observation_space = space

    gymnasium.register("Test/Odd-v0", entry_point=Odd)
    try:
        cards._describe.cache_clear()
        assert words in describe(EnvironmentOptions(id="Test/Odd-v0")).reason
    finally:
        del gymnasium.registry["Test/Odd-v0"]
