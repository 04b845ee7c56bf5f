"""The training step that is looked at, in a plot over training; a click goes there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QObject

from rllab_gui.plots.base import PlotView
from rllab_gui.series import Columns
from rllab_gui.views.base import ViewContext
from rllab_gui.views.clocks import at_steps, times


class TrainingMoment(QObject):
    """The cursor line of a plot, and what a click in it means.

    Args:
      plot: Its horizontal axis is a clock of the run.
      context: Of the view.
      clock: Which clock it is now.
      series: Whose rows tell the clocks apart.
    """

    def __init__(
        self,
        plot: PlotView,
        context: ViewContext,
        clock: Callable[[], str] = lambda: "step",
        series: str = "return",
    ) -> None:
        super().__init__(plot)
        self._plot, self._context = plot, context
        self._clock, self._series = clock, series
        plot.picked.connect(self._on_picked)
        context.cursor.changed.connect(self.show_now)
        context.axis.changed.connect(self.show_now)

    def show_now(self, *_: object) -> None:
        """Put the cursor line at the training step; the axes do not move."""
        step = self._context.axis.step
        if step is None:
            self._plot.set_cursor(None)
            return
        places = at_steps(self._rows(), self._clock(), np.array([step]))
        self._plot.set_cursor(float(places[0]))

    def _rows(self) -> Columns:
        return self._context.store.series(self._series)

    def _on_picked(self, x: float, y: float) -> None:
        self._context.axis.go_to(self.step_at(x))

    def step_at(self, x: float) -> float:
        """The training step at this place of the axis."""
        clock, rows = self._clock(), self._rows()
        if clock == "step" or not len(rows):
            return x
        return float(np.interp(x, times(rows, clock), rows.step.astype(np.float64)))
