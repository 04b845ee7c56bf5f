"""P11: a resumed run goes on to the bit, for everything that ships, wherever it is cut.

Each trial takes a shipped preset, trains a stretch of it straight and through a session
file (see ``engine.training.certificate``), and compares the hashes of all parts of both
states. The cut lies in the middle of an episode.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from trials import Trials

from engine.commands.certifying import certify_configuration
from engine.contract.catalogue import Preset, shipped_presets
from engine.environments import describe

MOST_STARTS = 300
"""Steps before the first update; presets of long runs have thousands."""


def run(folder: Path, count: int, seed: int = 0) -> Trials:
    """So many cuts, of one preset after the other."""
    found = Trials("P11", "presets cut in the middle of an episode and gone on with")
    rng = np.random.default_rng(seed)
    presets = [it for it in shipped_presets() if not _lacks(it)]
    for number in range(count):
        preset = presets[number % len(presets)]
        updates, run_seed = int(rng.integers(5, 80)), int(rng.integers(1000))
        label = f"{preset.name}, seed {run_seed}, {updates} updates"
        place = folder / str(number)
        place.mkdir()
        found.trial(label, _check, preset, place, updates, run_seed)
    found.worst = f"{min(count, len(presets))} of {len(presets)} presets"
    return found


def _lacks(preset: Preset) -> bool:
    return bool(describe(preset.configuration.environment).install)


def _check(preset: Preset, place: Path, updates: int, seed: int) -> None:
    of = preset.configuration
    starts = min(of.agent.learning_starts, MOST_STARTS)
    of = of.with_options({"agent.learning_starts": starts, "training.seed": seed})
    certificate = certify_configuration(of, place / "run.h5", updates)
    assert certificate.updates > 0
    assert certificate.exact, certificate.sentence()
