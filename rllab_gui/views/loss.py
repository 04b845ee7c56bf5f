"""How learning goes inside: loss, TD error and gradient norm on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton

from engine.contract.several_seeds import seed_of
from rllab_gui.plots.base import PlotView
from rllab_gui.plots.condensed import Condensed
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.numbers import short, smoothed
from rllab_gui.plots.ranges import GrowingSpan
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.clocks import CLOCKS, DrawnTo, growing, newest, ticks, times
from rllab_gui.views.moments import TrainingMoment
from rllab_gui.views.traces import (
    DASH,
    DOT,
    MARKS,
    MEANINGS,
    SHARES,
    SOLID,
    Trace,
    further,
)

SMOOTHING = 0.9
TRACES = (
    Trace("loss", "loss", 0, SOLID, True),
    Trace("td_error", "mean |δ|", 1, DASH, True),
    Trace("td_error_max", "largest |δ|", 4, DOT, False),
    Trace("gradient_norm", "gradient norm", 2, DOT, True),
    Trace("epsilon", "ε", 3, DASH, False, share=True),
    Trace("learning_rate", "learning rate", 5, SOLID, False, share=True),
)
ELSEWHERE = ("return", "length", "beta", "replay_size")
"""Series that other views and the status bar show."""
WHOLE = ("epsilon", *SHARES)
"""These are shares by themselves."""


class LossView(View):
    """Loss and errors per update; on demand ε, learning rate, and whatever else.

    Series that only some methods have come into the menu when they arrive.
    """

    view_id = "loss"
    title = "Loss and TD error"
    about = (
        "The TD error δ = y − Q(s,a) says how wrong the network still is. Its target y "
        "is what reward and value of what follows make of Q(s,a), as estimator, n-step "
        "return and target network say: plain Q-learning has y = r + γ max_a' "
        "Q_target(s',a'). Of a distribution Q is the mean. The loss is what updates "
        "make small; the gradient norm is the size of the step that it asks for. The "
        "masked share is the part of the samples that the trust region leaves out; the "
        "model error is how far a planning model is from what really happened. The "
        "axis is logarithmic; zeros and what is below stand apart at the bottom. "
        "Click to look at an episode of that time through the checkpoint nearest to it."
    )
    topics = frozenset({"scalars"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.clock = "step"
        self.plot = PlotView(
            "loss",
            self.title,
            context.theme,
            x=growing(self.clock, self.context.store),
            y=GrowingSpan(anchor=0.0),
            log=True,
            smoothing=SMOOTHING,
        )
        self._drawn_to = DrawnTo(self.plot)
        self.traces: list[Trace] = []
        self.shown: dict[str, bool] = {}
        self._drawn: dict[str, Condensed] = {}
        self._lines: dict[str, tuple[Any, Any]] = {}
        self._actions: dict[str, QAction] = {}
        self._menu = QMenu(self)
        self.plot.header.add(self._series_button())
        self._right, self._right_axis = self.plot.add_right_axis()
        self._right_axis.hide()
        self._add_traces(TRACES)
        self._find_further(context.store.series_names())
        self.adopt(self.plot)
        self._connect()
        self.restyle()

    def _series_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("plot.loss.series")
        button.setText("series")
        button.setProperty("role", "menu")
        button.setAutoRaise(True)
        button.setAccessibleName("Which series are shown")
        button.setToolTip("Choose which series are shown, and over what")
        self._clocks = self._menu.addSeparator()
        self._add_clocks(self._menu)
        button.setMenu(self._menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _add_traces(self, traces: Iterable[Trace]) -> None:
        """Lines for these series, and a place in the menu for each."""
        for trace in traces:
            self.traces.append(trace)
            self.shown[trace.name] = trace.shown
            self._drawn[trace.name] = Condensed()
            self._lines[trace.name] = self._make_lines(trace)
            self._actions[trace.name] = self._series_action(trace)
            self._menu.insertAction(self._clocks, self._actions[trace.name])

    def _find_further(self, names: Iterable[str]) -> None:
        """Offer the series that only this method has."""
        new = [
            name for name in names if name not in ELSEWHERE and seed_of(name) is None
        ]
        traces = further(new, self.traces, len(self.traces))
        if traces:
            self._add_traces(traces)
            self._show_right_axis()
            self.restyle()

    def _forget_further(self) -> None:
        """Another session has other series."""
        for trace in self.traces[len(TRACES) :]:
            box = self._right if trace.share else self.plot.item
            for line in set(self._lines.pop(trace.name)):
                box.removeItem(line)
            del self._drawn[trace.name], self.shown[trace.name]
            self._actions.pop(trace.name).setParent(None)
        del self.traces[len(TRACES) :]
        self._show_right_axis()

    def _series_action(self, trace: Trace) -> QAction:
        action = QAction(trace.words, self._menu)
        action.setObjectName(f"act.plot.loss.series.{trace.name}")
        meaning = MEANINGS.get(trace.name, "")
        action.setToolTip(f"Show {trace.words}" + (f": {meaning}" if meaning else ""))
        action.setStatusTip(action.toolTip())
        action.setCheckable(True)
        action.setChecked(trace.shown)
        action.toggled.connect(lambda on: self.show_series(trace.name, on))
        return action

    def _add_clocks(self, menu: QMenu) -> None:
        """What the horizontal axis counts, one of them at a time."""
        group = QActionGroup(menu)
        for clock, words in CLOCKS.items():
            action = group.addAction(f"over {words}")
            action.setObjectName(f"act.plot.loss.clock.{clock}")
            action.setToolTip(f"Count {words} on the horizontal axis")
            action.setStatusTip(action.toolTip())
            action.setCheckable(True)
            action.setChecked(clock == self.clock)
            action.triggered.connect(
                lambda checked=False, clock=clock: self.set_clock(clock)
            )
        menu.addActions(group.actions())

    def _make_lines(self, trace: Trace) -> tuple[Any, Any]:
        """The raw trace behind and the average in front."""
        if trace.share:
            line = pg.PlotCurveItem()
            self._right.addItem(line)
            return line, line
        behind, front = self.plot.line("#000000"), self.plot.line("#000000")
        front.setZValue(2)
        for line in (behind, front):  # they get no more points than a screen shows
            line.setDownsampling(auto=False)
            line.setClipToView(False)
        return behind, front

    def _connect(self) -> None:
        store = self.context.store
        store.seriesChanged.connect(self._on_series)
        store.eventsChanged.connect(self.refresh)
        store.wasReset.connect(self._on_reset)
        self.plot.smoothingChanged.connect(self.refresh)
        self.plot.logToggled.connect(self._on_log)
        self._moment = TrainingMoment(
            self.plot, self.context, lambda: self.clock, "loss"
        )

    def show_series(self, name: str, shown: bool) -> None:
        """Draw this series, or do not."""
        self.shown[name] = shown
        self._show_right_axis()
        self.refresh()

    def _show_right_axis(self) -> None:
        self._right_axis.setVisible(
            any(self.shown[it.name] for it in self.traces if it.share)
        )

    def emptiness(self) -> tuple[str, str, tuple[()]] | None:
        """Before the first update there is no loss."""
        store = self.context.store
        if any(len(store.series(trace.name)) for trace in TRACES):
            return None
        guidance = "Learning begins when the replay holds enough transitions."
        if store.status.state == "idle":
            guidance = "Train to see it."
        return "No update yet.", guidance, ()

    # ------------------------------------------------------------------ draw

    def draw(self) -> None:
        """Bring all shown series up to date."""
        model: dict[str, Any] = {}
        for trace in self.traces:
            rows = self.context.store.series(trace.name)
            x = times(rows, self.clock) if self.shown[trace.name] else np.empty(0)
            values = np.asarray(rows.value, np.float64)[: len(x)]
            if len(x):
                model[f"{trace.name}_x"], model[trace.name] = x, values
            if trace.share:
                self._draw_share(trace, x, values)
            else:
                self._condense(trace, x, values)
        for trace in self.traces:  # the place of zero is known only now
            if not trace.share:
                self._draw_trace(trace, model)
        self.plot.set_model(**model)
        rows = self.context.store.series("loss")
        self.plot.set_markers(ticks(self.context.store.events, rows, self.clock))
        self._say(model)

    def _condense(self, trace: Trace, x: np.ndarray, values: np.ndarray) -> None:
        """Take in the new rows, and make room for them."""
        drawn = self._drawn[trace.name]
        drawn.take(x, values, self.plot.smoothing)
        if len(x):
            self.plot.include(np.append(drawn.x, x[-1]), drawn.y)

    def _draw_trace(self, trace: Trace, model: dict[str, Any]) -> None:
        behind, front = self._lines[trace.name]
        drawn, factor = self._drawn[trace.name], self.plot.smoothing
        if trace.name in model:
            raw = model[trace.name]
            model[f"{trace.name}_smoothed"] = lambda: smoothed(raw, factor)
        behind.setVisible(bool(factor))
        if factor:
            behind.setData(drawn.x, self.plot.heights(drawn.y))
        front.setData(drawn.mean_x, self.plot.heights(drawn.mean))

    def _draw_share(self, trace: Trace, x: np.ndarray, values: np.ndarray) -> None:
        line, _ = self._lines[trace.name]
        line.setData(x, values / self._largest(trace, values))

    @staticmethod
    def _largest(trace: Trace, values: np.ndarray) -> float:
        """What the right axis calls 1."""
        if trace.name in WHOLE or not len(values):
            return 1.0
        return float(np.nanmax(values)) or 1.0

    def _say(self, model: dict[str, Any]) -> None:
        factor, theme = self.plot.smoothing, self.context.theme
        how = f"EMA {factor:g}, raw behind" if factor else "raw"
        names, said = [], []
        for trace in self.traces:
            values = model.get(trace.name)
            if values is None or not len(values):
                continue
            words = trace.words
            if trace.share:
                top = short(self._largest(trace, values))
                words += f" (right axis, 1 = {top})"
            names.append((MARKS[trace.style], theme.colour(trace.colour), words))
            said.append(f"{trace.words} {short(float(values[-1]))}")
        names.append(("", theme.tokens.muted, f"{how} · n = 1 seed"))
        self.plot.set_legend(legend_html(names))
        sentence = "Newest raw values: " + ", ".join(said) + "."
        self.plot.set_caption(f"{sentence} {CLOCKS[self.clock]}; {how}; n = 1 seed.")
        self.plot.describe(sentence)

    # ------------------------------------------------------------ what changes

    def _on_series(self, name: str) -> None:
        if name not in self.shown:
            self._find_further([name])
        if self.shown.get(name):
            end = newest(self.context.store.series(name), self.clock)
            self.refresh_if(self._drawn_to.is_seen(name, end))

    def _on_log(self, log: bool) -> None:
        self.refresh()

    def _on_reset(self) -> None:
        self._forget_further()
        self.plot.start_again(x=growing(self.clock, self.context.store))
        self.refresh()

    def set_clock(self, clock: str) -> None:
        """Count something else on the horizontal axis."""
        self.clock = clock
        self.plot.start_again(x=growing(clock, self.context.store))
        self.plot.set_labels(CLOCKS[clock])
        self._moment.show_now()
        self.refresh()

    def restyle(self) -> None:
        """Take over the colours of the theme."""
        theme = self.context.theme
        for trace in self.traces:
            behind, front = self._lines[trace.name]
            colour = theme.colour(trace.colour)
            behind.setPen(self.plot.pen(colour, SOLID, 0.35))
            front.setPen(self.plot.pen(colour, trace.style))
        self.plot.set_labels(CLOCKS[self.clock])
