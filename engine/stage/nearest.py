"""Exact nearest neighbours among some thousand rows."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from engine.stage.jobs import Pace

CHUNK_BYTES = 2**19
"""What fits into the processor's own memory is worked on several times as fast."""


def distances(
    rows: np.ndarray, row: np.ndarray, scale: np.ndarray | float = 1.0
) -> Generator[None, Any, np.ndarray]:
    """Euclidean distance of each row [n, ...] to one [...], float64 [n].

    Every number is divided by its ``scale`` first.
    """
    wide = max(1, 8 * int(np.prod(row.shape)))
    size = max(1, CHUNK_BYTES // wide)
    middle = row.astype(np.float64).reshape(-1)
    parts, pace = [np.zeros(0)], Pace()
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        apart = part.reshape(len(part), -1).astype(np.float64)
        apart -= middle
        apart /= scale
        parts.append(np.sqrt(np.einsum("ij,ij->i", apart, apart)))
        if pace.due():
            yield
    return np.concatenate(parts)


def spreads(rows: np.ndarray) -> np.ndarray:
    """Standard deviation of each number of rows [n, F]; 1 where it never changes."""
    found = rows.astype(np.float64).std(axis=0)
    return np.where(found > 0, found, 1.0)


def nearest(distance: np.ndarray, count: int) -> np.ndarray:
    """Rows of the smallest distances, nearest first; of equal ones the first row."""
    return np.argsort(distance, kind="stable")[:count]
