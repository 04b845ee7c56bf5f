"""Files of every released format, frozen: each opens and says what it always said.

``expected.json`` beside them was written by the version that wrote the files. A new
format gets a folder of its own; the older ones are never written again.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from engine.contract.options import configuration_from_json, spec
from engine.service.loop_state import restored_state
from engine.sessions import SessionFile
from engine.sessions.hdf5 import MAJOR, MINOR
from engine.training import TrainingLoop

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*/*.h5"))
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())


def digest(value):
    """Of plain values and arrays: type, shape and content."""
    found = hashlib.sha256()

    def add(name, it):
        if isinstance(it, dict):
            for key in sorted(it):
                add(f"{name}/{key}", it[key])
        elif isinstance(it, np.ndarray):
            found.update(f"{name} {it.dtype.str} {it.shape}".encode())
            found.update(np.ascontiguousarray(it).tobytes())
        else:
            found.update(f"{name} {it!r}".encode())

    add("", value)
    return found.hexdigest()[:16]


def contents(source):
    """All that a session says, in a form that can be compared."""
    table = source.episodes()
    lines = zip(table["kind"], table["episode"], table["recorded"], strict=True)
    kept = [source.episode(kind, int(number)) for kind, number, there in lines if there]
    checkpoints = [source.checkpoint(row.step) for row in source.checkpoints()]
    return {
        "summary": {k: v for k, v in source.summary().items() if k in COUNTS},
        "options": json.loads(source.configuration()),
        "curves": {name: digest(source.history(name)) for name in source.series()},
        "table": digest({name: np.array(it) for name, it in table.items()}),
        "episodes": [digest(it) for it in kept],
        "events": len(source.events()),
        "evaluations": [digest(it.returns) for it in source.evaluations()],
        "checkpoints": {str(it.step): it.sha256 for it in checkpoints},
        "replay": digest(source.resume_point().replay),
    }


COUNTS = ("steps", "updates", "episodes", "checkpoints")


@pytest.mark.parametrize("path", FILES, ids=lambda it: f"{it.parent.name}-{it.stem}")
def test_it_says_what_it_always_said(path):
    with SessionFile.open(path) as source:
        assert source.problems() == []
        assert contents(source) == EXPECTED[f"{path.parent.name}/{path.name}"]


@pytest.mark.parametrize("path", FILES, ids=lambda it: f"{it.parent.name}-{it.stem}")
def test_its_run_goes_on(path):
    with SessionFile.open(path) as source:
        point = source.resume_point()
        configuration = configuration_from_json(source.configuration())
    loop = TrainingLoop(configuration, device="cpu")
    state = restored_state(point.checkpoint.arrays, point.checkpoint.values)
    loop.restore(state, point.replay or None)
    before = loop.update
    loop.set_option("training.steps", 400)
    loop.advance(steps=40)
    assert (loop.step, loop.update > before) == (340, True)
    loop.close()


def test_there_is_a_file_of_each_format_that_was_released():
    folders = {it.parent.name for it in FILES}
    assert {f"{MAJOR}.{minor}" for minor in range(MINOR + 1)} <= folders
    assert {f"{it.parent.name}/{it.name}" for it in FILES} == set(EXPECTED)


def test_an_option_that_is_newer_than_the_file_has_its_default():
    with SessionFile.open(FILES[0]) as source:
        text = source.configuration()
    assert "checkpoint_budget" not in json.loads(text)["recording"]
    default = spec("recording.checkpoint_budget").default
    assert configuration_from_json(text).recording.checkpoint_budget == default
