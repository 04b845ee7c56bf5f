"""A growing series at the resolution of a screen, kept up to date by what is new."""

from __future__ import annotations

import numpy as np

from rllab_gui.plots.numbers import Floats, Momentum, smoothed_on

MOST_RAW = 2_048
"""Rows that are shown as they are."""
FIRST_GROUP = 4
MOST_GROUPS = 1_024
"""More groups than this become half as many, each twice as long."""


class Condensed:
    """Extremes of groups of rows, and the average over all rows at their ends.

    The rows before the last group are never looked at again, so that a draw costs
    what has come since the last one and not what there is. Another series, another
    clock or another factor is noticed, and begun anew.

    Attributes:
      x, y: Points of the line: smallest and largest of each group, in order, then
        the newest rows as they are.
      mean_x, mean: Points of the moving average.
    """

    def __init__(self) -> None:
        self.x = self.y = self.mean_x = self.mean = np.empty(0)
        self._begin(0.0)

    def _begin(self, factor: float) -> None:
        self._factor = factor
        self._per = FIRST_GROUP
        self._done = 0
        self._ends = (np.nan, np.nan)
        self._momentum = Momentum()
        self._line = np.empty((2, 0))
        self._average = np.empty((2, 0))

    def take(self, x: Floats, y: Floats, factor: float) -> None:
        """These are all rows now; ``factor`` is that of the moving average."""
        if not self._goes_on(x, factor):
            self._begin(factor)
        if len(y) > MOST_RAW:
            self._group(x, y)
        rest_x, rest = x[self._done :], y[self._done :]
        mean, _ = smoothed_on(rest, factor, self._momentum)
        self.x = np.concatenate([self._line[0], rest_x])
        self.y = np.concatenate([self._line[1], rest])
        self.mean_x = np.concatenate([self._average[0], rest_x])
        self.mean = np.concatenate([self._average[1], mean])

    def _goes_on(self, x: Floats, factor: float) -> bool:
        """Whether the grouped rows are still the first ones of the series."""
        if factor != self._factor or len(x) < self._done:
            return False
        return not self._done or (x[0], x[self._done - 1]) == self._ends

    def _group(self, x: Floats, y: Floats) -> None:
        """Put the new rows into groups, as far as they fill them."""
        whole = (len(y) - self._done) // self._per * self._per
        if not whole:
            return
        new = slice(self._done, self._done + whole)
        mean, self._momentum = smoothed_on(y[new], self._factor, self._momentum)
        points = np.stack([x[new], y[new]])
        ends = np.stack([x[new], mean])[:, self._per - 1 :: self._per]
        self._line = np.hstack([self._line, _extremes(points, self._per)])
        self._average = np.hstack([self._average, ends])
        self._done += whole
        self._ends = (x[0], x[self._done - 1])
        while self._average.shape[1] > MOST_GROUPS:
            self._halve()

    def _halve(self) -> None:
        """Two groups become one; a last odd one stays as it is."""
        self._per *= 2
        even = self._average.shape[1] // 2 * 2
        odd_line, self._line = self._line[:, 2 * even :], self._line[:, : 2 * even]
        self._line = np.hstack([_extremes(self._line, 4), odd_line])
        odd, self._average = self._average[:, even:], self._average[:, 1:even:2]
        self._average = np.hstack([self._average, odd])


def _extremes(points: Floats, per: int) -> Floats:
    """Smallest and largest of each ``per`` points, in their order, float64 [2, n]."""
    groups = points.shape[1] // per
    values = points[1].reshape(groups, per)
    low = np.where(np.isnan(values), np.inf, values).argmin(axis=1)
    high = np.where(np.isnan(values), -np.inf, values).argmax(axis=1)
    high = np.where(high == low, (low + 1) % per, high)
    picked = np.stack([np.minimum(low, high), np.maximum(low, high)], axis=1)
    return points[:, (picked + per * np.arange(groups)[:, None]).reshape(-1)]
