"""The shipped presets say what they need and can be started."""

import pytest

from engine.contract.catalogue import check_combination, shipped_presets
from engine.contract.options import has_effect
from engine.environments import describe, registered
from engine.environments.catalogue import PACKAGES

WITHOUT_TARGET = {
    "cartpole-plain-dqn",
    "cartpole-rainbow-no-nstep",
    "cartpole-rainbow-no-c51",
    "maximization-bias",
    "maximization-bias-double",
    "baird",
    "two-state",
    "noisy-tv",
    "atari-dqn",
    "atari-rainbow",
    "atari-qr",
}
"""Baselines, worlds that show what goes wrong, and what takes days to learn."""

PRESETS = {preset.name: preset for preset in shipped_presets()}


def test_the_gallery_is_complete_and_begins_with_cartpole():
    assert next(iter(PRESETS)) == "cartpole"
    assert set(PRESETS) == {
        "cartpole",
        "cartpole-plain-dqn",
        "gridworld",
        "frozenlake",
        "acrobot",
        "mountaincar",
        "lunarlander",
        "minatar-breakout",
        "minatar-freeway",
        "cartpole-rainbow",
        "cartpole-rainbow-no-double",
        "cartpole-rainbow-no-dueling",
        "cartpole-rainbow-no-nstep",
        "cartpole-rainbow-no-per",
        "cartpole-rainbow-no-c51",
        "cartpole-rainbow-no-noisy",
        "cartpole-c51",
        "cartpole-qr",
        "cartpole-mmd",
        "acrobot-qr",
        "mountaincar-qr",
        "lunarlander-qr",
        "deepsea",
        "noisy-tv",
        "noisy-tv-off",
        "tmaze-drqn",
        "tiger-drqn",
        "cliff-q-learning",
        "cliff-sarsa",
        "corridor-dueling",
        "maximization-bias",
        "maximization-bias-double",
        "catch",
        "baird",
        "two-state",
        "gridworld-dyna",
        "gridworld-sweeping",
        "cartpole-trust-region",
        "atari-dqn",
        "atari-rainbow",
        "atari-qr",
    }


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_has_a_title_and_one_sentence(preset):
    assert preset.title
    assert preset.story.endswith(".")
    assert (preset.target is None) == (preset.name in WITHOUT_TARGET)


INGREDIENTS = {
    "no-double": {"agent.double"},
    "no-dueling": {"agent.dueling"},
    "no-nstep": {"agent.n_step"},
    "no-per": {"replay.kind"},
    "no-c51": {"head.kind"},
    "no-noisy": {"exploration.kind"},
}


@pytest.mark.parametrize("without", INGREDIENTS)
def test_an_ablation_of_rainbow_lacks_one_ingredient_and_nothing_else(without):
    whole = PRESETS["cartpole-rainbow"].configuration
    part = PRESETS[f"cartpole-rainbow-{without}"].configuration
    differing = {key for key in whole.flat() if whole.get(key) != part.get(key)}
    active = {key for key in differing if has_effect(key, whole)}
    assert active == INGREDIENTS[without]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_goes_with_its_environment(preset):
    options = preset.configuration.environment
    card = describe(options)
    if not preset.needs or not card.install:
        check_combination(preset.configuration, card)
    assert options.id in {row.id for row in registered()}


def test_a_preset_that_needs_a_package_gives_its_line():
    for preset in PRESETS.values():
        package = PACKAGES.get(preset.configuration.environment.id.partition("/")[0])
        expected = (package.module, package.install) if package else ("", "")
        assert (preset.needs, preset.install) == expected
