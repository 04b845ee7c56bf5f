"""What a step, a seek and a save cost when very much is stored already.

A training step is timed with a replay memory of so many steps, full, so that each new
one overwrites an old one. A session is grown, its rows made as training makes them
(curves, episodes with observations and Q-values), and timed at each size: making the
rows of a thousand further steps durable, reading any episode, and writing the session
file. Processor time counts, which other programs do not lengthen.

python -m tests.benchmarks.growth                     # 10^3 to 10^5 steps, a minute
python -m tests.benchmarks.growth --most 7 --plot growth.svg
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from engine.contract.catalogue import find_preset
from engine.sessions import SessionFile
from engine.training import TrainingLoop
from tests.benchmarks.growing_session import GrowingSession
from tests.benchmarks.growth_plot import Measured, short, write_plot
from tests.benchmarks.harness import HEAD, Result, load, percentile

LEAST, QUICK = 3, 5
"""Powers of ten."""
ROUNDS, STEPS, SEEKS, SAVES = 9, 200, 200, 20
LENGTH = 200
"""Of the episodes that fill a replay memory."""
COUNTS_FROM = 10_000
FILE = "the session file, for each of its steps"
LIMITS = {
    "a training step": 2.0,
    "making 1,000 steps durable": 1.5,
    "reading any episode, while it runs": 3.0,
    "reading any episode of a file": 3.0,
    FILE: 1.5,
    "memory of who writes": 2.0,
}
"""How many times as much the largest may cost as the smallest from 10^4 on: what is
smaller is mostly what any size costs. Trees that are looked up in have a level more for
each so many times as many leaves, and leave the processor's caches."""


@dataclass
class Line:
    """One thing that is measured; ``values`` by the number of stored steps."""

    name: str
    unit: str
    values: dict[int, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def drawn(self) -> Measured:
        """For the plot; of what is shared out over the steps, the sizes that count."""
        least = COUNTS_FROM if self.name == FILE else 0
        kept = {size: it for size, it in self.values.items() if size >= least}
        return self.name, self.unit, kept

    def row(self) -> Result:
        """The largest beside the smallest that counts."""
        first = min(it for it in self.values if it >= COUNTS_FROM)
        last, limit = max(self.values), LIMITS[self.name]
        each = (f"{size:.0e}: {short(it)}" for size, it in self.values.items())
        times = self.values[last] / self.values[first]
        return Result(
            f"growth: {self.name}, {last:.0e} of {first:.0e}",
            "percent",
            100 * times,
            100 * limit,
            limit=1.0,
            less_is_better=True,
            notes=(f"{self.unit}: {', '.join(each)}; {load()}", *self.notes),
        )


def run(most: int = QUICK, plot: Path | None = None) -> Iterator[Result]:
    """A row for each of :data:`LIMITS`."""
    sizes = [10**power for power in range(LEAST, most + 1)]
    # A large replay memory would be seen in that of who writes.
    with tempfile.TemporaryDirectory(prefix="rllab-growth-") as folder:
        lines = _sessions(sizes, Path(folder))
    for line in lines:
        yield line.row()
    lines.insert(0, _steps(sizes))
    yield lines[0].row()
    if plot is not None:
        write_plot([it.drawn() for it in lines], plot)


# ------------------------------------------------------------------ a training step


def _steps(sizes: list[int]) -> Line:
    line = Line("a training step", "µs")
    for size in sizes:
        loop = _full(size)
        loop.advance(steps=STEPS)

        def train(loop: TrainingLoop = loop) -> None:
            loop.advance(steps=STEPS)
            loop.drain()

        line.values[size] = 1e6 * _median_s(train, ROUNDS) / STEPS
        loop.close()
    return line


def _full(size: int) -> TrainingLoop:
    """The CartPole preset, with a replay memory of this capacity that is full."""
    options = {
        "replay.capacity": size,
        "agent.learning_starts": 1,
        "agent.batch_size": 64,
        "agent.updates_per_step": 1.0,
        "training.steps": 10**9,
        "training.compile": "never",
        "training.device": "cpu",
    }
    preset = find_preset("cartpole").configuration.with_options(options)
    loop = TrainingLoop(preset)
    memory = loop.agent.memory
    seen = np.random.default_rng(0).normal(size=(1000, 4)).astype(np.float32)
    for _ in range(size // LENGTH + 1):
        for t in range(LENGTH):
            memory.append(0, t % 2, 1.0, t == LENGTH - 1, False, seen[t])
        memory.begin(0, seen[LENGTH])
        memory.drain_log()
    return loop


# ------------------------------------------------------------------------ sessions


def _sessions(sizes: list[int], folder: Path) -> list[Line]:
    save = Line("making 1,000 steps durable", "ms")
    live = Line("reading any episode, while it runs", "ms")
    seek = Line("reading any episode of a file", "ms")
    seal = Line(FILE, "µs")
    memory = Line("memory of who writes", "MB")
    session = GrowingSession(folder / "grown.h5")
    rng = np.random.default_rng(0)
    for size in sizes:
        session.grow(size)
        numbers = rng.integers(session.episodes, size=SEEKS).tolist()
        live.values[size] = 1e3 * _seek_s(session.store.episode, numbers)
        begun = time.process_time()
        path = session.store.seal()
        seal.values[size] = 1e6 * (time.process_time() - begun) / session.step
        seal.notes.append(f"{size:.0e}: {path.stat().st_size / 2**20:,.1f} MB")
        memory.values[size] = psutil.Process().memory_info().rss / 2**20
        with SessionFile.open(path) as file:
            seek.values[size] = 1e3 * _seek_s(file.episode, numbers)
        walls: list[float] = []

        def append(walls: list[float] = walls) -> None:
            begun = time.perf_counter()
            session.append()
            walls.append(time.perf_counter() - begun)

        save.values[size] = 1e3 * _median_s(append, SAVES if size > 10_000 else 3)
        middle, late = 1e3 * statistics.median(walls), 1e3 * percentile(walls, 95)
        save.notes.append(
            f"{size:.0e}: with the disk p50 {middle:.1f} ms, p95 {late:.1f} ms"
        )
    session.close()
    return [save, live, seek, seal, memory]


def _seek_s(episode: Callable[[str, int], object], numbers: list[int]) -> float:
    remaining = iter(numbers)
    return _median_s(lambda: episode("training", next(remaining)), len(numbers))


def _median_s(work: Callable[[], object], rounds: int) -> float:
    """Processor seconds."""
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return statistics.median(times)


def main() -> int:
    """Print the table; 1 where a limit is missed."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth")
    options.add_argument("--most", type=int, default=QUICK, help="a power of ten")
    options.add_argument("--plot", type=Path, help="an SVG that is written")
    chosen = options.parse_args()
    print(HEAD)
    passed = True
    for it in run(chosen.most, chosen.plot):
        print(it.row(), flush=True)
        passed = passed and it.passed
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
