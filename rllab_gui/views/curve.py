"""The learning curve: returns of training episodes and of greedy evaluations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QToolTip

from engine.contract.messages import EvaluationFinished
from rllab_gui.cursor import Position
from rllab_gui.plots.base import PlotView
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.items import Dots, Symbols
from rllab_gui.plots.numbers import count, short, smoothed
from rllab_gui.plots.ranges import GrowingSpan
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.clocks import CLOCKS, at_steps, clock_box, growing, ticks, times

SMOOTHING = 0.9
NEAR_PX = 10
"""A click this close to an evaluation means the evaluation."""


class CurveView(View):
    """Undiscounted return over training; a click looks at that episode."""

    view_id = "curve"
    title = "Learning curve"
    topics = frozenset({"scalars"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.clock = "step"
        self.plot = PlotView(
            "curve",
            "Return per episode",
            context.theme,
            x=growing(self.clock),
            y=GrowingSpan(anchor=0.0),
            smoothing=SMOOTHING,
        )
        self._box = clock_box("train.curve.x", self)
        self.plot.header.add(self._box)
        self._furnish()
        self.adopt(self.plot)
        self._connect()
        self.restyle()

    def _furnish(self) -> None:
        self._dots = Dots()
        self.plot.item.addItem(self._dots)
        self._line = self.plot.line("#000000")
        self._range = pg.ErrorBarItem(x=np.empty(0), y=np.empty(0))
        self.plot.item.addItem(self._range)
        self._diamonds = Symbols(symbol="d", size=9)
        self.plot.item.addItem(self._diamonds)
        self._means = np.empty(0)
        self._places = np.empty(0)

    def _connect(self) -> None:
        store, cursor = self.context.store, self.context.cursor
        store.seriesChanged.connect(self._on_series)
        store.evaluationsChanged.connect(self.refresh)
        store.eventsChanged.connect(self.refresh)
        store.statusChanged.connect(self._on_status)
        store.wasReset.connect(self._on_reset)
        cursor.changed.connect(self._on_cursor)
        self._box.currentIndexChanged.connect(self._on_clock)
        self.plot.smoothingChanged.connect(self.refresh)
        self.plot.picked.connect(self._on_picked)
        self.plot.pointed.connect(self._on_pointed)
        self.plot.pointerLeft.connect(QToolTip.hideText)

    def emptiness(self) -> tuple[str, str, tuple[()]] | None:
        """Before the first finished episode a counter lives here."""
        store = self.context.store
        if len(store.series("return")) or store.evaluations:
            return None
        environments = max(store.configuration.training.environments, 1)
        t = store.status.step // environments
        title = f"First point after the first finished episode (now t = {count(t)})."
        if store.status.state in ("idle", "failed", "finished") and not t:
            return "No episode yet.", "Train to see how the return grows.", ()
        return title, "", ()

    # ------------------------------------------------------------------ draw

    def draw(self) -> None:
        """Bring dots, average, evaluations and ticks up to date."""
        store = self.context.store
        rows = store.series("return")
        x, raw = times(rows, self.clock), np.asarray(rows.value, np.float64)
        mean = smoothed(raw, self.plot.smoothing)
        self._dots.set_data(x, raw)
        self._line.setVisible(self.plot.smoothing > 0.0)
        self._line.setData(x, mean)
        lows, highs = self._draw_evaluations()
        self.plot.include(
            np.concatenate([x, self._places]), np.concatenate([raw, lows, highs])
        )
        self.plot.set_markers(ticks(store.events, rows, self.clock))
        self.plot.set_model(
            x=x,
            raw=raw,
            smoothed=mean,
            evaluation_x=self._places,
            evaluation_mean=self._means,
            evaluation_low=lows,
            evaluation_high=highs,
        )
        self._say(rows.episode, x, raw, mean)
        self._on_cursor(self.context.cursor.position)

    def _draw_evaluations(self) -> tuple[np.ndarray, np.ndarray]:
        done = [it for it in self.context.store.evaluations if len(it.returns)]
        rows = self.context.store.series("return")
        self._places = at_steps(rows, self.clock, np.array([it.step for it in done]))
        self._means = np.array([float(np.mean(it.returns)) for it in done])
        lows = np.array([float(np.min(it.returns)) for it in done])
        highs = np.array([float(np.max(it.returns)) for it in done])
        self._diamonds.setData(self._places, self._means)
        self._range.setData(
            x=self._places,
            y=self._means,
            top=highs - self._means,
            bottom=self._means - lows,
        )
        return lows, highs

    def _say(
        self, episodes: np.ndarray, x: np.ndarray, raw: np.ndarray, mean: np.ndarray
    ) -> None:
        done, factor = self.context.store.evaluations, self.plot.smoothing
        tokens = self.context.theme.tokens
        names = [("▪", tokens.raw, "training episode, exploring, raw")]
        if factor:
            average = f"their EMA {factor:g}, de-biased"
            names.append(("━", self.context.theme.colour(0), average))
        if done:
            words = (
                f"greedy evaluation: mean, lowest to highest of {len(done[-1].returns)}"
            )
            names.append(("◆", self.context.theme.colour(1), words))
        names.append(("", tokens.muted, "undiscounted · n = 1 seed"))
        self.plot.set_legend(legend_html(names))
        sentence = self._sentence(episodes, raw, mean)
        how = f"EMA {factor:g}, de-biased" if factor else "raw, not smoothed"
        step = count(self.context.store.status.step)
        self.plot.set_caption(
            f"{sentence} Over {CLOCKS[self.clock]}, to step {step}; undiscounted, "
            f"{how}; n = 1 seed."
        )
        self.plot.describe(sentence)

    def _sentence(self, episodes: np.ndarray, raw: np.ndarray, mean: np.ndarray) -> str:
        parts = []
        if len(raw):
            parts.append(
                f"Return {short(float(raw[-1]))} in episode {count(int(episodes[-1]))},"
                f" moving average {short(float(mean[-1]))}."
            )
        done = self.context.store.evaluations
        if done:
            parts.append(_words(done[-1]) + ".")
        return " ".join(parts)

    # -------------------------------------------------------------- the person

    def _on_picked(self, x: float, y: float) -> None:
        """Look at the evaluation or at the episode that was clicked."""
        evaluation = self._evaluation_at(x, y)
        cursor = self.context.cursor
        if evaluation is not None:
            cursor.show_checkpoint(evaluation.step)
            self._show_evaluation(evaluation.step)
            return
        nearest = self._row_at(x)
        if nearest is not None:
            rows = self.context.store.series("return")
            cursor.show_episode("training", int(rows.episode[nearest]))

    def _show_evaluation(self, step: int) -> None:
        """Look at the first greedy episode of the evaluation at this step."""
        for episode in self.context.store.episodes:
            if episode.kind == "evaluation" and episode.step == step:
                self.context.cursor.show_episode("evaluation", episode.episode)
                return
        self.context.link.ask(
            "episodes", {}, lambda answer: self._on_episodes(step, answer)
        )

    def _on_episodes(self, step: int, answer: dict[str, Any]) -> None:
        steps = np.asarray(answer.get("step", ()))
        for at in np.flatnonzero(steps == step).tolist():
            if answer["kind"][at] == "evaluation":
                number = int(answer["episode"][at])
                self.context.cursor.show_episode("evaluation", number)
                return

    def _evaluation_at(self, x: float, y: float) -> EvaluationFinished | None:
        here = self.plot.pixel_of(x, y)
        done = [it for it in self.context.store.evaluations if len(it.returns)]
        for place, mean, evaluation in zip(
            self._places, self._means, done, strict=True
        ):
            away = self.plot.pixel_of(place, mean) - here
            if QPoint.dotProduct(away, away) <= NEAR_PX**2:
                return evaluation
        return None

    def _row_at(self, x: float) -> int | None:
        places = times(self.context.store.series("return"), self.clock)
        if not len(places):
            return None
        after = int(np.searchsorted(places, x))
        near = [it for it in (after - 1, after) if 0 <= it < len(places)]
        return min(near, key=lambda it: abs(float(places[it]) - x))

    def _on_pointed(self, x: float, y: float) -> None:
        if self.plot.markers.at(x):
            return  # the tick tells what happened
        words = self._words_at(x, y)
        if words:
            place = self.plot.canvas.mapToGlobal(self.plot.pixel_of(x, y))
            QToolTip.showText(place + QPoint(12, 12), words, self.plot.canvas)

    def _words_at(self, x: float, y: float) -> str:
        evaluation = self._evaluation_at(x, y)
        if evaluation is not None:
            return _words(evaluation) + ".\nClick to look at it."
        row = self._row_at(x)
        if row is None:
            return ""
        rows = self.context.store.series("return")
        step = count(int(rows.step[row]))
        return (
            f"episode {count(int(rows.episode[row]))}, step {step}"
            f"\nreturn {short(float(rows.value[row]))} (exploring, undiscounted)"
            "\nClick to look at it."
        )

    # ------------------------------------------------------------ what changes

    def _on_cursor(self, position: Position) -> None:
        """Mark the episode that is looked at; the axes do not move."""
        rows = self.context.store.series("return")
        found = np.flatnonzero(rows.episode == position.episode)
        if position.kind == "training" and position.episode >= 0 and len(found):
            self.plot.set_cursor(float(times(rows, self.clock)[found[0]]))
        elif position.checkpoint >= 0:
            step = np.array([position.checkpoint])
            self.plot.set_cursor(float(at_steps(rows, self.clock, step)[0]))
        else:
            self.plot.set_cursor(None)

    def _on_series(self, name: str) -> None:
        if name == "return":
            self.refresh()

    def _on_status(self) -> None:
        if not len(self.context.store.series("return")):
            self.refresh()

    def _on_reset(self) -> None:
        self.plot.start_again(x=growing(self.clock))
        self.refresh()

    def _on_clock(self) -> None:
        self.clock = str(self._box.currentData())
        self.plot.start_again(x=growing(self.clock))
        self.plot.set_labels(CLOCKS[self.clock])
        self.refresh()

    def restyle(self) -> None:
        """Take over the colours of the theme."""
        theme = self.context.theme
        self._dots.set_colour(theme.tokens.raw, 0.6)
        self._line.setPen(self.plot.pen(theme.colour(0)))
        self._diamonds.setBrush(QColor(theme.colour(1)))
        self._diamonds.setPen(self.plot.pen(theme.tokens.panel))
        self._range.setData(pen=self.plot.pen(theme.colour(1)), beam=0.0)
        self.plot.set_labels(CLOCKS[self.clock])


def _words(evaluation: EvaluationFinished) -> str:
    returns = np.asarray(evaluation.returns, np.float64)
    spread = f"{short(float(returns.min()))} to {short(float(returns.max()))}"
    best = ", the best so far" if evaluation.best else ""
    mean = short(float(returns.mean())) if len(returns) else short(math.nan)
    return (
        f"Greedy evaluation of checkpoint {count(evaluation.step)}: mean {mean}, "
        f"{spread} in {len(returns)} episodes{best}"
    )
