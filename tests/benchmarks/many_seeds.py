"""Sixteen seeds at once against one on CartPole, the same settings for both.

Steps of all seeds are counted. Sixteen may take six times as long as one, so they have
to make 16 / 6 times as many steps per second. Both use one processor, of two that the
limit allows. What counts are seconds of the processor: other programs leave them alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine.contract.catalogue import find_preset
from engine.training import Libraries, TrainingLoop
from tests.benchmarks.harness import Result, load, side_by_side
from tests.benchmarks.learner import PLAIN, SETTINGS

SEEDS, LONGEST = 16, 6
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
            one, many = (_Run(libraries, preset, form, it) for it in (1, SEEDS))
            rates = side_by_side(many, one, ROUNDS)
            times = SEEDS * rates[1] / rates[0]
            note = f"16 seeds take {times:.1f} times as long as one; {load()}"
            name = f"16 seeds at once, of one: {what}"
            yield Result(name, "steps/s", *rates, limit=LIMIT, notes=(note,))


class _Run:
    """Takes steps each time it is called; as many of each seed."""

    def __init__(
        self, libraries: Libraries, preset: str, form: str, seeds: int
    ) -> None:
        chosen: dict[str, Any] = {"training.seeds": seeds, "training.compile": form}
        plain = {"agent.double": False} if preset == PLAIN else {}
        options = SETTINGS | plain | chosen
        configuration = find_preset(preset).configuration.with_options(options)
        self._seeds = seeds
        self._loop = TrainingLoop(configuration, libraries=libraries)
        self._loop.advance(steps=1_000)

    def __call__(self) -> int:
        steps = STEPS if self._seeds == 1 else STEPS // 5
        self._loop.advance(steps=steps)
        self._loop.drain()
        return steps * self._seeds
