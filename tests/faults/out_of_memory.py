"""P8: memory runs out at each operation of an update; the last checkpoint is whole.

Without a GPU the error is a made up one, raised in front of the n-th operation, also
where no memory would be asked for. With one, ``on_gpu`` fails real allocations.
"""

from __future__ import annotations

import json
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from trials import Trials

from engine.contract.arrays import state_hash
from engine.contract.messages import Checkpoint, Message, Problem, Rows
from engine.contract.options import configuration_from_flat
from engine.service.loop_state import restored_state
from engine.service.run import Run
from engine.service.transport import unpack
from engine.training import TrainingLoop, known_problem

POINTS = 100
GOOD_AT, END = 60, 90
KINDS: dict[str, dict[str, Any]] = {
    "adam": {},
    "rmsprop, c51": {"agent.optimizer": "rmsprop", "head.kind": "c51"},
    "sgd, dueling": {"agent.optimizer": "sgd", "agent.dueling": "mean"},
}
SMALL = {
    "environment.id": "CartPole-v1",
    "training.steps": END,
    "agent.learning_starts": 30,
    "agent.batch_size": 8,
    "replay.capacity": 300,
    "network.hidden": "16",
    "recording.checkpoint_period": GOOD_AT,
    "evaluation.period": 0,
}


class FailsAt(TorchDispatchMode):
    """Raises what a GPU without memory raises, in front of the n-th operation."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._left = at

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self._left -= 1
        if self._left == 0:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")
        return func(*args, **(kwargs or {}))


class Words:
    """What a run tells."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send(self, destination: str, message: Message) -> None:
        self.sent.append(message)

    def send_frames(self, destination: str, frames: list[bytes]) -> None:
        self.sent.append(unpack(frames))

    def of(self, kind: type[Message]) -> list[Any]:
        return [it for it in self.sent if isinstance(it, kind)]


def run(folder: Path, stride: int = 1) -> Trials:
    """Every ``stride``-th operation of the first updates after a checkpoint."""
    result = Trials("P8", "memory runs out in an update (made up, on the CPU)")
    for name, options in KINDS.items():
        straight = _loop(options)
        straight.advance(steps=END)
        wanted = state_hash(straight.state())
        straight.close()
        for at in range(1, POINTS + 1, stride):
            result.trial(f"{name}, operation {at}", _one, options, at, wanted)
    return result


def _loop(options: dict[str, Any]) -> TrainingLoop:
    return TrainingLoop(configuration_from_flat(SMALL | options), device="cpu")


def _one(options: dict[str, Any], at: int, wanted: str) -> None:
    words, loop = Words(), _loop(options)
    clock = iter(range(10**6))
    run = Run(words, loop, failure=_problem, clock=lambda: 1e-6 * next(clock))  # type: ignore[arg-type]
    while loop.step < GOOD_AT:
        run.cycle(priorities_wanted=False)
    with FailsAt(at), redirect_stderr(StringIO()):
        while run.state == "running":
            run.cycle(priorities_wanted=False)
    assert run.state == "failed", f"it is {run.state}"
    (problem,) = words.of(Problem)
    sentence = problem.sentence()
    assert "memory" in sentence.lower(), sentence
    assert "agent.batch_size" in sentence, sentence
    assert "training.device=cpu" in sentence, sentence
    (checkpoint,) = words.of(Checkpoint)
    assert checkpoint.step == GOOD_AT, "what an update left half done was stored"
    _goes_on(options, words, checkpoint, wanted)
    loop.close()


def _problem(error: Exception) -> Problem:
    known = known_problem(error, "cuda:0", GOOD_AT)
    assert known is not None, f"{type(error).__name__}: {error}"
    return known


def _goes_on(
    options: dict[str, Any], words: Words, checkpoint: Checkpoint, wanted: str
) -> None:
    """From the checkpoint the run becomes what it would have been."""
    rows = [it.replay for it in words.of(Rows) if it.number <= checkpoint.rows]
    logs = [it for it in rows if it]
    replay = {name: np.concatenate([it[name] for it in logs]) for name in logs[0]}
    again = _loop(options)
    again.restore(restored_state(checkpoint.arrays, checkpoint.values), replay)
    again.advance(steps=END)
    assert json.loads(checkpoint.values)["step"] == GOOD_AT
    assert state_hash(again.state()) == wanted
    again.close()
