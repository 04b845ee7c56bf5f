"""Values over two numbers of the state, or over all cells of a world that is a grid."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QCursor
from PySide6.QtWidgets import QHBoxLayout, QToolTip

from rllab_gui.plain import PlainLabel
from rllab_gui.plots.frame import PlotFrame
from rllab_gui.plots.narrow_box import NarrowBox
from rllab_gui.plots.numbers import count, short
from rllab_gui.plots.slice import Slice, SlicePlot
from rllab_gui.views.asking import AskingView
from rllab_gui.views.base import ViewContext
from rllab_gui.views.episode_model import Moment, action_word
from rllab_gui.views.world_maps import TITLES, WorldMaps, offered

SHOWN = ("value", "gap", "action")
"""Of :data:`TITLES`, what a slice can show."""


class ValueSliceView(AskingView):
    """V(s), gap or greedy action over two numbers of the observation."""

    view_id = "stepSlice"
    title = "Values round this state"
    tab = "Slice"
    about = (
        "What the network says where two numbers of the state are others and the rest "
        "stays as at the cursor: V(s) = max_a Q(s,a), the gap between the two best "
        "actions, or the greedy action. The line is the way of the episode, the dot "
        "the step at the cursor. Hatched is what the session never visited: there the "
        "network only guesses. Of a grid world every cell is shown, beside the exact "
        "solution V*(s) where the world has one, and the error V − V*."
    )
    question = "value_slice"
    refused = "There is no slice of this state."

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._x, self._y = 0, 1
        self._chosen = ""
        self._of = ""
        self._boxes = {
            name: self._box(name, title)
            for name, title in (
                ("what", "What the colours show"),
                ("x", "Number along the horizontal axis"),
                ("y", "Number along the vertical axis"),
            )
        }
        self._words = [PlainLabel(it, self) for it in "xy"]
        self._lay_out_boxes()
        self._offer(SHOWN)
        plot = self.plot
        assert isinstance(plot, SlicePlot)
        self.slice = plot
        plot.pointed.connect(self._on_pointed)
        plot.pointerLeft.connect(QToolTip.hideText)
        plot.maps.hovered.connect(self._on_cell)
        context.store.cardChanged.connect(self._on_card)
        self._on_card()

    def make_plot(self) -> PlotFrame:
        """Colours over two axes."""
        return SlicePlot(self.view_id, self.title, self.context.theme)

    def _box(self, name: str, title: str) -> NarrowBox:
        box = NarrowBox(self)
        box.setObjectName(f"step.slice.{name}")
        box.setAccessibleName(title)
        box.setToolTip(title)
        box.activated.connect(self._on_chosen)
        return box

    def _lay_out_boxes(self) -> None:
        row, gap = QHBoxLayout(), self.context.theme.px(4)
        row.setContentsMargins(gap, 0, gap, 0)
        row.setSpacing(gap)
        row.addWidget(self._boxes["what"])
        for name, words in zip("xy", self._words, strict=True):
            row.addWidget(words)
            row.addWidget(self._boxes[name])
        row.addStretch(1)
        self.body_layout.insertLayout(0, row)

    def _on_card(self) -> None:
        """Another world has other numbers; of a pole the angle tells the most."""
        card = self.context.store.card
        if card is None or card.id == self._of:
            return
        self._of = card.id
        names = list(card.observation_names)
        self._x, self._y = (2, 3) if len(names) == 4 else (0, min(1, len(names) - 1))
        for name, at in (("x", self._x), ("y", self._y)):
            self._boxes[name].clear()
            self._boxes[name].addItems(names)
            self._boxes[name].setCurrentIndex(at)
        for box in (*self._words, self._boxes["x"], self._boxes["y"]):
            box.setVisible(not card.cells())

    def _offer(self, names: Iterable[str]) -> None:
        """What this answer can show; what was chosen before, if that is among it."""
        box, names = self._boxes["what"], list(names)
        if names != [box.itemData(at) for at in range(box.count())]:
            box.clear()
            for name in names:
                box.addItem(TITLES[name], name)
        box.setCurrentIndex(max(0, box.findData(self._chosen)))

    @property
    def what(self) -> str:
        """What the colours show."""
        return str(self._boxes["what"].currentData())

    def wish(self, moment: Moment) -> dict[str, Any] | None:
        """Which two numbers vary is part of the question; a grid has none."""
        asked, card = super().wish(moment), self.context.store.card
        if asked is None or (card is not None and card.cells()):
            return asked
        return asked | {"x": self._x, "y": self._y}

    # ------------------------------------------------------------------ draw

    def draw(self) -> None:
        """Show the newest answer."""
        if "place" in self.asked.answer:
            self._draw_maps()
        else:
            self._draw_slice()

    def _draw_maps(self) -> None:
        """All cells of a world that is a grid."""
        answer = self.asked.answer
        self._offer(offered(answer))
        what = self.what
        maps = WorldMaps(answer, self.context.theme)
        self.slice.show_maps(maps.drawn(what))
        arrays = {
            name: it
            for name, it in answer.items()
            if isinstance(it, np.ndarray) and name != "place"
        }
        row, column = np.asarray(answer["place"]).T
        self.slice.set_model(row=row, column=column, **arrays)
        step = count(int(answer["checkpoint_step"]))
        sentence = (
            f"{maps.sentence(what)}. Hatched: never visited, a guess. "
            f"Checkpoint {step}."
        )
        self.say(sentence, "n = 1 seed.")
        legend = maps.legend(what)
        self.plot.set_legend(f"{legend}. {escape(sentence)}" if legend else sentence)

    def _draw_slice(self) -> None:
        """Two numbers of the state along the axes."""
        answer = self.asked.answer
        self._offer(SHOWN)
        values = np.asarray(answer[self.what], np.float64)
        x, y = np.asarray(answer["x_values"]), np.asarray(answer["y_values"])
        fixed = np.asarray(answer["fixed"], np.float64)
        path = np.stack([np.asarray(answer[f"path_{it}"]) for it in "xy"], 1)
        chosen = int(self.asked_for("x")), int(self.asked_for("y"))
        self.slice.show_slice(
            Slice(
                x,
                y,
                self._coloured(values),
                values if self.what != "action" else None,
                np.asarray(answer["visited"]),
                path,
                fixed[list(chosen)],
            )
        )
        names = [str(it) for it in answer["names"]]
        self.slice.set_labels(names[chosen[0]], names[chosen[1]])
        self.slice.set_model(
            x=x, y=y, **{it: np.asarray(answer[it]).reshape(-1) for it in SHOWN}
        )
        self._say(answer, names, chosen, fixed, values)

    def asked_for(self, axis: str) -> int:
        """Which number the shown answer has along this axis."""
        return int(self.asked.arguments.get(axis, 0))

    def _coloured(self, values: np.ndarray) -> np.ndarray:
        if self.what == "action":
            shades = map(self.context.theme.colour, range(int(values.max()) + 1))
            colours = [QColor(it) for it in shades]
            table = np.array(
                [(it.red(), it.green(), it.blue()) for it in colours], np.uint8
            )
            return np.asarray(table[values.astype(int)])
        low, span = float(np.nanmin(values)), max(float(np.ptp(values)), 1e-12)
        levels = np.nan_to_num((values - low) / span * 255.0).astype(int)
        return np.asarray(_viridis()[np.clip(levels, 0, 255)])

    def _say(
        self,
        answer: dict[str, Any],
        names: list[str],
        chosen: tuple[int, int],
        fixed: np.ndarray,
        values: np.ndarray,
    ) -> None:
        others = ", ".join(
            f"{name} {short(float(value))}"
            for at, (name, value) in enumerate(zip(names, fixed, strict=False))
            if at not in chosen
        )
        step = count(int(answer["checkpoint_step"]))
        span = f"{short(float(np.nanmin(values)))} to {short(float(np.nanmax(values)))}"
        words = f"{TITLES[self.what]}: {span}"
        if self.what == "action":
            words = self._actions(answer, values)
        share = float(np.mean(np.asarray(answer["visited"]) > 0))
        rest = f"Fixed: {others}. " if others else ""
        sentence = (
            f"{words}. {rest}Visited: {100 * share:.0f} % of the picture; hatched is "
            f"a guess. Checkpoint {step}."
        )
        self.say(sentence, "n = 1 seed.")
        self.plot.set_legend(escape(sentence))

    def _actions(self, answer: dict[str, Any], values: np.ndarray) -> str:
        words = [str(it) for it in answer["action_names"]]
        parts = [
            f"{action_word(words, it)} {100 * float(np.mean(values == it)):.0f} %"
            for it in np.unique(values).astype(int).tolist()
        ]
        return f"Greedy action: {', '.join(parts)}"

    # -------------------------------------------------------------- the person

    def _on_chosen(self, index: int) -> None:
        self._chosen = self.what
        x, y = (self._boxes[it].currentIndex() for it in "xy")
        if x == y:  # the other axis takes what this one had
            x, y = (self._y, y) if y == self._x else (x, self._x)
        self._x, self._y = x, y
        for name, at in (("x", x), ("y", y)):
            self._boxes[name].setCurrentIndex(at)
        self.ask()
        self.refresh()

    def _on_cell(self, cell: int) -> None:
        answer = self.asked.answer
        if cell < 0 or "place" not in answer or cell >= len(answer["place"]):
            QToolTip.hideText()
            return
        maps = WorldMaps(answer, self.context.theme)
        QToolTip.showText(QCursor.pos(), maps.of_cell(cell), self.plot.canvas)

    def _on_pointed(self, x: float, y: float) -> None:
        answer = self.asked.answer
        if "x_values" not in answer:
            return
        at = [
            int(np.abs(np.asarray(answer[f"{axis}_values"]) - value).argmin())
            for axis, value in (("x", x), ("y", y))
        ]
        row, column = at[1], at[0]
        words = [str(it) for it in answer["action_names"]]
        action = action_word(words, int(np.asarray(answer["action"])[row, column]))
        seen = int(np.asarray(answer["visited"])[row, column])
        text = (
            f"V(s) {short(float(np.asarray(answer['value'])[row, column]))}\n"
            f"gap {short(float(np.asarray(answer['gap'])[row, column]))}\n"
            f"greedy: {action}\n{count(seen)} states seen here"
        )
        place = self.plot.canvas.mapToGlobal(self.slice.pixel_of(x, y))
        QToolTip.showText(place + QPoint(12, 12), text, self.plot.canvas)


@cache
def _viridis() -> np.ndarray:
    table = pg.colormap.get("viridis").getLookupTable(nPts=256)
    return np.asarray(table[:, :3], np.uint8)
