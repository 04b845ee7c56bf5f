"""The shipped presets say what they need and can be started."""

import pytest

from engine.contract.catalogue import check_combination, shipped_presets
from engine.environments import describe, registered
from engine.environments.catalogue import PACKAGES

PRESETS = {preset.name: preset for preset in shipped_presets()}


def test_the_gallery_is_complete_and_in_order():
    assert list(PRESETS) == [
        "cartpole",
        "cartpole-plain-dqn",
        "gridworld",
        "frozenlake",
        "acrobot",
        "mountaincar",
        "lunarlander",
        "minatar-breakout",
    ]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_has_a_title_and_one_sentence(preset):
    assert preset.title
    assert preset.story.endswith(".")
    assert preset.target is not None or preset.name == "cartpole-plain-dqn"


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
