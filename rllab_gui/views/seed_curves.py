"""The curves of the other seeds that a run trains beside the first one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QBrush, QColor

from engine.contract.several_seeds import seed_of
from rllab_gui.plots.base import PlotView
from rllab_gui.plots.condensed import Condensed
from rllab_gui.plots.numbers import short
from rllab_gui.plots.seed_statistics import LEAST_FOR_INTERVAL, interval, middle
from rllab_gui.store import Store
from rllab_gui.theme import Theme
from rllab_gui.views.clocks import times

GRID = 100
"""Places at which seeds are compared, and so often an interval is worked out."""
MOST_POINTS = 400
"""Of the line of a seed."""
NEAR_PX = 8


class SeedCurves:
    """A thin line for each other seed; the middle of all, and its interval.

    Attributes:
      lines: Moving averages of the other seeds, ``(x, y)`` by seed, in order.
      x, middle, low, high: Of all seeds together, float64 [n].
    """

    def __init__(self, plot: PlotView) -> None:
        self._plot = plot
        self._drawn: dict[int, Condensed] = {}
        self.lines: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.x = self.middle = self.low = self.high = np.empty(0)
        self._to = (-1, np.nan, np.nan)
        self._thin, self._thick = plot.line("#000000"), plot.line("#000000")
        self._rims = [plot.line("#000000") for _ in range(2)]
        self._band = pg.FillBetweenItem(*self._rims)
        plot.item.addItem(self._band)

    def __len__(self) -> int:
        """How many other seeds there are."""
        return len(self.lines)

    def show(self, store: Store, clock: str, factor: float, first: Condensed) -> None:
        """Draw what the store has; ``first`` is the moving average of the first."""
        names = {seed_of(it): it for it in store.series_names()}
        found = {seed: it for seed, it in names.items() if seed is not None}
        self._drawn = {seed: self._drawn.get(seed, Condensed()) for seed in found}
        self.lines = {}
        for seed, name in sorted(found.items()):
            rows, drawn = store.series(name), self._drawn[seed]
            drawn.take(times(rows, clock), np.asarray(rows.value, np.float64), factor)
            self.lines[seed] = _fewer(drawn)
        self._thin.setData(*_in_one(list(self.lines.values())), connect="finite")
        self._compare([_fewer(first), *self.lines.values()])

    def _compare(self, curves: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Bring the middle of all up to date, where it would move."""
        known = [it for it in curves if len(it[0])]
        if len(known) < 2 or len(known) < len(curves):
            self.x = self.middle = self.low = self.high = np.empty(0)
            self._to = (-1, np.nan, np.nan)
        else:
            begin = max(float(x[0]) for x, _ in known)
            end = min(float(x[-1]) for x, _ in known)
            if not self._is_new(len(known), begin, end):
                return
            self.x = np.linspace(begin, end, GRID) if end > begin else np.empty(0)
            values = np.stack([np.interp(self.x, x, y) for x, y in known])
            self.middle = middle(values)
            rims = interval(values)
            self.low, self.high = (np.empty(0),) * 2 if rims is None else rims
        self._thick.setData(self.x, self.middle)
        for rim, height in zip(self._rims, (self.low, self.high), strict=True):
            rim.setData(self.x[: len(height)], height)

    def _is_new(self, count: int, begin: float, end: float) -> bool:
        seeds, was_begin, was_end = self._to
        same = seeds == count and was_begin == begin and was_end <= end
        if same and end - was_end < (end - begin) / GRID:
            return False
        self._to = (count, begin, end)
        return True

    def start_again(self) -> None:
        """The horizontal axis, or the session, is another."""
        self._to = (-1, np.nan, np.nan)

    # ------------------------------------------------------------------- words

    def legend(
        self, theme: Theme, factor: float, first: int
    ) -> list[tuple[str, str, str]]:
        """Entries of the legend; none where there is one seed."""
        if not self.lines:
            return []
        count = len(self.lines) + 1
        how = "their interquartile mean, 95 % bootstrap interval"
        together = how if count >= LEAST_FOR_INTERVAL else "their mean"
        others = f"seeds {min(self.lines)} to {max(self.lines)}"
        others = others if count > 2 else f"seed {min(self.lines)}"
        return [
            ("━", theme.colour(2), together),
            ("━", theme.tokens.muted, f"{'EMA' if factor else 'returns'} of {others}"),
            ("", theme.tokens.muted, f"of seed {first} alone:"),
        ]

    def model(self) -> dict[str, Any]:
        """What is drawn, by name, for exports."""
        if not self.lines:
            return {}
        found: dict[str, Any] = {}
        for seed, (x, y) in self.lines.items():
            found |= {f"seed_{seed}_x": x, f"seed_{seed}_smoothed": y}
        name = "iqm" if len(self.lines) + 1 >= LEAST_FOR_INTERVAL else "mean"
        found |= {"seeds_x": self.x, f"seeds_{name}": self.middle}
        return found | {"seeds_low": self.low, "seeds_high": self.high}

    def words_at(self, x: float, y: float) -> str:
        """Which seed's line is under the pointer; empty where none is."""
        at = self._plot.pixel_of(x, y).y()
        for seed, (places, values) in self.lines.items():
            if not len(places) or not places[0] <= x <= places[-1]:
                continue
            value = float(np.interp(x, places, values))
            if abs(self._plot.pixel_of(x, value).y() - at) <= NEAR_PX:
                return f"seed {seed}: moving average {short(value)}"
        return ""

    def set_colours(self, theme: Theme) -> None:
        """Take over the colours of the theme."""
        plot, colour = self._plot, QColor(theme.colour(2))
        self._thin.setPen(plot.pen(theme.tokens.muted, opacity=0.55))
        self._thick.setPen(plot.pen(theme.colour(2)))
        for rim in self._rims:
            rim.setPen(plot.pen(theme.colour(2), opacity=0.0))
        colour.setAlphaF(0.22)
        self._band.setBrush(QBrush(colour))


def _fewer(drawn: Condensed) -> tuple[np.ndarray, np.ndarray]:
    """The moving average with so many points at most, the last one among them."""
    every = max(1, -(-len(drawn.mean_x) // MOST_POINTS))
    return drawn.mean_x[::-1][::every][::-1], drawn.mean[::-1][::every][::-1]


def _in_one(lines: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, ...]:
    """Lines as one with gaps: far cheaper than an item for each."""
    gap = np.array([np.nan])
    parts = [[part for it in lines for part in (it[axis], gap)] for axis in (0, 1)]
    return tuple(np.concatenate(it) if it else np.empty(0) for it in parts)
