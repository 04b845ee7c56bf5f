"""Measuring two programs side by side on a machine that others use too."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One row of the table.

    ``ratio`` is how many times faster ours is than the peer; ``limit`` is what it
    must reach. ``skipped`` says why there is no number.
    """

    name: str
    unit: str
    ours: float = 0.0
    peer: float = 0.0
    limit: float = 0.0
    skipped: str = ""

    @property
    def ratio(self) -> float:
        return self.ours / self.peer

    @property
    def passed(self) -> bool:
        return bool(self.skipped) or self.ratio >= self.limit

    def row(self) -> str:
        if self.skipped:
            return f"{self.name:<44} skipped: {self.skipped}"
        verdict = "" if self.passed else "  TOO SLOW"
        return (
            f"{self.name:<44} {self.ours:>12,.0f} {self.peer:>12,.0f} {self.unit:<12}"
            f" {self.ratio:>6.2f} {self.limit:>6.2f}{verdict}"
        )


HEAD = (
    f"{'benchmark':<44} {'ours':>12} {'peer':>12} {'unit':<12}"
    f" {'ratio':>6} {'limit':>6}"
)


def side_by_side(
    ours: Callable[[], int], peer: Callable[[], int], rounds: int
) -> tuple[float, float]:
    """Operations per processor second of both, in turns so that load hits both.

    Each callable does some work and returns how many operations that was. The pair
    of the round with the median ratio is returned.
    """
    pairs = []
    for _ in range(rounds):
        pairs.append((_rate(ours), _rate(peer)))
    middle = statistics.median_low([a / b for a, b in pairs])
    return next((a, b) for a, b in pairs if a / b == middle)


def _rate(work: Callable[[], int]) -> float:
    start = time.process_time()
    done = work()
    return done / (time.process_time() - start)
