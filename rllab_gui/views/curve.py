"""The learning curve: returns of training episodes and of greedy evaluations."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QToolTip

from engine.contract.several_seeds import seed_of
from rllab_gui.cursor import Position
from rllab_gui.plots.base import PlotView
from rllab_gui.plots.condensed import Condensed
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.items import Dots
from rllab_gui.plots.numbers import count, short, smoothed
from rllab_gui.plots.ranges import GrowingSpan
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.clocks import (
    CLOCKS,
    DrawnTo,
    at_steps,
    clock_box,
    growing,
    newest,
    ticks,
    times,
)
from rllab_gui.views.evaluation_marks import EvaluationMarks, words_of
from rllab_gui.views.seed_curves import SeedCurves

SMOOTHING = 0.9


class CurveView(View):
    """Undiscounted return over training; a click looks at that episode."""

    view_id = "curve"
    title = "Learning curve"
    about = (
        "The return of each finished episode: the sum of its rewards, undiscounted. "
        "Dots are training episodes, in which the agent also explores; the line is "
        "their moving average s = Σ fᵗ⁻ᵏ x / Σ fᵗ⁻ᵏ with factor f. Diamonds are greedy "
        "evaluations. A dashed tick is a changed option. Of several seeds trained at "
        "once the others are thin lines, their moving averages. Click to look at an "
        "episode through the checkpoint nearest to it."
    )
    topics = frozenset({"scalars"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.clock = "step"
        self.plot = PlotView(
            "curve",
            "Return per episode",
            context.theme,
            x=growing(self.clock, self.context.store),
            y=GrowingSpan(anchor=0.0),
            smoothing=SMOOTHING,
        )
        self._drawn_to = DrawnTo(self.plot)
        self._box = clock_box("train.curve.x", self)
        self.plot.header.add(self._box)
        self._furnish()
        self.adopt(self.plot)
        self._connect()
        self.restyle()

    def _furnish(self) -> None:
        self._dots = Dots()
        self._drawn = Condensed()
        self.plot.item.addItem(self._dots)
        self._line = self.plot.line("#000000")
        self._marks = EvaluationMarks(self.plot)
        self._seeds = SeedCurves(self.plot)

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
        drawn, factor = self._drawn, self.plot.smoothing
        drawn.take(x, raw, factor)
        self._dots.set_data(x, raw)
        self._line.setVisible(factor > 0.0)
        self._line.setData(drawn.mean_x, drawn.mean)
        marks, seeds = self._marks, self._seeds
        marks.show(store.evaluations, rows, self.clock)
        seeds.show(store, self.clock, factor, drawn)
        others = [np.concatenate(it) for it in zip(*seeds.lines.values(), strict=True)]
        others = others or [np.empty(0)] * 2
        self.plot.include(
            np.concatenate([drawn.x, x[-1:], marks.x, others[0]]),
            np.concatenate([drawn.y, marks.low, marks.high, others[1]]),
        )
        self.plot.set_markers(ticks(store.events, rows, self.clock))
        self.plot.set_model(
            x=x,
            raw=raw,
            smoothed=lambda: smoothed(raw, factor),
            evaluation_x=marks.x,
            evaluation_mean=marks.mean,
            evaluation_low=marks.low,
            evaluation_high=marks.high,
            **seeds.model(),
        )
        self._say(rows.episode, x, raw, drawn.mean)
        self._on_cursor(self.context.cursor.position)

    def _say(
        self, episodes: np.ndarray, x: np.ndarray, raw: np.ndarray, mean: np.ndarray
    ) -> None:
        done, factor = self.context.store.evaluations, self.plot.smoothing
        tokens = self.context.theme.tokens
        colour = self.context.theme.colour
        names = [("", tokens.muted, f"undiscounted · {self._count}")]
        names += self._seeds.legend(self.context.theme, factor, self._first)
        if done:
            words = (
                f"greedy evaluation: mean, lowest to highest of {len(done[-1].returns)}"
            )
            names.append(("◆", colour(1), words))
        names.append(("▪", tokens.raw, "training episode, exploring, raw"))
        if factor:
            names.append(("━", colour(0), f"their EMA {factor:g}, de-biased"))
        self.plot.set_legend(legend_html(names))
        sentence = self._sentence(episodes, raw, mean)
        how = f"EMA {factor:g}, de-biased" if factor else "raw, not smoothed"
        step = count(self.context.store.status.step)
        self.plot.set_caption(
            f"{sentence} Over {CLOCKS[self.clock]}, to step {step}; undiscounted, "
            f"{how}; {self._count}"
            f"{f', episodes of seed {self._first}' if len(self._seeds) else ''}."
        )
        self.plot.describe(sentence)

    @property
    def _first(self) -> int:
        """The seed that episodes and evaluations are of."""
        return self.context.store.configuration.training.seed

    @property
    def _count(self) -> str:
        """How many seeds are drawn."""
        others = len(self._seeds)
        return f"n = {others + 1} seeds" if others else "n = 1 seed"

    def _sentence(self, episodes: np.ndarray, raw: np.ndarray, mean: np.ndarray) -> str:
        parts = []
        if len(raw):
            parts.append(
                f"Return {short(float(raw[-1]))} in episode {count(int(episodes[-1]))},"
                f" moving average {short(float(mean[-1]))}."
            )
        done = self.context.store.evaluations
        if done:
            parts.append(words_of(done[-1]) + ".")
        return " ".join(parts)

    # -------------------------------------------------------------- the person

    def _on_picked(self, x: float, y: float) -> None:
        """Look at the evaluation or at the episode that was clicked."""
        evaluation = self._marks.near(x, y)
        cursor, axis = self.context.cursor, self.context.axis
        if evaluation is not None:
            cursor.show_checkpoint(evaluation.step)
            self._show_evaluation(evaluation.step)
            return
        nearest = self._row_at(x)
        if nearest is not None:
            rows = self.context.store.series("return")
            judge = axis.nearest(float(rows.step[nearest]))
            cursor.show_episode(
                "training", int(rows.episode[nearest]), checkpoint=judge
            )

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
        evaluation = self._marks.near(x, y)
        if evaluation is not None:
            return words_of(evaluation) + ".\nClick to look at it."
        row = self._row_at(x)
        if row is None:
            return ""
        seed = self._seeds.words_at(x, y)
        rows = self.context.store.series("return")
        step = count(int(rows.step[row]))
        return (
            f"episode {count(int(rows.episode[row]))}, step {step}"
            f"\nreturn {short(float(rows.value[row]))} (exploring, undiscounted)"
            "\nClick to look at it."
            f"{seed and chr(10) + seed}"
        )

    # ------------------------------------------------------------ what changes

    def _on_cursor(self, position: Position) -> None:
        """Mark the episode that is looked at; the axes do not move.

        A dotted line marks the checkpoint that judges it.
        """
        rows = self.context.store.series("return")
        judge = None
        if position.checkpoint >= 0:
            step = np.array([position.checkpoint])
            judge = float(at_steps(rows, self.clock, step)[0])
        self.plot.set_ghost(judge)
        found = np.flatnonzero(rows.episode == position.episode)
        if position.kind == "training" and position.episode >= 0 and len(found):
            self.plot.set_cursor(float(times(rows, self.clock)[found[0]]))
        else:
            self.plot.set_cursor(judge)

    def _on_series(self, name: str) -> None:
        if name == "return" or seed_of(name) is not None:
            end = newest(self.context.store.series(name), self.clock)
            self.refresh_if(self._drawn_to.is_seen(name, end))

    def _on_status(self) -> None:
        if not len(self.context.store.series("return")):
            self.refresh()

    def _on_reset(self) -> None:
        self._seeds.start_again()
        self.plot.start_again(x=growing(self.clock, self.context.store))
        self.refresh()

    def _on_clock(self) -> None:
        self.clock = str(self._box.currentData())
        self._seeds.start_again()
        self.plot.start_again(x=growing(self.clock, self.context.store))
        self.plot.set_labels(CLOCKS[self.clock])
        self.refresh()

    def restyle(self) -> None:
        """Take over the colours of the theme."""
        theme = self.context.theme
        self._dots.set_colour(theme.tokens.raw, 0.6)
        self._line.setPen(self.plot.pen(theme.colour(0)))
        self._marks.set_colours(theme.colour(1), theme.tokens.panel)
        self._seeds.set_colours(theme)
        self.plot.set_labels(CLOCKS[self.clock])
