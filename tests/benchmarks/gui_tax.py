"""What it costs the training that somebody looks, with every view open or minimized."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from itertools import pairwise

from engine.contract.catalogue import find_preset
from tests.benchmarks.harness import Result, load
from tests.benchmarks.real_lab import Stretch, real_lab

ROUNDS, SECONDS = 11, 5.0
"""Many short turns: the processor becomes faster and slower within a minute."""
WARM_UP_STEPS = 3_000
SETTLE_S = 15.0
"""Until the spare process has imported everything."""
LIMITS = {"every view open": 0.95, "minimized": 0.99}

Pair = tuple[Stretch, Stretch]


def run() -> Iterator[Result]:
    """One run; in turns nobody looks, a window shows all, the window is minimized.

    Each stretch is compared with the two around it in which nobody looked, so that a
    processor that becomes faster or slower does not count.

    Steps per second say what a person loses; on a machine that others use too they
    say little, because the shares of others go up and down. Steps per processor
    second of the trainer say what looking adds to its own work.
    """
    looked: dict[str, list[Stretch]] = {name: [] for name in LIMITS}
    preset = find_preset("cartpole-plain-dqn").configuration
    with real_lab() as lab:
        lab.train(preset.with_options({"training.steps": 10**8}), WARM_UP_STEPS)
        lab.stretch(SETTLE_S)
        alone = [lab.stretch(SECONDS)]
        for _ in range(ROUNDS):
            window = lab.open_window()
            window.do("marks", wanted=["q"])
            window.do("everything")
            looked["every view open"].append(lab.stretch(SECONDS))
            window.do("minimize")
            looked["minimized"].append(lab.stretch(SECONDS))
            window.leave(keep_training=True)
            alone.append(lab.stretch(SECONDS))
    around = [together(*it) for it in pairwise(alone)]
    for name, measured in looked.items():
        pairs = list(zip(measured, around, strict=True))
        yield from tax_rows(f"GUI tax, {name}", pairs, LIMITS[name])


def together(first: Stretch, second: Stretch) -> Stretch:
    """Both as one."""
    used = {
        role: cpu + second.cpu_s.get(role, 0.0) for role, cpu in first.cpu_s.items()
    }
    steps, wall_s = first.steps + second.steps, first.wall_s + second.wall_s
    return Stretch(steps, wall_s, used)


def tax_rows(name: str, pairs: list[Pair], limit: float) -> Iterator[Result]:
    """What looking costs, of stretches that were looked at and those around them."""
    yield _row(name, "s", pairs, limit, lambda it: it.per_s)
    yield _row(name, "CPU s", pairs, limit, lambda it: it.per_cpu_s)


def _row(
    name: str,
    per: str,
    pairs: list[Pair],
    limit: float,
    rate: Callable[[Stretch], float],
) -> Result:
    ratios = [rate(looked) / rate(alone) for looked, alone in pairs]
    middle = ratios.index(statistics.median(ratios))
    looked, alone = pairs[middle]
    return Result(
        f"{name}: steps per {per}",
        f"steps/{per}",
        rate(looked),
        rate(alone),
        limit=limit,
        notes=(
            f"ratios {', '.join(f'{it:.3f}' for it in sorted(ratios))}; {load()}",
            f"cores busy, looked at: {looked.shares()}",
            f"cores busy, alone: {alone.shares()}",
        ),
    )
