"""In which order the units of a memory are shown; without Qt."""

from __future__ import annotations

import numpy as np

SORTS = {
    "index": "by index",
    "activity": "by activity",
    "value": "by correlation with V(s)",
}
"""Orders and what they are called."""


def ordering(kind: str, memory: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Units from above to below, int [U].

    Args:
      kind: A key of :data:`SORTS`.
      memory: float [k, U].
      value: V(s) of the same steps, float [k].
    """
    if kind == "activity":
        return _falling(np.abs(memory).mean(0))
    if kind == "value":
        return _falling(np.nan_to_num(correlations(memory, value)))
    return np.arange(memory.shape[1])


def correlations(memory: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Pearson's r of each unit with V(s), float [U]; NaN where one never moves."""
    away = memory - memory.mean(0)
    from_mean = value - value.mean()
    scale = np.sqrt((away**2).sum(0) * (from_mean**2).sum())
    moves = scale > 1e-9
    found = (away * from_mean[:, None]).sum(0)
    return np.where(moves, found / np.where(moves, scale, 1.0), np.nan)


def _falling(score: np.ndarray) -> np.ndarray:
    return np.asarray(np.argsort(-score, kind="stable"))
