"""The four clocks of a run that an x axis may show, and how to change between them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from PySide6.QtWidgets import QComboBox, QWidget

from engine.contract.messages import Event
from rllab_gui.option_words import event_text
from rllab_gui.plots.base import PlotView
from rllab_gui.plots.items import Marker
from rllab_gui.plots.ranges import GrowingCount
from rllab_gui.series import Columns
from rllab_gui.store import Store

CLOCKS = {
    "step": "environment steps",
    "episode": "episodes",
    "update": "updates",
    "wall_time": "minutes",
}
MARKED = ("option", "recovery")
"""Kinds of events that are shown as ticks in every plot over training."""


def clock_box(name: str, parent: QWidget) -> QComboBox:
    """A box that chooses one of the clocks; its data are the names."""
    box = QComboBox(parent)
    box.setObjectName(name)
    box.setAccessibleName("Horizontal axis")
    box.setToolTip("What the horizontal axis counts")
    for clock, words in CLOCKS.items():
        box.addItem(words.rpartition(" ")[2], clock)
    return box


def growing(clock: str, store: Store) -> GrowingCount:
    """The axis range of a clock; that of the steps ends at the budget of the run."""
    if clock == "step":
        return GrowingCount(goal=lambda: float(store.options_at().training.steps))
    return GrowingCount(least=1.0 if clock == "wall_time" else 10.0)


def times(columns: Columns, clock: str) -> np.ndarray:
    """The rows of a series on this clock, float64 [n]; minutes since the first row."""
    if clock == "wall_time":
        if not len(columns):
            return np.empty(0)
        return np.asarray((columns.wall_time - columns.wall_time[0]) / 60.0)
    return np.asarray(getattr(columns, clock), np.float64)


def newest(columns: Columns, clock: str) -> float:
    """Last of :func:`times`; NaN where there are no rows."""
    if not len(columns):
        return math.nan
    if clock == "wall_time":
        return float(columns.wall_time[-1] - columns.wall_time[0]) / 60.0
    return float(getattr(columns, clock)[-1])


class DrawnTo:
    """How far growing curves have been drawn, and whether more of one would be seen."""

    def __init__(self, plot: PlotView) -> None:
        self._plot = plot
        self._ends: dict[str, float] = {}

    def is_seen(self, series: str, end: float) -> bool:
        """Whether a curve that goes so far is a pixel longer; takes note of it."""
        longer = self._plot.pixels(end - self._ends.get(series, math.nan))
        if abs(longer) < 1.0:
            return False
        self._ends[series] = end
        return True


def at_steps(columns: Columns, clock: str, steps: np.ndarray) -> np.ndarray:
    """What another clock said at these environment steps, by the rows beside them."""
    steps = np.asarray(steps, np.float64)
    if clock == "step" or not len(columns):
        return steps
    known = columns.step.astype(np.float64)
    return np.asarray(np.interp(steps, known, times(columns, clock)))


def ticks(events: Iterable[Event], columns: Columns, clock: str) -> list[Marker]:
    """Change markers of these events on this clock."""
    marked = [event for event in events if event.kind in MARKED]
    places = at_steps(columns, clock, np.array([event.step for event in marked]))
    return [
        Marker(float(x), f"step {event.step:,}: {event_text(event)}")
        for x, event in zip(places, marked, strict=True)
    ]
