"""What a report on priorities says, in numbers and words; no Qt."""

from __future__ import annotations

import numpy as np

from engine.contract.messages import PriorityReport
from rllab_gui.plots.numbers import count, short

TOP = 0.1
"""The share of transitions that the sentence speaks of."""


def top_share(report: PriorityReport, share: float = TOP) -> float:
    """How much of the sampling the transitions of highest priority get together."""
    counts = np.asarray(report.counts, np.float64)[::-1]
    mass = np.asarray(report.mass, np.float64)[::-1]
    wanted = share * (counts.sum() + report.zero_count)
    if wanted <= 0.0:
        return 0.0
    before = np.cumsum(counts) - counts
    taken = np.clip(wanted - before, 0.0, counts)
    parts = np.divide(taken, counts, out=np.zeros_like(counts), where=counts > 0)
    return float(np.sum(parts * mass))


def words_of(report: PriorityReport) -> str:
    """One sentence: how unequal the sampling is."""
    many = f"{count(report.size)} of {count(report.capacity)} slots filled."
    part = top_share(report)
    said = (
        f"The tenth with the highest priority gets {100 * part:.0f} % of the samples "
        "(uniform: 10 %)."
    )
    if report.zero_count:
        said += f" {count(report.zero_count)} have priority zero."
    return f"{many} {said}"


def bin_range(report: PriorityReport, x: float) -> tuple[float, float] | None:
    """Least and largest priority of the bin at this place; None beside the bins."""
    edges = np.asarray(report.bin_edges, np.float64)
    at = int(np.searchsorted(edges, x)) - 1
    if 0 <= at < len(report.counts):
        return float(10.0 ** edges[at]), float(10.0 ** edges[at + 1])
    near_zero = report.zero_count and len(edges) and x < edges[0]
    return (0.0, 0.0) if near_zero else None


def bin_words(report: PriorityReport, x: float) -> str:
    """What one bin holds, as a tooltip."""
    found = bin_range(report, x)
    if found is None:
        return ""
    if found == (0.0, 0.0):
        return f"priority 0: {count(report.zero_count)}"
    low, high = map(short, found)
    at = int(np.searchsorted(np.asarray(report.bin_edges, np.float64), x)) - 1
    return (
        f"priority {low} to {high}\n{count(int(report.counts[at]))} transitions\n"
        f"sampled with probability {100 * float(report.mass[at]):.1f} %\n"
        f"importance weight {short(float(report.weight[at]))}"
    )
