"""Greedy evaluations in a plot over training: a mean, and the lowest to the highest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor

from engine.contract.messages import EvaluationFinished
from rllab_gui.plots.base import PlotView
from rllab_gui.plots.items import Symbols
from rllab_gui.plots.numbers import count, short
from rllab_gui.series import Columns
from rllab_gui.views.clocks import at_steps

NEAR_PX = 10
"""A click this close to an evaluation means the evaluation."""


class EvaluationMarks:
    """Diamonds at the means, and bars from the lowest to the highest return.

    Attributes:
      x, mean, low, high: What is shown, float64 [n].
    """

    def __init__(self, plot: PlotView) -> None:
        self._plot = plot
        self._done: list[EvaluationFinished] = []
        self.x = self.mean = self.low = self.high = np.empty(0)
        self._table = np.empty((0, 4))
        self._bars = pg.ErrorBarItem(x=self.x, y=self.x, beam=0.0)
        self._diamonds = Symbols(symbol="d", size=9)
        plot.item.addItem(self._bars)
        plot.item.addItem(self._diamonds)

    def show(
        self, evaluations: Sequence[EvaluationFinished], rows: Columns, clock: str
    ) -> None:
        """Draw these on this clock; ``rows`` know what the clocks said."""
        others = self._measure([it for it in evaluations if len(it.returns)])
        x = at_steps(rows, clock, self._table[:, 0])
        if not others and np.array_equal(x, self.x):
            return
        self.x = x
        self.mean, self.low, self.high = self._table[:, 1:].T
        self._diamonds.setData(self.x, self.mean)
        self._bars.setData(
            x=self.x,
            y=self.mean,
            top=self.high - self.mean,
            bottom=self.mean - self.low,
        )

    def _measure(self, done: list[EvaluationFinished]) -> bool:
        """Step, mean and extremes of those that are new; True if some have gone."""
        both = zip(self._done, done, strict=False)
        kept = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], both))
        fresh = [_numbers(it) for it in done[kept:]]
        table = np.array(fresh, np.float64).reshape(-1, 4)
        self._table = np.concatenate([self._table[:kept], table])
        gone = kept < len(self._done)
        self._done = done
        return gone

    def near(self, x: float, y: float) -> EvaluationFinished | None:
        """The evaluation under the pointer, if there is one."""
        here = self._plot.pixel_of(x, y)
        for place, mean, done in zip(self.x, self.mean, self._done, strict=True):
            away = self._plot.pixel_of(float(place), float(mean)) - here
            if QPoint.dotProduct(away, away) <= NEAR_PX**2:
                return done
        return None

    def set_colours(self, colour: str, rim: str) -> None:
        """Draw in this colour; the rim sets the diamonds off."""
        self._diamonds.setBrush(QColor(colour))
        self._diamonds.setPen(self._plot.pen(rim))
        self._bars.setData(pen=self._plot.pen(colour))


def _numbers(evaluation: EvaluationFinished) -> tuple[float, float, float, float]:
    returns = np.asarray(evaluation.returns, np.float64)
    low, high = float(returns.min()), float(returns.max())
    return evaluation.step, float(returns.mean()), low, high


def words_of(evaluation: EvaluationFinished) -> str:
    """One evaluation in words."""
    returns = np.asarray(evaluation.returns, np.float64)
    spread = f"{short(float(returns.min()))} to {short(float(returns.max()))}"
    best = ", the best so far" if evaluation.best else ""
    return (
        f"Greedy evaluation of checkpoint {count(evaluation.step)}: mean "
        f"{short(float(returns.mean()))}, {spread} in {len(returns)} episodes{best}"
    )
