"""What a recurrent network remembers, unit by unit: live, and along an episode."""

from __future__ import annotations

import math
from collections import deque
from typing import ClassVar

import numpy as np
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QComboBox, QToolTip

from rllab_gui.inside import Inside
from rllab_gui.plots.frame import PlotFrame
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.heat import HeatCanvas
from rllab_gui.plots.numbers import count, short
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.episode_model import Episode
from rllab_gui.views.memory_order import SORTS, correlations, ordering
from rllab_gui.views.returns import Offers

REACH = 4096
"""Steps to each side of the cursor that are asked for."""
HISTORY = 240
"""Steps of the shown agent that are kept."""
WIDTHS = (60, 120, HISTORY)
"""Steps that the map of the shown agent has room for; it only expands."""


class MemoryBase(View):
    """What both views share: the map, the order of its rows, and the trace."""

    plot_id: ClassVar[str] = "memory"
    about = (
        "A recurrent network carries a memory from step to step. Each row is one unit "
        "of its output, each column one step; blue is −1, orange 1, and the scale is "
        "fixed, because LSTM and GRU cannot leave it. Rows keep their order while you "
        "step; sorting by correlation puts units on top that rise with V(s). A click "
        "on a row shows its trace."
    )
    needs = frozenset({"memory"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.plot = PlotFrame(self.plot_id, self.title, context.theme)
        self.canvas = HeatCanvas(context.theme)
        self.plot.set_canvas(self.canvas)
        self.plot.header.hide_mode()
        self.sort = QComboBox(self)
        self.sort.setObjectName(f"plot.{self.plot_id}.sort")
        self.sort.setAccessibleName("Order of the units")
        self.sort.setToolTip("Order of the units; it stays while you step")
        for name, words in SORTS.items():
            self.sort.addItem(words, name)
        self.plot.header.add(self.sort)
        self.adopt(self.plot)
        self._order = np.empty(0, np.int64)
        self.sort.currentIndexChanged.connect(self.sort_again)
        self.canvas.unitPicked.connect(self._on_picked)
        self.canvas.hovered.connect(self._on_hovered)
        context.store.configurationChanged.connect(self.sort_again)
        context.store.wasReset.connect(self.sort_again)

    def sort_again(self, *_: object) -> None:
        """At the next picture the rows are put in order anew."""
        self._order = np.empty(0, np.int64)
        self.refresh()

    @property
    def forgets(self) -> tuple[str, str, Offers] | None:
        """What is said of a network without memory; None of one that has it."""
        if self.context.store.configuration.network.recurrent != "none":
            return None
        words = "A recurrent one carries what it has seen from step to step."
        offer = [("network.remember", "Give it a memory (LSTM)")]
        return "This network has no memory.", words, offer

    def show_memory(
        self, memory: np.ndarray, value: np.ndarray, first: int, columns: int
    ) -> None:
        """Draw the map; the rows are sorted where they are not yet."""
        if len(self._order) != memory.shape[1]:
            kind = str(self.sort.currentData())
            seen = np.isfinite(value)
            self._order = ordering(kind, memory[seen], value[seen])
            if self.canvas.unit >= memory.shape[1]:
                self.canvas.pick(-1)
        self.canvas.show_memory(memory, self._order, first, columns)
        self.plot.set_model(memory=memory, order=self._order, value=value)

    def explain(self, where: str) -> None:
        """Say what is seen, and by whose weights."""
        theme, memory = self.context.theme, self.canvas.memory
        kind = self.context.store.configuration.network.recurrent.upper()
        marks = [
            ("■", theme.colour(0), "−1"),
            ("□", theme.tokens.muted, "0"),
            ("■", theme.colour(1), "1, fixed"),
            ("", theme.tokens.muted, f"{memory.shape[1]} outputs of the {kind}"),
            ("", theme.tokens.muted, where),
        ]
        self.plot.set_legend(legend_html(marks))
        seen = memory[np.isfinite(memory[:, 0])]
        idle = int((np.abs(seen).max(0) < 0.05).sum())
        sentence = (
            f"{memory.shape[1]} units over {count(len(seen))} steps, {idle} of them "
            f"never beyond ±0.05."
        )
        if self.canvas.unit >= 0:
            sentence += f" {self._words_of(self.canvas.unit)}"
        self.plot.set_caption(f"{sentence} {where}; n = 1 episode.")
        self.plot.describe(sentence)

    def _words_of(self, unit: int) -> str:
        model = self.plot.model()
        seen = np.isfinite(model["value"])
        found = correlations(model["memory"][seen], model["value"][seen])
        together = float(found[unit])
        said = f"Unit {unit}"
        if math.isfinite(together):
            said += f" goes with V(s) at r = {short(together, 2)}"
        return f"{said}."

    def _on_picked(self, unit: int) -> None:
        self.canvas.pick(unit)
        self.refresh()
        self.context.pulse.soon()

    def _on_hovered(self, t: int) -> None:
        at = self.canvas.mapFromGlobal(QCursor.pos()).toPointF()
        unit, row = self.canvas.unit_at(at), t - self.canvas.first
        if t >= 0 and unit >= 0 and row < len(self.canvas.memory):
            value = short(float(self.canvas.memory[row, unit]))
            words = f"unit {unit}, t {t}: {value}"
            QToolTip.showText(QCursor.pos(), words, self.canvas)

    def restyle(self) -> None:
        """Take over the colours of the theme."""
        self.canvas.restyle()


class MemoryView(MemoryBase):
    """The memory of the agent that is shown in the agent view, as it plays."""

    view_id = "memory"
    title = "Recurrent memory"
    tab = "Memory"
    topics = frozenset({"picture", "memory"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._past: deque[tuple[int, np.ndarray, float]] = deque(maxlen=HISTORY)
        self._episode = -1
        self._width = WIDTHS[0]
        context.store.pictureChanged.connect(self._on_picture)

    def emptiness(self) -> tuple[str, str, Offers] | None:
        """No memory, or no network yet."""
        if (missing := self.forgets) is not None:
            return missing
        if not self._past:
            return "No memory yet.", "It comes with the network, in a moment.", ()
        return None

    def draw(self) -> None:
        """Show the steps of this episode so far."""
        memory = np.stack([it[1] for it in self._past])
        value = np.array([it[2] for it in self._past])
        first, last = self._past[0][0], self._past[-1][0]
        self._width = max(self._width, next(it for it in WIDTHS if it >= len(memory)))
        self.show_memory(memory, value, first, self._width)
        self.canvas.set_cursors(float(last))
        self.explain(f"episode {self._episode}, to t {last}")

    def _on_picture(self) -> None:
        picture = self.context.store.picture
        if picture is None or "memory" not in picture.inside:
            return
        memory = np.asarray(picture.inside["memory"], np.float64)
        self._make_room(picture.episode, picture.t, memory)
        self._episode = picture.episode
        self._past.append((picture.t, memory, float(picture.q.max())))
        self.refresh()

    def _make_room(self, episode: int, t: int, memory: np.ndarray) -> None:
        """Forget what does not go before this step; steps not seen stay empty."""
        if not self._past:
            return
        last, before, _ = self._past[-1]
        if t == last and episode == self._episode:
            self._past.pop()
        elif episode != self._episode or t < last or before.shape != memory.shape:
            self._past.clear()
        else:
            unseen = np.full(memory.shape, np.nan)
            for missed in range(max(last + 1, t - HISTORY), t):
                self._past.append((missed, unseen, math.nan))


class StepMemoryView(MemoryBase):
    """The memory along the recorded episode at the cursor."""

    view_id = "stepMemory"
    plot_id = "stepMemory"
    title = "Recurrent memory of the episode"
    tab = "Memory"
    answers = True

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.empty.prefix = "empty.step"
        self.inside = Inside(context.link, context.episode, "memory", REACH, self)
        self._drawn: Episode | None = None
        self.inside.changed.connect(self._on_rows)
        context.episode.momentChanged.connect(self.refresh)
        context.episode.changed.connect(self.refresh)
        context.cursor.hovered.connect(self._on_ghost)
        self.canvas.hovered.connect(context.cursor.hover)

    def emptiness(self) -> tuple[str, str, Offers] | None:
        """No memory, no episode, or nothing that could be looked into."""
        if (missing := self.forgets) is not None:
            return missing
        if self.context.episode.moment is None:
            return "No episode is chosen.", "Choose an episode on the left.", ()
        if self.inside.problem:
            return "There is no memory here.", self.inside.problem, ()
        return None

    def draw(self) -> None:
        """Follow the moment."""
        moment = self.context.episode.moment
        assert moment is not None
        if moment.episode is not self._drawn:
            self._drawn = moment.episode
            self._order = np.empty(0, np.int64)
        if self.inside.want(moment.t) is None:
            self.canvas.show_memory(np.empty((0, 0)), np.empty(0, np.int64))
            return
        arrays = self.inside.arrays
        if self.canvas.memory is not arrays["memory"] or not len(self._order):
            self.show_memory(arrays["memory"], arrays["value"], self.inside.first, 0)
        self.canvas.set_cursors(float(moment.t))
        judge = f"by checkpoint {self.inside.checkpoint_step:,}"
        shown = self.inside.steps
        if len(shown) <= moment.episode.steps:
            judge += f", steps {shown[0]:,} to {shown[-1]:,}"
        self.explain(judge)

    def _on_rows(self) -> None:
        self.refresh()
        self.context.pulse.soon()

    def _on_ghost(self, t: int) -> None:
        moment = self.context.episode.moment
        at = math.nan if moment is None else float(moment.t)
        self.canvas.set_cursors(at, float(t) if t >= 0 else math.nan)
