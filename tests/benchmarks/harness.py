"""Measuring two programs side by side on a machine that others use too."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One row of the table.

    ``ratio`` is how many times better ours is than the peer; ``limit`` is what it
    must reach. ``skipped`` says why there is no number. With ``less_is_better`` (a
    time, a growth) the peer is the budget. ``notes`` are printed below the row.
    """

    name: str
    unit: str
    ours: float = 0.0
    peer: float = 0.0
    limit: float = 0.0
    skipped: str = ""
    less_is_better: bool = False
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        if self.less_is_better:
            return self.peer / max(self.ours, 1e-9)
        return self.ours / self.peer

    @property
    def passed(self) -> bool:
        return bool(self.skipped) or self.ratio >= self.limit

    def row(self) -> str:
        if self.skipped:
            return f"{self.name:<44} skipped: {self.skipped}"
        verdict = "" if self.passed else "  TOO SLOW"
        first = (
            f"{self.name:<44} {self.ours:>12,.0f} {self.peer:>12,.0f} {self.unit:<12}"
            f" {self.ratio:>6.2f} {self.limit:>6.2f}{verdict}"
        )
        return "\n".join([first, *(f"    {note}" for note in self.notes)])


HEAD = (
    f"{'benchmark':<44} {'ours':>12} {'peer':>12} {'unit':<12}"
    f" {'ratio':>6} {'limit':>6}"
)


def within(
    name: str, times_s: Sequence[float], budget_s: float, *notes: str, p: int = 50
) -> Result:
    """A row for times that have a budget; percentile ``p`` of them counts."""
    first = (
        f"n {len(times_s)}: least {1000 * min(times_s):,.0f} ms, "
        f"p50 {1000 * percentile(times_s, 50):,.0f} ms, "
        f"p95 {1000 * percentile(times_s, 95):,.0f} ms; {load()}"
    )
    return Result(
        f"{name}, p{p}",
        "ms",
        1000 * percentile(times_s, p),
        1000 * budget_s,
        limit=1.0,
        less_is_better=True,
        notes=(first, *notes),
    )


def percentile(values: Sequence[float], p: float) -> float:
    """The value that p percent of all do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, -(-len(ranked) * int(p) // 100) - 1))]


def load() -> str:
    """How busy the machine is with other things, to be read beside every figure."""
    if not hasattr(os, "getloadavg"):
        return f"{os.cpu_count()} cores"
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def side_by_side(
    ours: Callable[[], int],
    peer: Callable[[], int],
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> tuple[float, float]:
    """Operations per second of both, in turns so that load hits both.

    Seconds are those of the processor, which other programs do not lengthen; where
    threads share the work, ``time.perf_counter`` has to be the clock.

    Each callable does some work and returns how many operations that was. The pair
    of the round with the median ratio is returned.
    """
    pairs = []
    for _ in range(rounds):
        pairs.append((_rate(ours, clock), _rate(peer, clock)))
    middle = statistics.median_low([a / b for a, b in pairs])
    return next((a, b) for a, b in pairs if a / b == middle)


def _rate(work: Callable[[], int], clock: Callable[[], float]) -> float:
    start = clock()
    done = work()
    return done / (clock() - start)
