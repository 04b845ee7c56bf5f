"""P7: NaN and infinities, put in at many places, each caught in its step."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import misbehaving_worlds as worlds
import numpy as np
import pytest
import session_samples as samples
from trials import Trials

from engine.contract.arrays import split, state_hash
from engine.contract.messages import Checkpoint
from engine.contract.options import configuration_from_flat
from engine.sessions import LiveStore, SessionProblem
from engine.training import TrainingLoop, TrainingProblem

VALUES = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
HEADS = {
    "scalar": {},
    "dueling": {"agent.dueling": "mean"},
    "c51": {"head.kind": "c51"},
    "quantiles": {"head.kind": "qr"},
    "noisy": {"exploration.kind": "noisy"},
    "prioritized": {"replay.kind": "prioritized", "agent.n_step": 3},
}
SMALL = {
    "environment.id": worlds.ID,
    "training.steps": 10_000,
    "agent.learning_starts": 50,
    "agent.batch_size": 16,
    "replay.capacity": 300,
    "network.hidden": "16",
}
GOOD_AT, AT = 100, 130
Place = tuple[str, Callable[[Path], None]]


def run(folder: Path, stride: int = 1) -> Trials:
    """Every ``stride``-th place."""
    result = Trials("P7", "NaN and infinities in numbers of the training")
    for name, trial in itertools.islice(places(), 0, None, stride):
        result.trial(name, trial, folder)
    return result


def places() -> Iterator[Place]:
    """All of them by name."""
    for value, step in itertools.product(VALUES, (1, 12, 20)):
        for deed in ("observation", "reward"):
            label = f"{deed} {value} in step {step} of an episode"
            yield label, _trial(_loop(deed=f"{deed} {value}", at=100 + step), "step")
    for head, options in HEADS.items():
        for value in ("nan", "inf"):
            for where in ("loss", "gradient", "weight", "target"):
                spoil = _SPOIL[where]
                if (where, value, head) == ("loss", "inf", "c51"):
                    continue  # its targets end where its support ends
                label = f"{where} {value}, {head}"
                yield label, _trial(_loop(options), where, spoil, VALUES[value])


def _loop(
    options: dict[str, object] | None = None, *, deed: str = "none", at: int = AT
) -> Callable[[], TrainingLoop]:
    kwargs = {"deed": deed, "process": "any", "at": at}
    flat = SMALL | (options or {}) | {"environment.kwargs": kwargs}
    return lambda: TrainingLoop(configuration_from_flat(flat))


def _trial(
    make: Callable[[], TrainingLoop],
    where: str,
    spoil: Callable[[TrainingLoop, float], None] | None = None,
    value: float = 0.0,
) -> Callable[[Path], None]:
    def trial(folder: Path) -> None:
        worlds.Misbehaving.taken = 0
        loop = make()
        path = folder / "run.h5"
        configuration = samples.configuration()
        store = LiveStore.create(path, configuration, samples.CARD, overwrite=True)
        with store:
            loop.advance(steps=GOOD_AT)
            store.write_checkpoint(_checkpoint(loop))
            if spoil is None:
                _caught_in_step(loop)
            else:
                _caught_in_update(loop, spoil, value, where)
            _only_good_ones(store, loop)
        loop.close()

    return trial


def _caught_in_step(loop: TrainingLoop) -> None:
    with pytest.raises(TrainingProblem) as told:
        loop.advance(steps=AT)
    assert loop.step == worlds.Misbehaving.taken - 1, "it was caught too late"
    assert worlds.ID in str(told.value)
    assert np.isfinite(loop.agent.memory.streams.observation).all()
    assert np.isfinite(loop.agent.memory.streams.reward).all()


def _caught_in_update(
    loop: TrainingLoop,
    spoil: Callable[[TrainingLoop, float], None],
    value: float,
    where: str,
) -> None:
    loop.advance(steps=AT - GOOD_AT)
    before, updates = loop.weights(), loop.update
    spoil(loop, value)
    with pytest.raises(TrainingProblem, match=f"of update {updates + 1} ") as told:
        loop.advance(steps=1)
    assert loop.step == AT + 1, "it was caught too late"
    assert ("train.rewind", "Continue with a tenth of the learning rate") in (
        told.value.problem.fixes
    )
    if where in ("loss", "gradient"):
        after = loop.weights()
        assert all(np.array_equal(before[it], after[it]) for it in after)


def _spoil_loss(loop: TrainingLoop, value: float) -> None:
    loop.agent.memory.streams.reward[:] = value


def _spoil_gradient(loop: TrainingLoop, value: float) -> None:
    learner = loop.agent.learner
    backward = learner.online_pass.backward

    def spoiled(*arguments: object) -> None:
        backward(*arguments)
        learner.gradients[len(learner.gradients) // 2] = value

    learner.online_pass.backward = spoiled


def _spoil_weight(loop: TrainingLoop, value: float) -> None:
    learner = loop.agent.learner
    step = learner.optimizer.step

    def spoiled(rate: float) -> None:
        step(rate)
        learner.values[len(learner.values) // 2] = value

    learner.optimizer.step = spoiled


def _spoil_target(loop: TrainingLoop, value: float) -> None:
    loop.agent.learner.target_values[:] = value


_SPOIL = {
    "loss": _spoil_loss,
    "gradient": _spoil_gradient,
    "weight": _spoil_weight,
    "target": _spoil_target,
}


def _checkpoint(loop: TrainingLoop) -> Checkpoint:
    state = loop.state()
    arrays, values = split(state)
    count = (loop.step, loop.update, loop.episode, "periodic", -1)
    return Checkpoint(*count, arrays, json.dumps(values), state_hash(state))


def _only_good_ones(store: LiveStore, loop: TrainingLoop) -> None:
    """What is there now is refused if it is not finite; the good one stays."""
    whole = all(np.isfinite(it).all() for it in loop.weights().values())
    if not whole:
        with pytest.raises(SessionProblem, match="is not a number"):
            store.write_checkpoint(_checkpoint(loop))
    found = store.checkpoint()
    assert found.step == GOOD_AT
    floats = [it for it in found.arrays.values() if it.dtype.kind == "f"]
    assert all(np.isfinite(it).all() for it in floats)
