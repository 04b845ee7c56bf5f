"""Environment steps per second of the three ways in which acting and learning run.

Each is measured against taking turns, in the same rounds. Asynchronous learning may
fall behind, so the share of the due updates that it made stands beside its figure.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from engine.contract.catalogue import find_preset
from engine.training import TrainingLoop
from tests.benchmarks.harness import Result, load, side_by_side

STEPS = 2_000
ROUNDS = 5
SECONDS = 0.02
LIMIT = 0.2
"""A guard against standing still: threads share one interpreter, so that small
networks lose more than they gain."""


def run() -> Iterator[Result]:
    """Rows for synchronized and asynchronous."""
    for hidden, batch in (("64,64", 64), ("512,512", 256)):
        for mode in ("synchronized", "asynchronous"):
            yield _measure(mode, hidden, batch)


def _measure(mode: str, hidden: str, batch: int) -> Result:
    loops = {it: _loop(it, hidden, batch) for it in (mode, "alternate")}
    steps = STEPS if batch < 100 else STEPS // 5

    def advance(loop: TrainingLoop) -> int:
        # In slices of time, as a run in the program is.
        first = loop.step
        while loop.step < first + steps:
            loop.advance(seconds=SECONDS)
        loop.drain()
        return loop.step - first

    ours, peer = (lambda it=it: advance(loops[it]) for it in loops)
    ours(), peer()
    before = loops[mode].step, loops[mode].update
    rates = side_by_side(ours, peer, ROUNDS, time.perf_counter)
    made = (loops[mode].update - before[1]) / (loops[mode].step - before[0])
    for loop in loops.values():
        loop.close()
    name = f"modes: {mode}, CartPole, MLP {hidden.replace(',', '-')}, batch {batch}"
    note = f"peer: alternate; {made:.2f} updates for each step; {load()}"
    return Result(name, "steps/s", *rates, limit=LIMIT, notes=(note,))


def _loop(mode: str, hidden: str, batch: int) -> TrainingLoop:
    preset = find_preset("cartpole-plain-dqn").configuration
    return TrainingLoop(
        preset.with_options(
            {
                "agent.learning_starts": 100,
                "agent.batch_size": batch,
                "agent.updates_per_step": 1.0,
                "network.hidden": hidden,
                "recording.level": "scalars",
                "training.device": "cpu",
                "training.mode": mode,
                "training.refresh": 100,
                "training.steps": 1_000_000,
            }
        )
    )
