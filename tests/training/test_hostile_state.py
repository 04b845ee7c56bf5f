"""A state that is not of this run is refused with a sentence, whatever it holds."""

import numpy as np
import pytest

from engine.contract.arrays import join, split
from engine.training import TrainingProblem


@pytest.fixture
def good(make):
    loop = make(training__steps=300)
    loop.advance(steps=150)
    drained = loop.drain()
    arrays, values = split(loop.state())
    return arrays, values, drained.replay


def _arrays(change):
    return lambda arrays, values, log: (
        {name: change(it) for name, it in arrays.items()},
        values,
        log,
    )


def _values(other):
    return lambda arrays, values, log: (
        arrays,
        {n: it if n == "configuration" else other for n, it in values.items()},
        log,
    )


STATES = {
    "larger arrays": _arrays(lambda it: np.zeros((*it.shape, 3), it.dtype)),
    "no elements": _arrays(lambda it: np.zeros(0, it.dtype)),
    "one element": _arrays(lambda it: np.zeros((), it.dtype)),
    "short arrays": _arrays(lambda it: it[:-1] if it.ndim else it),
    "no arrays": lambda arrays, values, log: ({}, values, log),
    "no values": lambda arrays, values, log: (arrays, {}, log),
    "only a configuration": lambda arrays, values, log: (
        {},
        {"configuration": values["configuration"]},
        log,
    ),
    "texts": _values("os.system('id')"),
    "nothing": _values(None),
    "lists": _values([[], {}]),
    "a configuration of numbers": lambda arrays, values, log: (
        arrays,
        values | {"configuration": 3},
        log,
    ),
    "a module as environment": lambda arrays, values, log: (
        arrays,
        values | {"configuration": '{"environment": {"id": 5}}'},
        log,
    ),
    "slots beyond": lambda arrays, values, log: (
        arrays,
        values,
        log | {"slot": log["slot"] + 10**9},
    ),
    "slots below": lambda arrays, values, log: (
        arrays,
        values,
        log | {"slot": log["slot"] - 10**9},
    ),
    "a log of one column": lambda arrays, values, log: (
        arrays,
        values,
        {"slot": log["slot"]},
    ),
    "a log of other lengths": lambda arrays, values, log: (
        arrays,
        values,
        log | {"reward": log["reward"][:-3]},
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_that_is_not_of_this_run_is_refused(make, good, name):
    arrays, values, log = STATES[name](*good)
    with pytest.raises(TrainingProblem, match=r"[.]"):
        make(training__steps=300).restore(join(arrays, values), log)
