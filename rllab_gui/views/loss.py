"""How learning goes inside: loss, TD error and gradient norm on a logarithmic axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton

from rllab_gui.plots.base import PlotView
from rllab_gui.plots.condensed import Condensed
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.numbers import short, smoothed
from rllab_gui.plots.ranges import GrowingSpan
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.clocks import CLOCKS, growing, ticks, times

SMOOTHING = 0.9


@dataclass(frozen=True, slots=True)
class Trace:
    """One series that can be shown.

    Attributes:
      share: It is drawn as a share of its largest value, on the right axis.
    """

    name: str
    words: str
    colour: int
    style: Qt.PenStyle
    shown: bool
    share: bool = False


SOLID, DASH, DOT = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
)
TRACES = (
    Trace("loss", "loss", 0, SOLID, True),
    Trace("td_error", "mean |δ|", 1, DASH, True),
    Trace("td_error_max", "largest |δ|", 4, DOT, False),
    Trace("gradient_norm", "gradient norm", 2, DOT, True),
    Trace("epsilon", "ε", 3, DASH, False, share=True),
    Trace("learning_rate", "learning rate", 5, SOLID, False, share=True),
)
_MARKS = {SOLID: "━", DASH: "╌", DOT: "┈"}


class LossView(View):
    """Loss and errors per update; ε and learning rate on demand."""

    view_id = "loss"
    title = "Loss and TD error"
    about = (
        "The TD error δ = y − Q(s,a) with the target y = r + γ max_a' Q_target(s',a') "
        "says how wrong the network still is; the loss is what its updates make small, "
        "and the gradient norm is the size of the step it is asked for. The axis is "
        "logarithmic; zeros stand apart at the bottom."
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
        self.shown = {trace.name: trace.shown for trace in TRACES}
        self.plot.header.add(self._series_button())
        self._right, self._right_axis = self.plot.add_right_axis()
        self._right_axis.hide()
        self._drawn = {trace.name: Condensed() for trace in TRACES}
        self._lines = {trace.name: self._make_lines(trace) for trace in TRACES}
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
        menu = QMenu(button)
        for trace in TRACES:
            action = menu.addAction(trace.words)
            action.setObjectName(f"act.plot.loss.series.{trace.name}")
            action.setToolTip(f"Show {trace.words}")
            action.setStatusTip(action.toolTip())
            action.setCheckable(True)
            action.setChecked(trace.shown)
            action.toggled.connect(
                lambda on, name=trace.name: self.show_series(name, on)
            )
        menu.addSeparator()
        self._add_clocks(menu)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

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

    def show_series(self, name: str, shown: bool) -> None:
        """Draw this series, or do not."""
        self.shown[name] = shown
        self._right_axis.setVisible(
            any(self.shown[it.name] for it in TRACES if it.share)
        )
        self.refresh()

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
        for trace in TRACES:
            rows = self.context.store.series(trace.name)
            x = times(rows, self.clock) if self.shown[trace.name] else np.empty(0)
            values = np.asarray(rows.value, np.float64)[: len(x)]
            if len(x):
                model[f"{trace.name}_x"], model[trace.name] = x, values
            if trace.share:
                self._draw_share(trace, x, values)
            else:
                self._condense(trace, x, values)
        for trace in TRACES:  # the place of zero is known only now
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
        if trace.name == "epsilon" or not len(values):
            return 1.0
        return float(np.nanmax(values)) or 1.0

    def _say(self, model: dict[str, Any]) -> None:
        factor, theme = self.plot.smoothing, self.context.theme
        how = f"EMA {factor:g}, raw behind" if factor else "raw"
        names, said = [], []
        for trace in TRACES:
            values = model.get(trace.name)
            if values is None or not len(values):
                continue
            words = trace.words
            if trace.share:
                top = short(self._largest(trace, values))
                words += f" (right axis, 1 = {top})"
            names.append((_MARKS[trace.style], theme.colour(trace.colour), words))
            said.append(f"{trace.words} {short(float(values[-1]))}")
        names.append(("", theme.tokens.muted, f"{how} · n = 1 seed"))
        self.plot.set_legend(legend_html(names))
        sentence = "Newest raw values: " + ", ".join(said) + "."
        self.plot.set_caption(f"{sentence} {CLOCKS[self.clock]}; {how}; n = 1 seed.")
        self.plot.describe(sentence)

    # ------------------------------------------------------------ what changes

    def _on_series(self, name: str) -> None:
        if self.shown.get(name):
            self.refresh()

    def _on_log(self, log: bool) -> None:
        self.refresh()

    def _on_reset(self) -> None:
        self.plot.start_again(x=growing(self.clock, self.context.store))
        self.refresh()

    def set_clock(self, clock: str) -> None:
        """Count something else on the horizontal axis."""
        self.clock = clock
        self.plot.start_again(x=growing(clock, self.context.store))
        self.plot.set_labels(CLOCKS[clock])
        self.refresh()

    def restyle(self) -> None:
        """Take over the colours of the theme."""
        theme = self.context.theme
        for trace in TRACES:
            behind, front = self._lines[trace.name]
            colour = theme.colour(trace.colour)
            behind.setPen(self.plot.pen(colour, SOLID, 0.35))
            front.setPen(self.plot.pen(colour, trace.style))
        self.plot.set_labels(CLOCKS[self.clock])
