"""Every preset reaches its target: its best checkpoint over 100 fresh episodes.

A median over the seeds counts, but CartPole has to reach its target with each of 10
seeds at the full count. See ``records`` for how many seeds are taken.
"""

import statistics

import pytest
from records import SEEDS, record
from reference_run import exact_optimum, reference_run

from engine.contract.catalogue import shipped_presets
from engine.environments import describe

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(8 * 3600)]

PRESETS = [preset for preset in shipped_presets() if preset.target is not None]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_the_best_checkpoint_reaches_the_target(preset):
    configuration = preset.configuration
    card = describe(configuration.environment)
    if card.install:
        pytest.skip(card.reason)
    strict = preset.name == "cartpole"
    seeds = 10 if strict and SEEDS >= 5 else SEEDS
    runs = [reference_run(configuration, seed) for seed in range(seeds)]
    report = "\n".join(str(run) for run in runs)
    print(f"\n{preset.name}, target {preset.target:g}\n{report}")  # noqa: T201
    means = [run.mean for run in runs]
    record(
        preset.title,
        card.id,
        f"preset {preset.name}",
        means,
        f">= {preset.target:g}",
        f"tests/reference/test_presets.py -k '[{preset.name}]'",
    )
    reached = min(means) if strict else statistics.median(means)
    assert reached >= preset.target - 1e-9, report


def test_the_target_of_gridworld_is_the_exact_optimum():
    preset = next(preset for preset in PRESETS if preset.name == "gridworld")
    assert preset.target == pytest.approx(exact_optimum(preset.configuration))
