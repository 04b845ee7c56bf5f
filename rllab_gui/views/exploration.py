"""What makes the agent try something new, over time, whichever way it explores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtWidgets import QComboBox

from engine.contract.options import Configuration
from rllab_gui.plots.base import PlotView
from rllab_gui.plots.condensed import Condensed
from rllab_gui.plots.frame import LIVE_LEGEND_S
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.numbers import short
from rllab_gui.plots.ranges import GrowingSpan
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.clocks import CLOCKS, DrawnTo, growing, newest, ticks, times
from rllab_gui.views.moments import TrainingMoment
from rllab_gui.views.traces import MARKS, NOISE, STYLES, words_of


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that is measured while the agent explores.

    Attributes:
      series: Name of its series, or with a dot at its end what all begin with.
      kind: Way of exploring that it belongs to; empty for any.
    """

    series: str
    title: str
    words: str
    kind: str = ""

    def names(self, there: list[str]) -> list[str]:
        """Those of these series that belong to it."""
        if not self.series.endswith("."):
            return [self.series] if self.series in there else []
        return sorted(name for name in there if name.startswith(self.series))


QUANTITIES = (
    Quantity(
        "epsilon", "random actions", "share of random actions ε", "epsilon_greedy"
    ),
    Quantity("temperature", "temperature", "temperature of the policy", "boltzmann"),
    Quantity(NOISE, "noise of layers", "mean |σ| of the noisy weights", "noisy"),
    Quantity(
        "disagreement",
        "disagreement",
        "spread of Q(s,a) between members of the ensemble",
        "bootstrapped",
    ),
    Quantity("bonus", "count bonus", "mean bonus for each step, β/√n"),
)


class ExplorationView(View):
    """One quantity over time: a line, or one for each layer."""

    view_id = "exploration"
    title = "Exploration"
    about = (
        "What drives the agent to try something new: the share ε of random actions, "
        "the temperature of its policy, the noise that it has learned for each layer "
        "(NoisyNet), how far the members of an ensemble disagree, or the mean bonus "
        "for reaching seldom seen states. Each should fall as the agent gets to know "
        "the world."
    )
    topics = frozenset({"scalars"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._chosen = ""
        self._shown: Quantity | None = None
        self._lines: list[Any] = []
        self._drawn: dict[str, Condensed] = {}
        self.plot = PlotView(
            "exploration",
            self.title,
            context.theme,
            x=growing("step", context.store),
            y=GrowingSpan(anchor=0.0),
        )
        self.plot.legend_every_s = LIVE_LEGEND_S
        self._drawn_to = DrawnTo(self.plot)
        self._box = self._make_box()
        self.plot.header.add(self._box)
        self.adopt(self.plot)
        self._moment = TrainingMoment(self.plot, context)
        store = context.store
        store.seriesChanged.connect(self._on_series)
        store.eventsChanged.connect(self.refresh)
        store.statusChanged.connect(self._on_status)
        store.configurationChanged.connect(self.refresh)
        store.wasReset.connect(self._on_reset)
        self.restyle()

    def _make_box(self) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName("train.exploration.what")
        box.setAccessibleName("What is shown of the exploration")
        box.setToolTip("Which of the measured quantities is shown")
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.activated.connect(self._on_chosen)
        box.hide()
        return box

    def quantities(self) -> list[Quantity]:
        """What has been measured and belongs to the way of exploring."""
        there = self.context.store.series_names()
        kind = self.context.store.configuration.exploration.kind
        return [it for it in QUANTITIES if it.kind in ("", kind) and it.names(there)]

    def emptiness(self) -> tuple[str, str, tuple[()]] | None:
        """Before learning all is random, and with UCB nothing but a bonus moves."""
        if self.quantities():
            return None
        store = self.context.store
        configuration: Configuration = store.configuration
        if configuration.exploration.kind == "ucb":
            return (
                "UCB has nothing that moves over time.",
                "Choose ε-greedy, Boltzmann, a noisy network or a bootstrapped "
                "ensemble under Exploration, or give a count bonus; the map of states "
                "shows how often UCB was where.",
                (),
            )
        if store.status.state == "idle":
            return "Nothing explored yet.", "Train to see exploration fall.", ()
        return (
            "All actions are random until learning starts.",
            "The first point comes soon after.",
            (),
        )

    # ------------------------------------------------------------------ draw

    def draw(self) -> None:
        """Bring the lines of the shown quantity up to date."""
        quantity = self._pick()
        names = quantity.names(self.context.store.series_names())
        self._make_lines(len(names))
        model: dict[str, Any] = {}
        for name, line in zip(names, self._lines, strict=False):
            rows = self.context.store.series(name)
            x, values = times(rows, "step"), np.asarray(rows.value, np.float64)
            drawn = self._drawn.setdefault(name, Condensed())
            drawn.take(x, values, 0.0)
            line.setData(drawn.x, drawn.y)
            self.plot.include(np.append(drawn.x, x[-1:]), drawn.y)
            model[f"{name}_x"], model[name] = x, values
        self.plot.set_model(**model)
        first = self.context.store.series(names[0])
        self.plot.set_markers(ticks(self.context.store.events, first, "step"))
        self._say(quantity, {name: model[name] for name in names})

    def _pick(self) -> Quantity:
        """The chosen quantity, or the first; the box offers what there is."""
        found = {it.series: it for it in self.quantities()}
        offered = [self._box.itemData(at) for at in range(self._box.count())]
        if offered != list(found):
            self._box.clear()
            for it in found.values():
                self._box.addItem(it.title, it.series)
            self._box.setVisible(len(found) > 1)
        quantity = found.get(self._chosen) or next(iter(found.values()))
        self._box.setCurrentIndex(self._box.findData(quantity.series))
        if quantity != self._shown:
            self._shown = quantity
            self.plot.start_again()
        return quantity

    def _make_lines(self, count: int) -> None:
        while len(self._lines) < count:
            self._lines.append(self.plot.line("#000000"))
            self._style(len(self._lines) - 1)
        for number, line in enumerate(self._lines):
            line.setVisible(number < count)

    def _say(self, quantity: Quantity, values: dict[str, np.ndarray]) -> None:
        theme = self.context.theme
        parts = [("", theme.tokens.text, quantity.words)]
        said = []
        for number, (name, of) in enumerate(values.items()):
            newest = short(float(of[-1]))
            words = words_of(name) if len(values) > 1 else "now"
            mark, colour = MARKS[STYLES[number % 3]], theme.colour(number)
            parts.append((mark, colour, f"{words.removeprefix('noise of ')} {newest}"))
            said.append(newest if len(values) == 1 else f"{words} {newest}")
        parts.append(("", theme.tokens.muted, "n = 1 seed"))
        self.plot.set_legend(legend_html(parts))
        sentence = (
            f"{quantity.words[0].upper()}{quantity.words[1:]}: {', '.join(said)}."
        )
        self.plot.set_caption(f"{sentence} Over {CLOCKS['step']}; raw; n = 1 seed.")
        self.plot.describe(sentence)

    # ------------------------------------------------------------ what changes

    def _on_series(self, name: str) -> None:
        if any(it.names([name]) for it in QUANTITIES):
            end = newest(self.context.store.series(name), "step")
            self.refresh_if(self._drawn_to.is_seen(name, end))

    def _on_status(self) -> None:
        if not self.quantities():
            self.refresh()

    def _on_chosen(self, index: int) -> None:
        self._chosen = str(self._box.itemData(index))
        self.refresh()

    def _on_reset(self) -> None:
        self._shown = None
        self._drawn.clear()
        self.plot.start_again(x=growing("step", self.context.store))
        self.refresh()

    def _style(self, number: int) -> None:
        colour = self.context.theme.colour(number)
        self._lines[number].setPen(self.plot.pen(colour, STYLES[number % 3]))

    def restyle(self) -> None:
        """Take over the colours of the theme."""
        for number in range(len(self._lines)):
            self._style(number)
        self.plot.set_labels(CLOCKS["step"])
