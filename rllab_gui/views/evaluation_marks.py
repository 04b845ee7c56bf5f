"""Greedy evaluations in a plot over training: a mean, and the lowest to the highest."""

from __future__ import annotations

from collections.abc import Sequence

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
        self._bars = pg.ErrorBarItem(x=self.x, y=self.x, beam=0.0)
        self._diamonds = Symbols(symbol="d", size=9)
        plot.item.addItem(self._bars)
        plot.item.addItem(self._diamonds)

    def show(
        self, evaluations: Sequence[EvaluationFinished], rows: Columns, clock: str
    ) -> None:
        """Draw these on this clock; ``rows`` know what the clocks said."""
        self._done = [it for it in evaluations if len(it.returns)]
        self.x = at_steps(rows, clock, np.array([it.step for it in self._done]))
        self.mean = np.array([float(np.mean(it.returns)) for it in self._done])
        self.low = np.array([float(np.min(it.returns)) for it in self._done])
        self.high = np.array([float(np.max(it.returns)) for it in self._done])
        self._diamonds.setData(self.x, self.mean)
        self._bars.setData(
            x=self.x,
            y=self.mean,
            top=self.high - self.mean,
            bottom=self.mean - self.low,
        )

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


def words_of(evaluation: EvaluationFinished) -> str:
    """One evaluation in words."""
    returns = np.asarray(evaluation.returns, np.float64)
    spread = f"{short(float(returns.min()))} to {short(float(returns.max()))}"
    best = ", the best so far" if evaluation.best else ""
    return (
        f"Greedy evaluation of checkpoint {count(evaluation.step)}: mean "
        f"{short(float(returns.mean()))}, {spread} in {len(returns)} episodes{best}"
    )
