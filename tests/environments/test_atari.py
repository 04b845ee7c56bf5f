"""Atari games: what the lab makes of the package, and of its settings without it."""

import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec

from engine.contract.catalogue import find_preset
from engine.contract.options import EnvironmentOptions
from engine.environments import atari, check, describe, make, registered

PRESETS = ("atari-dqn", "atari-rainbow", "atari-qr")
SPEC = EnvSpec(
    "ALE/Pong-v5",
    entry_point="ale_py.env:AtariEnv",
    kwargs={"frameskip": 4, "max_num_frames_per_episode": 108_000},
)


def published():
    return find_preset("atari-dqn").configuration.environment


def test_where_the_lab_skips_frames_the_game_does_not():
    own, ours = EnvironmentOptions(id=SPEC.id), published()
    assert atari.arguments(own) == {}
    assert atari.arguments(ours)["frameskip"] == 1
    assert [atari.frames_per_step(it, SPEC) for it in (own, ours)] == [4, 4]
    named = EnvironmentOptions(id=SPEC.id, frame_skip=4, kwargs={"frameskip": 2})
    assert atari.frames_per_step(named, SPEC) == 8


def test_a_game_knows_its_time_limit_and_its_speed():
    options = EnvironmentOptions(id=SPEC.id)
    assert atari.time_limit(options, SPEC) == 27_000
    assert atari.frame_rate(options, SPEC) == 15


@pytest.mark.parametrize("name", PRESETS)
def test_presets_prepare_pixels_as_published(name):
    of = find_preset(name).configuration.environment
    assert of == published()
    assert of.kwargs == {"repeat_action_probability": 0.0}
    assert (of.frame_skip, of.frame_max, of.frame_stack) == (4, True, 4)
    assert (of.grayscale, of.image_size, of.no_op_start) == (True, 84, 30)
    assert of.clip_rewards
    assert of.life_loss_ends
    assert of.time_limit * of.frame_skip == 108_000


@pytest.mark.parametrize("name", PRESETS)
def test_presets_learn_with_the_published_network_and_memory(name):
    of = find_preset(name).configuration
    assert of.network.conv_layers() == [(32, 8, 4), (64, 4, 2), (64, 3, 1)]
    assert of.network.hidden == (512,)
    assert (of.replay.capacity, of.agent.batch_size) == (1_000_000, 32)
    assert of.agent.updates_per_step == 0.25
    assert of.training.steps * of.environment.frame_skip == 200_000_000


def test_without_the_package_a_game_says_how_to_install_it():
    card = describe(EnvironmentOptions(id=SPEC.id))
    row = next(it for it in registered() if it.id == SPEC.id)
    assert row.suits == card.suits
    if not card.suits:
        assert "ale_py" in card.reason
        assert card.install == row.install == find_preset("atari-dqn").install


def test_a_real_game_is_what_its_preset_says():
    pytest.importorskip("ale_py", reason="Atari games are not installed")
    card = describe(published())
    assert (card.shape, card.dtype, card.actions) == ((84, 84, 4), "uint8", 6)
    assert card.action_names[:3] == ("no-op", "fire", "right")
    assert (card.max_episode_steps, card.frame_rate) == (27_000, 15)
    first, again = make(published()), make(published())
    for environment in (first, again):
        environment.reset(5)
    actions = np.random.default_rng(0).integers(6, size=60)
    for action in actions:
        np.testing.assert_equal(first.step(int(action)), again.step(int(action)))


def test_a_real_game_is_put_back_to_a_step_with_its_picture():
    pytest.importorskip("ale_py", reason="Atari games are not installed")
    first, other = (make(published(), render=True) for _ in range(2))
    first.reset(5)
    other.reset(6)
    for action in range(30):
        first.step(action % 6)
    snapshot, picture = first.snapshot(), first.render()
    wanted = [first.step(it % 6) for it in range(30)]
    other.put_back(snapshot)
    np.testing.assert_array_equal(other.render(), picture)
    np.testing.assert_equal([other.step(it % 6) for it in range(30)], wanted)
    np.testing.assert_array_equal(other.render(), first.render())


def test_a_game_that_repeats_actions_at_random_is_played_again_instead():
    pytest.importorskip("ale_py", reason="Atari games are not installed")
    assert make(published()).has_snapshots
    assert not make(EnvironmentOptions(id=SPEC.id)).has_snapshots


@pytest.mark.slow
def test_checking_a_game_says_what_fits():
    pytest.importorskip("ale_py", reason="Atari games are not installed")
    report = check(SPEC.id)
    assert report.suits
    assert report.exact
    assert any("truncated after 27,000 steps" in it for it in report.lines)
    assert any("atari-dqn" in it for it in report.lines)
