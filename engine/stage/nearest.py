"""Exact nearest neighbours among some thousand rows."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

CHUNK_BYTES = 8 * 2**20


def distances(
    rows: np.ndarray, row: np.ndarray, scale: np.ndarray | float = 1.0
) -> Generator[None, Any, np.ndarray]:
    """Euclidean distance of each row [n, ...] to one [...], float64 [n].

    Every number is divided by its ``scale`` first.
    """
    wide = max(1, 8 * int(np.prod(row.shape)))
    size = max(1, CHUNK_BYTES // wide)
    middle = row.astype(np.float64).reshape(-1)
    parts = [np.zeros(0)]
    for start in range(0, len(rows), size):
        part = rows[start : start + size].astype(np.float64)
        apart = (part.reshape(len(part), -1) - middle) / scale
        parts.append(np.sqrt((apart * apart).sum(axis=1)))
        yield
    return np.concatenate(parts)


def spreads(rows: np.ndarray) -> np.ndarray:
    """Standard deviation of each number of rows [n, F]; 1 where it never changes."""
    found = rows.astype(np.float64).std(axis=0)
    return np.where(found > 0, found, 1.0)


def nearest(distance: np.ndarray, count: int) -> np.ndarray:
    """Rows of the smallest distances, nearest first; of equal ones the first row."""
    return np.argsort(distance, kind="stable")[:count]
