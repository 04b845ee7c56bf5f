"""Fewer points of a curve, fewer checkpoints of a run; what matters stays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np


def thin_curve(value: np.ndarray, max_points: int) -> np.ndarray:
    """Positions of at most ``max_points`` points that show the same extremes.

    The range is divided into equal shares, each of which keeps its least and its
    greatest value; the first and the last point stay. NaN is kept only where a
    share has nothing else.
    """
    count = len(value)
    if max_points <= 0 or count <= max_points:
        return np.arange(count)
    shares = max(1, (max_points - 2) // 2)
    edges = np.linspace(0, count, shares + 1).astype(np.int64)
    low, high = np.where(np.isnan(value), np.inf, value), value.copy()
    high[np.isnan(value)] = -np.inf
    picked = {0, count - 1}
    for first, end in pairwise(edges):
        picked.add(int(first + low[first:end].argmin()))
        picked.add(int(first + high[first:end].argmax()))
    return np.array(sorted(picked))


def thin_steps(steps: Sequence[int], limit: int, protect: Collection[int]) -> list[int]:
    """Which of these ascending steps to give up so that ``limit`` are left.

    Always the one whose neighbours are closest together, so that the rest stays
    evenly spread; the first and the last are never given up, nor those in
    ``protect``.
    """
    left, gone = list(steps), []
    while len(left) > limit:
        inner = [i for i in range(1, len(left) - 1) if left[i] not in protect]
        if not inner:
            break
        nearest = min(inner, key=lambda i: left[i + 1] - left[i - 1])
        gone.append(left.pop(nearest))
    return gone
