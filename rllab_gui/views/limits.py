"""From where on a step is remarkable: percentiles of what is known of the session."""

from __future__ import annotations

from collections.abc import Iterable
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


def limits_of(known: Iterable[Values]) -> Limits:
    """The percentiles of these episodes together; NaN where there is nothing."""
    episodes = list(known)
    gap, importance, td_error = (
        np.concatenate([np.empty(0), *(values[part] for values in episodes)])
        for part in range(3)
    )
    return Limits(
        gap=_percentile(gap, NEAR_TIE),
        importance=_percentile(importance, CRITICAL),
        low=_percentile(td_error, SURPRISE),
        high=_percentile(td_error, 100 - SURPRISE),
        episodes=len(episodes),
        steps=len(td_error),
    )


class SessionLimits:
    """What has been judged in one session, apart for each checkpoint that judged.

    Values of different weights are not alike, so that each judge has its own limits.
    """

    def __init__(self) -> None:
        self._session = ""
        self._known: dict[int, dict[tuple[str, int], Values]] = {}

    def with_episode(
        self, key: tuple[str, int, str, int], values: Values, *, counts: bool
    ) -> Limits:
        """The limits for an episode, which counts from now on if it was recorded."""
        session, judge, kind, number = key
        if session != self._session:
            self._session, self._known = session, {}
        known = self._known.setdefault(judge, {})
        if counts:
            known.pop((kind, number), None)
            known[kind, number] = _thinned(values)
        while len(known) > MOST_EPISODES:
            del known[next(iter(known))]
        return limits_of(known.values() if known else [values])


def _thinned(values: Values) -> Values:
    every = -(-max(len(values.td_error), 1) // MOST_STEPS)
    return Values(*(np.asarray(it[::every], np.float64) for it in values))


def _percentile(values: np.ndarray, percent: float) -> float:
    """As numpy interpolates it, without its general machinery."""
    known = values[np.isfinite(values)]
    if not len(known):
        return np.nan
    place = (len(known) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(known) - 1)
    ordered = np.partition(known, (low, high))
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))
