"""What it costs the training that somebody looks, with every view open or minimized."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from engine.contract.catalogue import find_preset
from tests.benchmarks.harness import Result, load
from tests.benchmarks.real_lab import RealLab, Stretch, real_lab

ROUNDS = 4
SECONDS = 10.0
WARM_UP_STEPS = 3_000
SETTLE_S = 15.0
"""Until the spare process has imported everything."""
LIMITS = {"every view open": 0.95, "minimized": 0.99}

Pair = tuple[Stretch, Stretch]


def run() -> Iterator[Result]:
    """One run; in turns nobody looks, a window shows all, the window is minimized.

    Steps per second say what a person loses; on a machine that others use too they
    say little, because the shares of others go up and down. Steps per processor
    second of the trainer say what looking adds to its own work.
    """
    pairs: dict[str, list[Pair]] = {name: [] for name in LIMITS}
    preset = find_preset("cartpole-plain-dqn").configuration
    with real_lab() as lab:
        lab.train(preset.with_options({"training.steps": 10**8}), WARM_UP_STEPS)
        lab.stretch(SETTLE_S)
        for _ in range(ROUNDS):
            _round(lab, pairs)
    for name, measured in pairs.items():
        yield _row(name, "s", measured, lambda it: it.per_s)
        yield _row(name, "CPU s", measured, lambda it: it.per_cpu_s)


def _round(lab: RealLab, pairs: dict[str, list[Pair]]) -> None:
    alone = lab.stretch(SECONDS)
    window = lab.open_window()
    window.do("marks", wanted=["q"])
    window.do("everything")
    pairs["every view open"].append((lab.stretch(SECONDS), alone))
    window.do("minimize")
    pairs["minimized"].append((lab.stretch(SECONDS), alone))
    window.leave(keep_training=True)


def _row(
    name: str, per: str, pairs: list[Pair], rate: Callable[[Stretch], float]
) -> Result:
    ratios = [rate(looked) / rate(alone) for looked, alone in pairs]
    middle = ratios.index(statistics.median_low(ratios))
    looked, alone = pairs[middle]
    return Result(
        f"GUI tax, {name}: steps per {per}",
        f"steps/{per}",
        rate(looked),
        rate(alone),
        limit=LIMITS[name],
        notes=(
            f"ratios {', '.join(f'{it:.3f}' for it in sorted(ratios))}; {load()}",
            f"cores busy, looked at: {looked.shares()}",
            f"cores busy, alone: {alone.shares()}",
        ),
    )
