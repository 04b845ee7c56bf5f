"""A lost life ends the return for learning, and nothing else."""

import numpy as np
import pixel_game
import pytest

from engine.contract.arrays import state_hash
from engine.training.offline import experiences

STEPS_PER_LIFE = pixel_game.FRAMES_PER_LIFE // 4
GAME_STEPS = pixel_game.LIVES * STEPS_PER_LIFE
OPTIONS = {
    "environment__id": pixel_game.ID,
    "environment__kwargs": {"gives_up": False},
    "environment__frame_skip": 4,
    "environment__frame_stack": 2,
    "environment__clip_rewards": True,
    "environment__life_loss_ends": True,
    "network__conv": "2x5x5",
    "training__compile": "never",
}


@pytest.fixture(autouse=True, scope="module")
def _known():
    with pixel_game.known():
        yield


def test_an_episode_and_its_return_are_those_of_the_whole_game(make):
    loop = make(**OPTIONS)
    loop.advance(steps=GAME_STEPS)
    (episode,) = loop.drain().finished
    assert episode.length == GAME_STEPS
    assert episode.episode_return == sum(range(1, 4 * GAME_STEPS + 1))
    assert episode.terminated


def test_the_record_says_where_lives_were_lost(make):
    loop = make(**OPTIONS)
    loop.advance(steps=GAME_STEPS)
    (record,) = loop.drain().episodes
    lost = np.flatnonzero(record["life_lost"]).tolist()
    assert lost == [STEPS_PER_LIFE - 1, 2 * STEPS_PER_LIFE - 1]
    assert np.flatnonzero(record["terminations"]).tolist() == [GAME_STEPS - 1]
    without = make(**OPTIONS | {"environment__life_loss_ends": False})
    without.advance(steps=GAME_STEPS)
    assert "life_lost" not in without.drain().episodes[0]


def test_who_learns_from_the_record_learns_of_lost_lives_too(make):
    loop = make(**OPTIONS)
    loop.advance(steps=GAME_STEPS)
    (record,) = loop.drain().episodes
    options = loop.configuration.environment
    lived = list(experiences(loop.agent, record, options))[1:]
    assert [it.life_lost for it in lived] == record["life_lost"].tolist()


def test_windows_end_with_a_life_and_stacks_reach_across(make):
    loop = make(**OPTIONS)
    loop.advance(steps=GAME_STEPS)
    streams = loop.agent.memory.streams
    first = np.arange(GAME_STEPS)
    reward, discount, following = streams.windows(first, 2, 0.5)
    last_of_life = (first + 1) % STEPS_PER_LIFE == 0
    np.testing.assert_array_equal(streams.terminated[first], last_of_life)
    np.testing.assert_array_equal(reward, np.where(last_of_life, 1.0, 1.5))
    ends = last_of_life | ((first + 2) % STEPS_PER_LIFE == 0)
    np.testing.assert_array_equal(discount, np.where(ends, 0.0, 0.25))
    np.testing.assert_array_equal(following - first, np.where(last_of_life, 1, 2))
    # Every fourth frame is an even one, which is shown in red.
    stacks = streams.observations(first)[:, 0, 0]
    np.testing.assert_array_equal(stacks[:, 3], 4 * first)
    np.testing.assert_array_equal(stacks[:, 0], 4 * np.maximum(first - 1, 0))


def test_single_steps_of_corrected_windows_end_with_a_life_too(make):
    loop = make(**OPTIONS, agent__n_step=3, agent__n_step_correction="retrace")
    loop.advance(steps=GAME_STEPS)
    memory = loop.agent.memory
    batch = memory.sample(64, 0.5, 1.0)
    steps_left = STEPS_PER_LIFE - batch.slots % STEPS_PER_LIFE
    counted = np.minimum(steps_left, 3)
    np.testing.assert_array_equal(batch.windows.reward.sum(1), counted)
    np.testing.assert_array_equal(batch.windows.last.argmax(1), counted - 1)


@pytest.mark.parametrize("mode", ["alternate", "synchronized"])
def test_a_run_that_is_cut_between_two_lives_goes_on_exactly(make, mode):
    options = OPTIONS | {"training__mode": mode, "training__refresh": 10}
    whole, cut, resumed = (make(**options) for _ in range(3))
    whole.advance(steps=80)
    cut.advance(steps=34)
    log = cut.drain().replay
    resumed.restore(cut.state(), log)
    resumed.advance(steps=46)
    assert state_hash(resumed.state()) == state_hash(whole.state())
