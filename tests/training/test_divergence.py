"""The presets that are to diverge do, and stop when one leg of the triad is taken."""

import numpy as np
import pytest

from engine.contract.catalogue import find_preset
from engine.environments.worlds.baird import features_of_the_star
from engine.training import TrainingLoop

OBSERVATIONS = {
    "baird": features_of_the_star().astype(np.float32),
    "two-state": np.array([[1.0], [2.0]], np.float32),
}

TABLE = np.eye(3, dtype=np.float32)


def growth(name, early, late, *, seen=None, **options):
    """How many times larger the largest value is after ``late`` steps than before."""
    flat = {key.replace("__", "."): value for key, value in options.items()}
    configuration = find_preset(name).configuration.with_options(
        {"recording.level": "scalars", **flat}
    )
    loop, sizes = TrainingLoop(configuration), []
    for steps in (early, late - early):
        loop.advance(steps=steps)
        seen = OBSERVATIONS[name] if seen is None else seen
        sizes.append(float(np.abs(loop.agent.insight(seen)["q"]).max()))
    loop.close()
    return sizes[1] / sizes[0]


def test_the_two_states_diverge():
    assert growth("two-state", 500, 1500) > 5


@pytest.mark.parametrize(
    "options",
    [
        # 5/6 is the border; the next value no longer lifts itself.
        {"agent__discount": 0.7},
        # A table: no value is lifted by another one's update.
        {
            "environment__kwargs": {"features": False},
            "seen": np.eye(3, dtype=np.float32),
        },
    ],
    ids=["discount", "table"],
)
def test_the_two_states_converge_with_less_bootstrapping_or_a_table(options):
    assert growth("two-state", 1000, 3000, **options) < 1


@pytest.mark.slow
def test_bairds_star_diverges():
    assert growth("baird", 1000, 4000) > 2.5


@pytest.mark.slow
def test_bairds_star_converges_without_bootstrapping():
    assert growth("baird", 500, 2000, agent__discount=0.0) < 0.5
