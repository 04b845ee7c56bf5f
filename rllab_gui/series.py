"""One measured series in growing arrays; bounded, and thinned without losing peaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LIMIT = 1 << 16
"""Rows kept for one series before its older half is thinned: thirty for each pixel of a
wide plot, and 2.6 MB; exports are made from the session, which has all."""
THINNED_FROM = 8
"""Of fewer rows the older half holds no four rows to choose from."""

FIELDS: dict[str, type] = {
    "step": np.int64,
    "value": np.float64,
    "wall_time": np.float64,
    "update": np.int64,
    "episode": np.int64,
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of a series as arrays of equal length, read-only views."""

    step: np.ndarray
    value: np.ndarray
    wall_time: np.ndarray
    update: np.ndarray
    episode: np.ndarray

    def __len__(self) -> int:
        return len(self.step)


class Series:
    """Appends rows in amortised constant time."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._size = 0
        self._arrays: dict[str, np.ndarray] = {
            name: np.empty(64, kind) for name, kind in FIELDS.items()
        }

    def __len__(self) -> int:
        return self._size

    def columns(self) -> Columns:
        """All rows."""
        views = {name: it[: self._size] for name, it in self._arrays.items()}
        for view in views.values():
            view.flags.writeable = False
        return Columns(**views)

    def append(self, **columns: np.ndarray) -> None:
        """Add rows; a clock that is not given counts as 0."""
        count = len(columns["step"])
        least = max(self._limit // 2, THINNED_FROM - 1)
        while self._size > least and self._size + count > self._limit:
            self._thin()
        self._reserve(self._size + count)
        for name, array in self._arrays.items():
            array[self._size : self._size + count] = columns.get(name, 0)
        self._size += count
        while self._size > max(self._limit, THINNED_FROM - 1):
            self._thin()

    def prepend(self, **columns: np.ndarray) -> None:
        """Put older rows in front; those not older than the first row are dropped."""
        mine = {name: it[: self._size].copy() for name, it in self._arrays.items()}
        steps = np.asarray(columns["step"])
        keep = np.ones(len(steps), bool) if not self._size else steps < mine["step"][0]
        self._size = 0
        self.append(**{name: np.asarray(it)[keep] for name, it in columns.items()})
        self.append(**mine)

    def cut(self, step: int) -> None:
        """Forget rows after this step: a run that went back measures them again."""
        steps = self._arrays["step"][: self._size]
        keep = np.flatnonzero(steps <= step)
        for array in self._arrays.values():
            array[: len(keep)] = array[keep]
        self._size = len(keep)

    def _reserve(self, size: int) -> None:
        capacity = len(self._arrays["step"])
        if size <= capacity:
            return
        while capacity < size:
            capacity *= 2
        for name, old in self._arrays.items():
            self._arrays[name] = np.empty(capacity, old.dtype)
            self._arrays[name][: self._size] = old[: self._size]

    def _thin(self) -> None:
        """Keep of every four rows of the older half the smallest and the largest."""
        quads = self._size // THINNED_FROM
        values = self._arrays["value"][: 4 * quads].reshape(quads, 4)
        values = np.where(np.isnan(values), 0.0, values)
        low, high = values.argmin(axis=1), values.argmax(axis=1)
        high = np.where(high == low, (low + 1) % 4, high)
        first, second = np.minimum(low, high), np.maximum(low, high)
        base = 4 * np.arange(quads)
        old = np.stack([base + first, base + second], axis=1).reshape(-1)
        kept = np.concatenate([old, np.arange(4 * quads, self._size)])
        for array in self._arrays.values():
            array[: len(kept)] = array[kept]
        self._size = len(kept)
