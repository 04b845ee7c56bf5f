"""What every world of our own must do."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from engine.contract.catalogue import RESOURCES
from engine.contract.options import EnvironmentOptions
from engine.environments import check, describe, make, observation_crc, replay_episode

CASES = [
    ("GridWorld", {}),
    ("Cliff", {}),
    ("Corridor", {}),
    ("Corridor", {"actions": 20, "length": 38, "height": 15}),
    ("MaximizationBias", {}),
    ("MaximizationBias", {"actions": 100, "mean": 10.0, "spread": 0.0}),
    ("DeepSea", {}),
    ("DeepSea", {"size": 2}),
    ("TMaze", {}),
    ("TMaze", {"length": 60, "walking": False, "noise": 1.0}),
    ("Tiger", {}),
    ("Tiger", {"horizon": 20, "accuracy": 0.99}),
    ("Catch", {}),
    ("Catch", {"rows": 3, "columns": 15}),
    ("Baird", {}),
    ("Baird", {"features": False, "twins": False}),
    ("TwoState", {}),
    ("TwoState", {"features": False, "end": 0.5}),
    ("NoisyTV", {}),
    ("NoisyTV", {"tv": False, "dots": 8}),
]
NAMES = sorted({name for name, _ in CASES})
EACH = pytest.mark.parametrize(("name", "kwargs"), CASES)


def options(name, kwargs):
    return EnvironmentOptions(id=f"RLLab/{name}-v0", kwargs=kwargs)


def played(environment, seed, actions):
    """Fingerprints of the observations, rewards and the end of an episode."""
    trace = [observation_crc(environment.reset(seed))]
    for action in actions:
        observation, reward, terminated, truncated, _ = environment.step(action)
        trace += [observation_crc(observation), reward, terminated, truncated]
        if terminated or truncated:
            break
    return trace


def test_every_registered_world_is_tested_here():
    ours = {id[6:-3] for id in gymnasium.registry if id.startswith("RLLab/")}
    assert set(NAMES) <= ours
    registered_by_us = {
        id[6:-3]
        for id, spec in gymnasium.registry.items()
        if str(spec.entry_point).startswith("engine.environments.worlds.")
    }
    assert registered_by_us == set(NAMES)


@EACH
def test_gymnasiums_checker_has_nothing_to_say(name, kwargs):
    world = gymnasium.make(f"RLLab/{name}-v0", **kwargs).unwrapped
    check_env(world, skip_render_check=True)


@EACH
def test_an_episode_is_its_seed_and_its_actions(name, kwargs):
    one, other = make(options(name, kwargs)), make(options(name, kwargs), render=True)
    actions = np.random.default_rng(5).integers(one.card.actions, size=60)
    first = played(one, 3, actions)
    assert played(one, 4, actions)[0] is not None
    other.reset(8)
    other.render()
    assert played(one, 3, actions) == first == played(other, 3, actions)


@EACH
def test_a_recorded_episode_verifies(name, kwargs):
    world = make(options(name, kwargs))
    actions = np.random.default_rng(1).integers(world.card.actions, size=40)
    crcs = [observation_crc(world.reset(9))]
    for action in actions:
        observation, _, terminated, truncated, _ = world.step(action)
        crcs.append(observation_crc(observation))
        if terminated or truncated:
            break
    done = actions[: len(crcs) - 1]
    again = replay_episode(options(name, kwargs), 9, done, expected=crcs)
    assert [t for t, _ in again] == list(range(len(crcs)))


@EACH
def test_it_draws_itself_at_any_time(name, kwargs):
    world = make(options(name, kwargs), render=True)
    rng = np.random.default_rng(0)
    world.reset(0)
    shapes, pictures = set(), []
    for _ in range(12):
        picture = world.render()
        assert picture.dtype == np.uint8
        shapes.add(picture.shape)
        pictures.append(picture)
        _, _, terminated, truncated, _ = world.step(rng.integers(world.card.actions))
        if terminated or truncated:
            pictures.append(world.render())
            world.reset(1)
    assert len(shapes) == 1
    height, width, _ = shapes.pop()
    assert 150 <= height <= 600
    assert 250 <= width <= 600
    assert len(np.unique(pictures[0][::3, ::3].reshape(-1, 3), axis=0)) > 20
    assert any((picture != pictures[0]).any() for picture in pictures[1:])


@EACH
def test_its_card_has_words(name, kwargs):
    card = describe(options(name, kwargs))
    assert card.suits
    assert card.max_episode_steps > 0
    assert 2 <= card.frame_rate <= 8
    numbered = ("x0", "state 0", "action 2")
    words = (*card.action_names, *card.observation_names)
    assert not any(word.startswith(numbered) for word in words)
    assert len(set(card.action_names)) == card.actions


@pytest.mark.parametrize("name", NAMES)
def test_the_check_finds_it_exact(name):
    report = check(f"RLLab/{name}-v0")
    assert report.suits
    assert report.exact


@pytest.mark.parametrize("name", NAMES)
def test_it_has_an_icon(name):
    icon = (RESOURCES / "icons" / f"world-{name.lower()}.svg").read_text()
    assert 'viewBox="0 0 24 24"' in icon
    assert "currentColor" in icon


def test_a_world_without_an_end_is_truncated():
    world = make(options("Baird", {}))
    world.reset(0)
    ends = [world.step(0)[2:4] for _ in range(100)]
    assert ends[-1] == (False, True)
    assert set(ends[:-1]) == {(False, False)}


@pytest.mark.parametrize(
    ("name", "kwargs", "sentence"),
    [
        ("Corridor", {"actions": 7}, "actions is 5, 10 or 20, not 7."),
        ("Corridor", {"actions": "5"}, "actions is 5, 10 or 20, not '5'."),
        ("Corridor", {"length": 0}, "length is a whole number from 1 to 38, not 0."),
        ("Corridor", {"height": 2.5}, "height is a whole number, not 2.5."),
        ("MaximizationBias", {"actions": 5}, "actions is an even number, not 5."),
        (
            "MaximizationBias",
            {"spread": -1},
            "spread is a number from 0 to 10, not -1.",
        ),
        ("DeepSea", {"size": 51}, "size is a whole number from 2 to 50, not 51."),
        ("DeepSea", {"mapping_seed": -1}, "from 0 to 2147483647, not -1."),
        ("TMaze", {"walking": 1}, "walking is true or false, not 1."),
        ("TMaze", {"noise": 2.0}, "noise is a number from 0 to 1, not 2."),
        (
            "Tiger",
            {"accuracy": 0.5},
            "accuracy is a number from 0.55 to 0.99, not 0.5.",
        ),
        ("Tiger", {"horizon": True}, "horizon is a whole number, not True."),
        ("Catch", {"rows": 2}, "rows is a whole number from 3 to 30, not 2."),
        ("Baird", {"twins": "no"}, "twins is true or false, not 'no'."),
        ("TwoState", {"end": "x"}, "end is a number, not 'x'."),
        ("NoisyTV", {"dots": 9}, "dots is a whole number from 1 to 8, not 9."),
    ],
)
def test_wrong_arguments_are_refused_with_one_sentence(name, kwargs, sentence):
    card = describe(options(name, kwargs))
    assert not card.suits
    assert card.reason.startswith(f"RLLab/{name}-v0: it could not be made: ")
    assert card.reason.endswith(sentence)
