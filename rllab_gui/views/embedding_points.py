"""Points of the map of states: their colours, and their way from layout to layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CLIPPED = 0.02
"""More values than this share beyond the colour scale make it a new one."""


@dataclass
class ColourScale:
    """Values to 0..1; frozen until asked, or until too many values clip.

    Attributes:
      low, high: Values of the two ends; NaN before the first values.
      clipped: Share of the newest values beyond the ends.
    """

    low: float = np.nan
    high: float = np.nan
    clipped: float = 0.0

    def take(self, values: np.ndarray) -> np.ndarray:
        """Places of these values on the scale, float [n] from 0 to 1."""
        known = values[np.isfinite(values)]
        if not len(known):
            return np.zeros(len(values))
        if not np.isfinite(self.low):
            self.fit(values)
        self.clipped = float(np.mean((known < self.low) | (known > self.high)))
        if self.clipped > CLIPPED:
            self.fit(values)
            self.clipped = 0.0
        span = max(self.high - self.low, 1e-12)
        return np.clip(np.nan_to_num((values - self.low) / span), 0.0, 1.0)

    def fit(self, values: np.ndarray) -> None:
        """Stretch the scale over these values."""
        known = values[np.isfinite(values)]
        if len(known):
            self.low, self.high = float(known.min()), float(known.max())
            self.clipped = 0.0


class Journey:
    """Positions on their way from one layout to the next, point by point.

    A point that was not there before appears where it belongs.
    """

    def __init__(self) -> None:
        self._ids = np.empty(0, np.int64)
        self._start = np.empty((0, 2))
        self._end = np.empty((0, 2))

    def set_out(self, ids: np.ndarray, positions: np.ndarray, done: float) -> None:
        """Go to this layout from where the points are, ``done`` of the old way."""
        here = self.at(done)
        order = np.argsort(self._ids)
        start = np.array(positions, np.float64)
        if len(order):
            found = np.searchsorted(self._ids, ids, sorter=order)
            place = order[np.minimum(found, len(order) - 1)]
            known = self._ids[place] == ids
            start[known] = here[place[known]]
        self._ids, self._start = np.array(ids), start
        self._end = np.array(positions, np.float64)

    def at(self, done: float) -> np.ndarray:
        """Positions when this share of the way is done, float [n, 2]."""
        done = min(max(done, 0.0), 1.0)
        return np.asarray(self._start + done * (self._end - self._start))
