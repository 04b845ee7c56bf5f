"""From where on a step is remarkable: percentiles of what is known of the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rllab_gui.plots.numbers import short

NEAR_TIE = 5.0
"""Gaps in the lowest so many percent are a near tie."""
CRITICAL = 95.0
"""Importance above this percentile is critical."""
SURPRISE = 2.0
"""TD errors in the outer so many percent on either side are a surprise."""
MOST_EPISODES = 100
MOST_STEPS = 500
"""Of longer episodes every so many-th step counts."""


class Values(NamedTuple):
    """Of one judged episode: gap and importance of each observation, TD errors."""

    gap: np.ndarray
    importance: np.ndarray
    td_error: np.ndarray


@dataclass(frozen=True, slots=True)
class Limits:
    """The percentiles, and over how much they were computed.

    Attributes:
      gap: Below it is a near tie.
      importance: Above it is critical.
      low, high: TD errors beyond them are surprises.
      episodes, steps: Judged alike, of this session.
    """

    gap: float
    importance: float
    low: float
    high: float
    episodes: int
    steps: int

    def words(self, glyph: str) -> str:
        """What a glyph means, with its number and where that is from."""
        share = {
            "=": f"the gap is at most {short(self.gap)}, the lowest {NEAR_TIE:g} %",
            "!": f"the importance is above {short(self.importance)}, "
            f"the highest {100 - CRITICAL:g} %",
            "^": f"δ is above {short(self.high)}, the highest {SURPRISE:g} %",
            "??": f"δ is below {short(self.low)}, the lowest {SURPRISE:g} %",
        }.get(glyph)
        if share is None:
            return GLYPHS.get(glyph, "")
        which = "1 episode" if self.episodes == 1 else f"{self.episodes:,} episodes"
        base = f"{which} of this session judged so far ({self.steps:,} steps)"
        return f"{GLYPHS[glyph]}: {share} of {base}"


GLYPHS = {
    "?": "exploratory: chance chose, not the agent",
    "=": "near tie",
    "!": "critical",
    "^": "better than expected",
    "??": "worse than expected",
    "P": "a person chose",
    "†": "a life was lost: for learning, the return ends here",
    "X": "terminated here",
    "T": "truncated here: the time was up, not the task",
}


class _Ordered:
    """Finite numbers in ascending order, of which episodes come and go.

    With a hundred episodes of hundreds of steps that takes a fifth of the time, or
    less, of sorting them anew.
    """

    def __init__(self) -> None:
        self._numbers = np.empty(0)

    def add(self, more: np.ndarray) -> None:
        """These too, NaN left out."""
        more = _sorted(more)
        places = np.searchsorted(self._numbers, more)
        self._numbers = np.insert(self._numbers, places, more)

    def remove(self, less: np.ndarray) -> None:
        """No longer these, which have been added once."""
        less = _sorted(less)
        among_equals = np.arange(len(less)) - np.searchsorted(less, less)
        places = np.searchsorted(self._numbers, less) + among_equals
        self._numbers = np.delete(self._numbers, places)

    def percentile(self, percent: float) -> float:
        """As numpy interpolates it; NaN of nothing."""
        if not len(self._numbers):
            return np.nan
        last = len(self._numbers) - 1
        place = last * percent / 100
        low = int(place)
        below, above = self._numbers[low], self._numbers[min(low + 1, last)]
        return float(below + (above - below) * (place - low))


def _sorted(numbers: np.ndarray) -> np.ndarray:
    return np.sort(numbers[np.isfinite(numbers)])


class _Judged:
    """Episodes that one judge has judged, and their numbers together."""

    def __init__(self) -> None:
        self._episodes: dict[tuple[str, int], Values] = {}
        self._parts = tuple(_Ordered() for _ in range(3))

    def put(self, key: tuple[str, int], values: Values) -> None:
        """This episode counts, as judged now; of too many the oldest does not."""
        self._drop(key)
        self._episodes[key] = values
        for part, numbers in zip(self._parts, values, strict=True):
            part.add(numbers)
        while len(self._episodes) > MOST_EPISODES:
            self._drop(next(iter(self._episodes)))

    def _drop(self, key: tuple[str, int]) -> None:
        values = self._episodes.pop(key, None)
        if values is not None:
            for part, numbers in zip(self._parts, values, strict=True):
                part.remove(numbers)

    def __len__(self) -> int:
        return len(self._episodes)

    def limits(self) -> Limits:
        """The percentiles of all of them; NaN where there is nothing."""
        gap, importance, td_error = self._parts
        return Limits(
            gap=gap.percentile(NEAR_TIE),
            importance=importance.percentile(CRITICAL),
            low=td_error.percentile(SURPRISE),
            high=td_error.percentile(100 - SURPRISE),
            episodes=len(self._episodes),
            steps=sum(len(it.td_error) for it in self._episodes.values()),
        )


def limits_of(values: Values) -> Limits:
    """The percentiles of one episode by itself; NaN where there is nothing."""
    judged = _Judged()
    judged.put(("", 0), values)
    return judged.limits()


class SessionLimits:
    """What has been judged in one session, apart for each checkpoint that judged.

    Values of different weights are not alike, so that each judge has its own limits.
    """

    def __init__(self) -> None:
        self._session = ""
        self._known: dict[int, _Judged] = {}

    def with_episode(
        self, key: tuple[str, int, str, int], values: Values, *, counts: bool
    ) -> Limits:
        """The limits for an episode, which counts from now on if it was recorded."""
        session, judge, kind, number = key
        if session != self._session:
            self._session, self._known = session, {}
        known = self._known.setdefault(judge, _Judged())
        if counts:
            known.put((kind, number), _thinned(values))
        return known.limits() if len(known) else limits_of(values)


def _thinned(values: Values) -> Values:
    every = -(-max(len(values.td_error), 1) // MOST_STEPS)
    return Values(*(np.asarray(it[::every], np.float64) for it in values))
