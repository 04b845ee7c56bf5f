"""The certificate says what is exact, and notices each part that is not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.contract.arrays import join, split
from engine.training.certificate import CLOCKS, PARTS, Saved, certify

OPTIONS = {"replay__kind": "prioritized", "training__steps": 400}


def saved(loop, logs=()):
    """A state as a file gives it back."""
    arrays, values = split(loop.state())
    arrays = {path: np.array(it) for path, it in arrays.items()}
    logs = [*logs, loop.drain().replay]
    replay = {name: np.concatenate([it[name] for it in logs]) for name in logs[0]}
    return Saved(join(arrays, json.loads(json.dumps(values))), replay)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"training__environments": 3, "agent__n_step": 3},
        {"exploration__kind": "noisy", "agent__bootstrap": "trust_region"},
        {"replay__kind": "none"},
        {"training__mode": "synchronized"},
    ],
    ids=str,
)
def test_a_run_from_its_beginning_is_exact(make, options):
    found = certify(lambda: make(**{**OPTIONS, **options}), None, saved, 20)
    assert found.exact
    assert "exact to the bit" in found.sentence()
    assert found.first == 0 < found.cut < found.last
    assert found.updates >= 20
    assert found.episode_steps > 0
    names = [it.name for it in found.parts]
    assert set(names) <= {*PARTS.values(), CLOCKS}
    assert {"weights of the online network", "contents of the replay memory"} <= {
        *names
    }


def test_it_begins_where_a_run_has_ended(make):
    ended = make(**OPTIONS)
    ended.advance()
    log = ended.drain().replay
    begin = Saved(ended.state(), log)
    found = certify(lambda: make(**OPTIONS), begin, lambda loop: saved(loop, [log]), 20)
    assert found.exact
    assert found.first == 400 < found.last


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("agent/online/head.weight", "weights of the online network"),
        ("agent/target/head.weight", "weights of the target network"),
        ("agent/optimizer/square", "moments of the optimizer"),
        ("agent/memory/priorities/raw", "priorities of the replay memory"),
        (
            "agent/actor/explorer/generator/state",
            "random numbers and counts of exploration",
        ),
        ("agent/memory/generator/state", "random numbers of sampling"),
        ("credit", CLOCKS),
    ],
)
def test_a_part_that_does_not_come_back_is_named(make, path, part):
    """Put what a fresh loop has in its place."""
    options = {**OPTIONS, "agent__updates_per_step": 0.7}

    def forgetful(loop):
        found = saved(loop)
        (arrays, values), fresh = split(found.state), split(make(**options).state())
        if path in arrays:
            new = fresh[0][path]
            same = new.shape == arrays[path].shape
            arrays[path] = new if same else np.ones_like(arrays[path])
        else:
            assert values[path] != fresh[1][path]
            values[path] = fresh[1][path]
        return Saved(join(arrays, values), found.replay)

    found = certify(lambda: make(**options), None, forgetful, 61)
    assert not found.exact
    assert part in [it.name for it in found.parts if not it.equal]
    assert part in found.sentence()
    assert "report it" in found.sentence()


def test_acting_side_by_side_says_why_it_cannot_be_exact(make):
    options = {**OPTIONS, "training__mode": "asynchronous"}
    found = certify(lambda: make(**options), None, saved, 20)
    if not found.exact:
        assert "side by side" in found.sentence()
    assert found.mode == "asynchronous"
