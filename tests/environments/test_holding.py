"""Held actions, brighter frames, beginnings, lives: as published for Atari games."""

import numpy as np
import pixel_game
import pytest

from engine.contract.catalogue import check_combination
from engine.contract.options import (
    ConfigurationError,
    EnvironmentOptions,
    configuration_from_flat,
)
from engine.environments import describe, make, observation_crc, replay_episode


@pytest.fixture(autouse=True, scope="module")
def _known():
    with pixel_game.known():
        yield


def game(**options):
    return make(EnvironmentOptions(id=pixel_game.ID, **options))


def shown(observation):
    """Numbers of the frames that a screen shows: red, green."""
    return int(observation[0, 0, 0]), int(observation[0, 0, 1])


def test_an_action_is_held_and_its_rewards_are_added_up():
    environment = game(frame_skip=4)
    environment.reset(0)
    observation, _, terminated, _, reward = environment.step(1)
    assert shown(observation) == (4, 0)
    assert (reward, terminated) == (1 + 2 + 3 + 4, False)
    assert environment.step(1)[4] == 5 + 6 + 7 + 8


def test_a_game_that_ends_is_not_held_any_longer():
    environment = game(frame_skip=4)
    environment.reset(0)
    observation, _, terminated, truncated, reward = environment.step(2)
    assert shown(observation) == (0, 1)
    assert (reward, terminated, truncated) == (1.0, True, False)


def test_the_brighter_of_the_last_two_frames_is_seen():
    environment = game(frame_skip=4, frame_max=True)
    environment.reset(0)
    assert shown(environment.step(1)[0]) == (4, 3)
    assert shown(environment.step(1)[0]) == (8, 7)


def test_a_game_that_ends_with_its_first_frame_shows_that_one():
    environment = game(frame_skip=4, frame_max=True)
    environment.reset(0)
    environment.step(1)
    assert shown(environment.step(2)[0]) == (0, 5)


def test_brighter_frames_need_frames_that_are_skipped():
    flat = {"environment.id": pixel_game.ID, "environment.frame_max": True}
    configuration = configuration_from_flat(flat)
    card = describe(configuration.environment)
    with pytest.raises(ConfigurationError, match=r"set environment\.frame_skip to 2"):
        check_combination(configuration, card)


def test_what_is_no_image_has_no_brighter_frame():
    card = describe(EnvironmentOptions(frame_skip=4, frame_max=True))
    assert not card.suits
    assert "no images" in card.reason


def test_episodes_begin_with_a_number_of_no_ops_that_follows_from_the_seed():
    environment = game(no_op_start=30)
    begun = [max(shown(environment.reset(seed))) for seed in range(200)]
    assert (min(begun), max(begun)) == (1, 30)
    assert len(set(begun)) == 30
    assert [max(shown(environment.reset(seed))) for seed in range(200)] == begun


def test_an_episode_that_begins_with_no_ops_is_played_again_from_its_seed():
    options = EnvironmentOptions(
        id=pixel_game.ID, no_op_start=30, frame_skip=2, frame_max=True
    )
    environment = make(options)
    seen = [environment.reset(7), environment.step(1)[0], environment.step(0)[0]]
    crcs = [observation_crc(it) for it in seen]
    again = [it for _, it in replay_episode(options, 7, [1, 0], expected=crcs)]
    np.testing.assert_array_equal(seen, again)


def test_a_game_that_no_ops_have_ended_begins_anew():
    environment = game(no_op_start=1000)
    longest = pixel_game.LIVES * pixel_game.FRAMES_PER_LIFE
    assert all(max(shown(environment.reset(seed))) < longest for seed in range(50))


def test_a_lost_life_is_told_where_it_counts_and_the_game_goes_on():
    environment = game(frame_skip=4, life_loss_ends=True)
    environment.reset(0)
    steps = []
    for _ in range(9):
        _, _, terminated, truncated, _ = environment.step(1)
        steps.append((environment.life_lost, terminated, truncated))
    lost = [it for it, (life, _, _) in enumerate(steps) if life]
    assert lost == [2, 5]
    assert steps[8] == (False, True, False)
    assert not any(ended or cut for _, ended, cut in steps[:8])
    environment.reset(1)
    assert not environment.life_lost


def test_lives_do_not_count_unless_asked_for():
    environment = game(frame_skip=4)
    environment.reset(0)
    for _ in range(5):
        environment.step(1)
        assert not environment.life_lost


def test_a_life_lost_at_the_time_limit_does_not_hide_it():
    environment = game(life_loss_ends=True, time_limit=12)
    environment.reset(0)
    steps = [environment.step(1) for _ in range(12)]
    assert steps[-1][2:4] == (False, True)
    assert not environment.life_lost


def test_the_agent_learns_from_signs_and_returns_are_whole():
    environment = game(frame_skip=4, clip_rewards=True)
    environment.reset(0)
    _, reward, _, _, raw = environment.step(1)
    assert (reward, raw) == (1.0, 10.0)


def test_images_are_gray_and_small_and_stacked_as_published():
    options = EnvironmentOptions(
        id=pixel_game.ID,
        frame_skip=4,
        frame_max=True,
        grayscale=True,
        image_size=84,
        frame_stack=4,
    )
    card = describe(options)
    assert (card.shape, card.dtype) == ((84, 84, 4), "uint8")
    assert card.action_names == ("no-op", "up right fire", "down")
    environment = make(options)
    assert environment.frame_shape == (84, 84, 1)
    environment.reset(0)
    for _ in range(5):
        observation = environment.step(1)[0]
    # Frame 19 in red and 20 in green: 0.299 R + 0.587 G.
    assert observation[40, 40, 0] == round(0.299 * 19 + 0.587 * 20)


def test_held_actions_slow_the_picture_down_to_the_speed_of_the_game():
    usual, held = (describe(EnvironmentOptions(frame_skip=it)) for it in (0, 5))
    assert held.frame_rate == usual.frame_rate // 5
