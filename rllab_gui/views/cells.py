"""A world that is a grid, as the agent sees it: values, visits, greedy actions."""

from __future__ import annotations

from html import escape
from time import monotonic
from typing import Any

import numpy as np
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QComboBox, QToolTip

from rllab_gui.plots.cells import Cells, CellsCanvas
from rllab_gui.plots.frame import PlotFrame
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.embedding_points import ColourScale
from rllab_gui.views.state_map import SHADES, diverging, viridis

ASK_EVERY_S = 1.0


class CellsView(View):
    """Every cell of the grid, by the weights of the shown agent."""

    view_id = "cells"
    title = "Cells of the world"
    tab = "Cells"
    about = (
        "Each cell of a grid world with its value V(s) = max_a Q(s,a), or how often it "
        "was visited, the bonus for reaching it, or how far an ensemble disagrees "
        "about it. Where the exact solution V*(s) is known, that can be shown too, and "
        "how far V(s) is from it. The arrow is the greedy action. A dash marks cells "
        "in which no step is ever taken (ends, cliffs), so that nothing is learned "
        "about them."
    )
    topics = frozenset({"picture"})

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.canvas = CellsCanvas(context.theme)
        self.plot = PlotFrame("cells", self.title, context.theme)
        self.plot.set_canvas(self.canvas)
        self._box = self._make_box()
        self.plot.header.add(self._box)
        self._answer: dict[str, Any] = {}
        self._pending, self._question = False, 0
        self._asked_at = -ASK_EVERY_S
        self._asked_for: tuple[int, int] = (-9, -9)
        self._forget()
        self.adopt(self.plot)
        store = context.store
        store.pictureChanged.connect(self._on_news)
        store.statusChanged.connect(self._on_news)
        store.cardChanged.connect(self._on_reset)
        store.wasReset.connect(self._on_reset)
        self.canvas.hovered.connect(self._on_hovered)

    def _make_box(self) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName("train.cells.colour")
        box.setAccessibleName("What the cells show")
        box.setToolTip("Which number stands in the cells and colours them")
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.addItem(SHADES["value"].title, "value")
        box.activated.connect(self._on_shade)
        return box

    def _forget(self) -> None:
        self._answer = {}
        self._shade, self._scale = "value", ColourScale()

    def emptiness(self) -> tuple[str, str, tuple[()]] | None:
        """Most worlds are no grids; and a network has to be there."""
        card = self.context.store.live_card
        if card is not None and not card.cells():
            words = "GridWorld, FrozenLake, Cliff and DeepSea have cells to be seen."
            return f"{card.id} is not a grid of states.", words, ()
        if not self._answer:
            return "No values yet.", "They come with the network, in a moment.", ()
        return None

    # ------------------------------------------------------------- what is asked

    def _on_news(self) -> None:
        """Ask again when weights or counts are other ones, once a second."""
        store = self.context.store
        card, picture = store.live_card, store.picture
        if not self.isVisible() or self._pending or card is None or not card.cells():
            return
        if picture is None or picture.checkpoint_step < -1:
            return
        now = (picture.checkpoint_step, store.status.step)
        if now == self._asked_for or monotonic() - self._asked_at < ASK_EVERY_S:
            return
        self._asked_for, self._asked_at, self._pending = now, monotonic(), True
        ask = self.context.link.ask
        self._question = ask("cells", {}, self._on_answer, self._on_failed)

    def _on_answer(self, answer: dict[str, Any]) -> None:
        self._pending = False
        self._answer = answer
        self.refresh()

    def _on_failed(self, sentence: str) -> None:
        """The next news ask again."""
        self._pending = False

    # ------------------------------------------------------------------ draw

    def draw(self) -> None:
        """Colours, numbers and arrows of the newest answer."""
        self._offer()
        answer = self._answer
        marks = tuple(answer["marks"])
        values = np.asarray(answer[self._shade], np.float64)
        real = np.array([not it for it in marks], bool)
        placed = np.log1p(values) if SHADES[self._shade].log else values
        signed = SHADES[self._shade].signed
        ends = np.abs(placed[real]).max(initial=0.0) * np.array([-1.0, 1.0])
        self._scale.fit(ends if signed else placed[real])
        shade = self._scale.take(np.where(real, placed, np.nan))
        paint = diverging if signed else viridis
        words = [str(it) for it in answer["action_names"]]
        cells = Cells(
            np.asarray(answer["place"]),
            values,
            tuple(paint(it) for it in shade.tolist()),
            tuple(words[it] for it in np.asarray(answer["action"]).tolist()),
            marks,
            tuple(SHADES[self._shade].written(it) for it in values.tolist()),
        )
        self.canvas.show_cells(cells)
        self.plot.set_model(
            **{
                name: np.asarray(it)
                for name, it in answer.items()
                if isinstance(it, np.ndarray)
            }
        )
        self._say(values[real])

    def _offer(self) -> None:
        """V(s), and whatever else this agent knows of its states."""
        known = [it for it in SHADES if it in self._answer]
        if known != [self._box.itemData(at) for at in range(self._box.count())]:
            self._box.clear()
            for name in known:
                self._box.addItem(SHADES[name].title, name)
        if self._shade not in known:
            self._shade, self._scale = "value", ColourScale()
        self._box.setCurrentIndex(self._box.findData(self._shade))

    def _say(self, values: np.ndarray) -> None:
        words = SHADES[self._shade].words
        step = int(self._answer.get("checkpoint_step", -1))
        which = "untrained" if step < 0 else f"checkpoint {step:,}"
        written = SHADES[self._shade].written
        span = f"{written(float(values.min()))} to {written(float(values.max()))}"
        sentence = f"{words}: {span} over {len(values)} cells, {which}."
        self.plot.set_legend(f"{escape(sentence)} Arrows: greedy actions.")
        self.plot.set_caption(f"{sentence} Arrows are greedy actions. n = 1 seed.")
        self.plot.describe(sentence)

    # ------------------------------------------------------------ what changes

    def _on_hovered(self, cell: int) -> None:
        """All that is known of a cell."""
        if cell < 0 or cell >= len(self._answer.get("state", ())):
            QToolTip.hideText()
            return
        row, column = np.asarray(self._answer["place"])[cell].tolist()
        known = [it for it in SHADES if it in self._answer]
        numbers = (
            f"{SHADES[it].title} {SHADES[it].written(float(self._answer[it][cell]))}"
            for it in known
        )
        text = f"row {row}, column {column}: {', '.join(numbers)}"
        QToolTip.showText(QCursor.pos(), text, self.canvas)

    def _on_shade(self, index: int) -> None:
        self._shade, self._scale = str(self._box.itemData(index)), ColourScale()
        self.refresh()

    def _on_reset(self) -> None:
        """What is under way is about another world."""
        self.context.link.cancel(self._question)
        self._pending = False
        self._forget()
        self._asked_for = (-9, -9)
        self.refresh()

    def restyle(self) -> None:
        """Take over the colours of the theme."""
        self.canvas.update()
