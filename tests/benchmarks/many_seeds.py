"""Sixteen seeds at once against one on CartPole, equal settings but for the threads.

Steps of all seeds are counted. Sixteen may take six times as long as one on two
processors, so they have to make 16 / 6 times as many steps per second. They learn with
two threads; one seed is quickest with one. What counts are seconds on the wall: nothing
else may run.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from engine.contract.catalogue import find_preset
from engine.training import Libraries, TrainingLoop
from tests.benchmarks.harness import Result, load, side_by_side
from tests.benchmarks.learner import PLAIN, SETTINGS

SEEDS, LONGEST = 16, 6
THREADS = 2
STEPS = 3_000
ROUNDS = 5
LIMIT = SEEDS / LONGEST


CASES = (
    ("the first preset, updates compiled", "cartpole", "first"),
    ("plain DQN, updates compiled", PLAIN, "first"),
    ("plain DQN, updates as written", PLAIN, "never"),
)


def run() -> Iterator[Result]:
    """The first preset (dueling, double, prioritized), and plain DQN."""
    with tempfile.TemporaryDirectory(prefix="rllab-bench-") as folder:
        libraries = Libraries(Path(folder))
        for what, preset, form in CASES:
            one = _Run(libraries, preset, form, seeds=1, threads=1)
            many = _Run(libraries, preset, form, seeds=SEEDS, threads=THREADS)
            rates = side_by_side(many, one, ROUNDS, time.perf_counter)
            times = SEEDS * rates[1] / rates[0]
            note = f"16 seeds take {times:.1f} times as long as one; {load()}"
            name = f"16 seeds at once, of one: {what}"
            yield Result(name, "steps/s", *rates, limit=LIMIT, notes=(note,))


class _Run:
    """Takes steps each time it is called; as many of each seed."""

    def __init__(
        self, libraries: Libraries, preset: str, form: str, *, seeds: int, threads: int
    ) -> None:
        chosen: dict[str, Any] = {
            "training.seeds": seeds,
            "training.threads": threads,
            "training.compile": form,
        }
        plain = {"agent.double": False} if preset == PLAIN else {}
        options = SETTINGS | plain | chosen
        configuration = find_preset(preset).configuration.with_options(options)
        self._seeds, self._threads = seeds, threads
        self._loop = TrainingLoop(configuration, libraries=libraries)
        self._loop.advance(steps=1_000)

    def __call__(self) -> int:
        torch.set_num_threads(self._threads)  # it is that of the whole process
        steps = STEPS if self._seeds == 1 else STEPS // 5
        self._loop.advance(steps=steps)
        self._loop.drain()
        return steps * self._seeds
