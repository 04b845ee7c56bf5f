"""The sessions that ship are whole, small, and were really trained."""

from pathlib import Path

import numpy as np
import pytest

from engine.sessions import SessionFile, inspect

SAMPLES = sorted(Path(__file__).parents[2].glob("sessions/sample-*.h5"))
LEAST = {"sample-cartpole": 475.0, "sample-gridworld": 0.87}


def test_the_samples_are_small():
    assert {path.stem for path in SAMPLES} == set(LEAST)
    assert sum(path.stat().st_size for path in SAMPLES) < 3_000_000


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_is_whole_and_learned(path):
    found = inspect(path, verify=True)
    assert (found["complete"], found["verified"], found["problems"]) == (True, True, [])
    source = SessionFile.open(path)
    best = max(float(np.mean(it.returns)) for it in source.evaluations())
    assert best >= LEAST[path.stem] - 1e-6
    source.close()
