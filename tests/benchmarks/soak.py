"""Memory of each process while it trains for long with the window open."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from engine.contract.catalogue import find_preset
from tests.benchmarks.harness import Result, load
from tests.benchmarks.real_lab import RealLab, real_lab

EVERY_S = 5.0
LINES = 12
WARM_UP = 0.4
"""Share of the time after which memories are filled and caches are warm."""
MOST_PER_HOUR = 60.0
"""MB; a night is eight hours."""

Samples = dict[str, list[tuple[float, float]]]


def run(minutes: float) -> Iterator[Result]:
    """CartPole with every view open; a replay memory that is full before it counts."""
    options = {"training.steps": 10**8, "replay.capacity": 10_000}
    preset = find_preset("cartpole").configuration.with_options(options)
    with real_lab() as lab:
        lab.train(preset, 3_000)
        window = lab.open_window()
        window.do("marks", wanted=["q"])
        window.do("everything")
        samples = _watch(lab, 60.0 * minutes)
        step = lab.status(lambda it: it.state == "running").step
        disk = sum(it.stat().st_size for it in lab.home.rglob("*") if it.is_file())
        window.leave(keep_training=False)
    notes = (*_table(samples), f"{step:,} steps, {disk / 2**20:.0f} MB on disk")
    for role, rows in samples.items():
        yield _row(role, rows, notes if role == list(samples)[-1] else ())


def _watch(lab: RealLab, seconds: float) -> Samples:
    """(seconds, MB) of each process."""
    samples: Samples = {}
    began = time.monotonic()
    while (now := time.monotonic() - began) < seconds:
        for role, size in lab.resident().items():
            samples.setdefault(role, []).append((now, size / 2**20))
        lab.client.wait(lambda it: False, EVERY_S)
        lab.client.poll()
    return samples


def _table(samples: Samples) -> list[str]:
    """Some lines of it: seconds, and MB of each process."""
    times = [at for at, _ in next(iter(samples.values()))]
    every = max(1, len(times) // LINES)
    lines = ["MB after s " + "".join(f"{role:>12}" for role in samples)]
    for at in times[::every]:
        sizes = [_at(rows, at) for rows in samples.values()]
        lines.append(f"{at:>10.0f} " + "".join(f"{size:>12.1f}" for size in sizes))
    return lines


def _at(rows: list[tuple[float, float]], time_s: float) -> float:
    """Size of a process at this time; 0 before it was there."""
    return next((size for at, size in reversed(rows) if at <= time_s), 0.0)


def _row(role: str, rows: list[tuple[float, float]], notes: tuple[str, ...]) -> Result:
    times, sizes = np.array(rows).T
    late = times >= times[0] + WARM_UP * (times[-1] - times[0])
    slope = float(np.polyfit(times[late], sizes[late], 1)[0]) * 3600
    spread = f"{sizes[late].min():.1f} to {sizes[late].max():.1f} MB"
    return Result(
        f"soak: growth of the {role} after warm-up",
        "MB/hour",
        slope,
        MOST_PER_HOUR,
        limit=1.0,
        less_is_better=True,
        notes=(f"{spread}; {load()}", *notes),
    )
