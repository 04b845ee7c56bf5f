"""How axes grow: seldom, in round numbers, and never back while a run is live.

Pure rules without Qt. A range is asked to include new data and answers with a new
range only where it must change, so that a plot rescales a few times per run and
not with each update.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Range = tuple[float, float]

HYSTERESIS = 0.05
"""Share of the span that is left free beyond the data of a plain axis."""


COARSE = (1.0, 2.0, 5.0)
FINE = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


def round_up(value: float, steps: tuple[float, ...] = COARSE) -> float:
    """The least of 1, 2, 5, 10, 20, 50, ... (or 0.5, 0.2, ...) that is >= value."""
    if value <= 0.0:
        return 0.0
    decade = 10.0 ** math.floor(math.log10(value))
    for factor in steps:
        if value <= factor * decade * (1.0 + 1e-9):
            return factor * decade
    return 10.0 * decade


class GrowingCount:
    """An axis from zero for a quantity that counts up: 0-1k, 0-2k, 0-5k, ...

    Args:
      least: Where it ends at first.
      goal: Where counting is expected to end, 0 where nobody knows: the last round
        number gives way to it, so that a finished run fills the axis.
    """

    def __init__(
        self, least: float = 10.0, goal: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._least, self._goal = least, goal
        self.range: Range = (0.0, least)

    def include(self, low: float, high: float) -> bool:
        """Make room for data up to ``high``; True where the range changed."""
        if high <= self.range[1]:
            return False
        end, goal = round_up(high), self._goal()
        self.range = (0.0, goal if high <= goal < end else end)
        return True

    def reset(self) -> None:
        """Forget all data."""
        self.range = (0.0, self._least)


class GrowingSpan:
    """A value axis: a union of all that was seen, in round numbers.

    A side that is exceeded grows by at least half of the span, so that a rising
    curve moves the axis a few times in its life. ``anchor`` is always in view
    (None: the axis need not show zero).
    """

    def __init__(
        self, anchor: float | None = 0.0, steps: tuple[float, ...] = COARSE
    ) -> None:
        self._anchor = anchor
        self._steps = steps
        self._seen: Range | None = None
        self.range: Range = (0.0, 1.0)

    def include(self, low: float, high: float) -> bool:
        """Make room for data from ``low`` to ``high``; True where it changed."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return False
        if self._seen is None:
            self._seen = self._first(low, high)
        elif low >= self._seen[0] and high <= self._seen[1]:
            return False
        else:
            self._seen = self._grown(self._seen, low, high)
        self.range = _padded(self._seen)
        return True

    def reset(self) -> None:
        """Forget all data."""
        self._seen = None
        self.range = (0.0, 1.0)

    def _up(self, value: float) -> float:
        return round_up(value, self._steps)

    def _first(self, low: float, high: float) -> Range:
        if self._anchor is not None:
            low, high = min(low, self._anchor), max(high, self._anchor)
            return (-self._up(-low), self._up(high)) if low < high else (low, low + 1)
        if high - low <= 1e-12 * max(1.0, abs(high)):
            half = max(0.5, 0.05 * abs(high))
            return (low - half, high + half)
        return (low, high)

    def _grown(self, seen: Range, low: float, high: float) -> Range:
        span = seen[1] - seen[0]
        bottom, top = seen
        if low < bottom:
            bottom = min(low, bottom - span / 2)
            bottom = -self._up(-bottom) if self._anchor is not None else bottom
        if high > top:
            top = max(high, top + span / 2)
            top = self._up(top) if self._anchor is not None else top
        return (bottom, top)


class GrowingDecades:
    """A logarithmic axis in whole decades, in units of log10."""

    def __init__(self) -> None:
        self._seen: Range | None = None
        self.range: Range = (-3.0, 0.0)

    def include(self, low: float, high: float) -> bool:
        """Make room for log10 values from ``low`` to ``high``."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return False
        wanted = (float(math.floor(low)), float(math.ceil(high)))
        if self._seen is not None:
            wanted = (min(wanted[0], self._seen[0]), max(wanted[1], self._seen[1]))
        if wanted == self._seen:
            return False
        self._seen = wanted
        top = wanted[1] if wanted[1] > wanted[0] else wanted[0] + 1
        self.range = (wanted[0], top)
        return True

    def reset(self) -> None:
        """Forget all data."""
        self._seen = None
        self.range = (-3.0, 0.0)


class Fixed:
    """An axis whose range is known: a probability, the support of a distribution."""

    def __init__(self, low: float, high: float) -> None:
        self.range: Range = (low, high)

    def include(self, low: float, high: float) -> bool:
        """Data never move a fixed range."""
        return False

    def reset(self) -> None:
        """There is nothing to forget."""


class Exact:
    """An axis that shows exactly what it is told: an episode, a handful of bins."""

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        self._start: Range = (low, high)
        self.range: Range = (low, high)

    def include(self, low: float, high: float) -> bool:
        """Show ``low`` to ``high``, and nothing else."""
        if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
            return False
        changed = (low, high) != self.range
        self.range = (low, high)
        return changed

    def reset(self) -> None:
        """Back to the range it began with."""
        self.range = self._start


AxisRange = GrowingCount | GrowingSpan | GrowingDecades | Fixed | Exact


def _padded(seen: Range) -> Range:
    margin = HYSTERESIS * (seen[1] - seen[0])
    return (seen[0] - margin, seen[1] + margin)
