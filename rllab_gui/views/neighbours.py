"""Where has it seen this before? The nearest states, and what happened there."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from PySide6.QtCore import QModelIndex, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from rllab_gui.plain import PlainLabel
from rllab_gui.plots.numbers import LONGEST, count, short
from rllab_gui.plots.picture import PictureBox
from rllab_gui.resting import of_moment
from rllab_gui.theme import Theme
from rllab_gui.views.asking import AskingView
from rllab_gui.views.base import ViewContext
from rllab_gui.views.episode_model import action_word
from rllab_gui.views.neighbour_rows import KINDS, Neighbour, NeighbourRows, sentence
from rllab_gui.views.tables import CalmTable, Index, RowsModel

WHEN_TIP = "When else would it do this? States with the same action, as good as this"
PICTURE_PX = 34, 26
ROW_PX = 28
PREVIEW_PX = 78
WIDTHS = (26, 20, 24, 20)
SAMPLES = ("pict", "0.0333", "right", LONGEST)
DISTANCE = 1
"""Column that goes first where there is no room: the nearest is on top, and the words
of the one that is chosen say it."""
TITLES = {
    "embedding": "alike to the network",
    "observation": "alike as observed",
}
TIPS = {
    "embedding": "Nearest in the last hidden layer: what the network finds alike",
    "observation": "Nearest as observed, each number divided by its spread",
}


class StepNeighboursView(AskingView):
    """Two lists of eight: alike to the network, and alike as observed."""

    view_id = "stepNeighbours"
    title = "Where has it seen this before?"
    tab = "Neighbours"
    about = (
        "The nearest of up to 2,000 states of the replay memory or of recorded "
        "episodes, found exactly: left by the network's last hidden layer, right as "
        "observed. The action is the one that the agent would take there; the return "
        "is the discounted sum of the rewards that followed there. A click shows one, "
        "a double click goes there; Ctrl+Alt+Left comes back."
    )
    question = "neighbours"
    refused = "There is nothing to compare this step with."

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.plot.header.set_title(self.tab)
        self.rows = {kind: NeighbourRows() for kind in KINDS}
        self.tables = {kind: self._make_table(kind) for kind in KINDS}
        self.chosen: Neighbour | None = None
        self._question, self._elsewhere = -1, ""
        self._when = self._make_button("when", "When else?", WHEN_TIP)
        self._when.clicked.connect(self._on_when)
        self._map = self._make_button("map", "Map", "Show them on the map of states")
        self._map.clicked.connect(lambda: context.commands.run("explain.showMap"))
        self._map.hide()
        for button in (self._map, self._when):
            self.plot.header.add(button)
        self._shown: dict[str, Any] = {}
        self._heads: list[PlainLabel] = []
        self.plot.set_canvas(self._make_panel())
        self.restyle()

    def _make_button(self, name: str, text: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"step.why.{name}")
        button.setText(text)
        button.setAccessibleName(text)
        button.setToolTip(tip)
        button.setAutoRaise(True)
        return button

    def _make_table(self, kind: str) -> CalmTable:
        name = f"step.why.neighbours.{kind.replace('observation', 'replay')}"
        model = PicturedModel(self.rows[kind], self.context)
        title = f"States that are {TITLES[kind]}"
        table = CalmTable(self.rows[kind], self.context.theme, name, title, model)
        table.set_widths(WIDTHS, SAMPLES, (DISTANCE,))
        table.setIconSize(icon_size(self.context.theme))
        selection = table.selectionModel()
        selection.currentRowChanged.connect(
            lambda now, _: self._on_chosen(kind, now.row())
        )
        table.activated.connect(lambda at: self._on_activated(kind, at))
        return table

    def _make_panel(self) -> QWidget:
        panel = QWidget(self)
        lists = QHBoxLayout()
        lists.setSpacing(self.context.theme.px(4))
        for kind in KINDS:
            column = QVBoxLayout()
            head = PlainLabel(TITLES[kind], panel)
            head.setToolTip(TIPS[kind])
            self._heads.append(head)
            column.addWidget(head)
            column.addWidget(self.tables[kind], 1)
            lists.addLayout(column, 1)
        layout = QVBoxLayout(panel)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(lists, 1)
        layout.addWidget(self._make_preview(panel))
        return panel

    def _make_preview(self, panel: QWidget) -> QWidget:
        self.preview = QWidget(panel)
        self.picture = PictureBox(self.context.theme, self.preview)
        self.picture.setObjectName("step.why.neighbours.picture")
        self.picture.setAccessibleName("Picture of the chosen state")
        self.picture.setFixedSize(PREVIEW_PX * 3 // 2, PREVIEW_PX)
        self._words = PlainLabel(parent=self.preview)
        self._words.setObjectName("step.why.neighbours.words")
        self._words.setWordWrap(True)
        self._go = QPushButton("Go there", self.preview)
        self._go.setObjectName("step.why.neighbours.go")
        self._go.setAccessibleName("Go to this step of its episode")
        self._go.setToolTip("Look at this very step; Ctrl+Alt+Left comes back")
        self._go.clicked.connect(self.go)
        row = QHBoxLayout(self.preview)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.picture)
        row.addWidget(self._words, 1)
        row.addWidget(self._go)
        self.preview.hide()
        return self.preview

    # ----------------------------------------------------------------- drawing

    def draw(self) -> None:
        """Fill both lists; the chosen one stays chosen while they are the same."""
        answer = self.asked.answer
        if answer is not self._shown:
            self._shown = answer
            self._choose(None)
            for kind in KINDS:
                self._fill(kind, answer)
        words = sentence(self.rows["embedding"].neighbours)
        where = (
            f"t {answer['t']}, by checkpoint {count(answer['checkpoint_step'])}; "
            f"{count(answer['states'])} states from {answer['source']}"
        )
        elsewhere = f"<b>{escape(self._elsewhere)}</b><br>" if self._elsewhere else ""
        self.plot.set_legend(f"{elsewhere}{escape(words)}<br>{escape(where)}")
        self.say(f"{self._elsewhere} {words}".strip(), where)
        self.plot.set_model(
            **{
                f"distance_{kind}": np.array(
                    [it.distance for it in self.rows[kind].neighbours]
                )
                for kind in KINDS
            }
        )

    def _fill(self, kind: str, answer: dict[str, Any]) -> None:
        rows, table = self.rows[kind], self.tables[kind]
        found = tuple(Neighbour.of(it, self._word) for it in answer[kind])
        table.selectionModel().blockSignals(True)
        table.replace(lambda: rows.take(found))
        table.clearSelection()
        table.selectionModel().blockSignals(False)

    def _word(self, action: int) -> str:
        moment = self.context.episode.moment
        return action_word(moment.episode.action_names if moment else (), int(action))

    # -------------------------------------------------------------- the person

    def _on_chosen(self, kind: str, row: int) -> None:
        neighbours = self.rows[kind].neighbours
        self._choose(neighbours[row] if 0 <= row < len(neighbours) else None)

    def _choose(self, neighbour: Neighbour | None) -> None:
        """Preview this one."""
        self.chosen = neighbour
        self.preview.setVisible(neighbour is not None)
        if neighbour is None:
            return
        number = max(neighbour.t, 0)
        missing = "" if neighbour.frame is not None else "No picture."
        self.picture.set_frame(neighbour.frame, number, missing)
        self._words.setText(neighbour.words)
        self._go.setVisible(neighbour.known)

    def _on_activated(self, kind: str, at: QModelIndex) -> None:
        self._on_chosen(kind, at.row())
        self.go()

    def go(self) -> None:
        """To the chosen state, where its episode is recorded."""
        it = self.chosen
        if it is not None and it.known:
            self.context.why.trail.go_to(it.kind, it.episode, it.t)

    # --------------------------------------------------------------- when else?

    def _on_when(self) -> None:
        """Ask for states with the same action and nearly the same value."""
        moment = self.context.episode.moment
        if moment is None:
            return
        self.context.link.cancel(self._question)
        self._say_elsewhere("One moment …")
        self._question = self.context.link.ask(
            "when_else", of_moment(moment), self._on_found, self._say_elsewhere
        )

    def _on_found(self, answer: dict[str, Any]) -> None:
        """Ring them on the map, and select them in the replay memory."""
        word = self._word(answer["action"])
        steps = zip(
            np.asarray(answer["episodes"]).tolist(),
            np.asarray(answer["steps"]).tolist(),
            strict=True,
        )
        words = f"{count(answer['count'])} states where it would do {word} too"
        self.context.selection.choose(steps, words, self.view_id)
        self._map.setVisible("explain.showMap" in self.context.commands)
        self._say_elsewhere(
            f"When else? In {count(answer['count'])} of {count(answer['states'])} "
            f"states of the map it would do {word} too, with V(s) = "
            f"{short(answer['value'])} ± {short(answer['tolerance'])}: they are ringed "
            "on the map."
        )

    def _say_elsewhere(self, sentence: str) -> None:
        self._elsewhere = sentence
        self.refresh()
        self.context.pulse.soon()

    def _on_moment(self) -> None:
        if self._elsewhere:
            self.context.link.cancel(self._question)
            self._elsewhere = ""
            self._map.hide()
        super()._on_moment()

    def restyle(self) -> None:
        """Take over fonts and sizes."""
        theme = self.context.theme
        for table in self.tables.values():
            table.restyle()
            table.verticalHeader().setDefaultSectionSize(theme.px(ROW_PX))
        for head in self._heads:
            head.setFont(theme.font(relative=0.85, bold=True))
        self._words.setFont(theme.font(relative=0.88))


def icon_size(theme: Theme) -> QSize:
    """Of the picture in a row."""
    wide, high = PICTURE_PX
    return QSize(theme.px(wide), theme.px(high))


class PicturedModel(RowsModel):
    """Neighbours with a small picture each."""

    def __init__(self, rows: NeighbourRows, context: ViewContext) -> None:
        super().__init__(rows)
        self._neighbours, self._context = rows, context

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The picture stands in the first column."""
        pictured = role == Qt.ItemDataRole.DecorationRole and index.column() == 0
        if pictured and index.isValid():
            return self._picture(self._neighbours.neighbours[index.row()].frame)
        return super().data(index, role)

    def _picture(self, frame: np.ndarray | None) -> QImage | None:
        """A frame as small as a row; None where there is none."""
        if frame is None or not frame.size:
            return None
        pixels = np.ascontiguousarray(frame)
        height, width = pixels.shape[:2]
        kind = QImage.Format.Format_RGB888
        whole = QImage(pixels.data, width, height, 3 * width, kind)
        return whole.scaled(
            icon_size(self._context.theme),
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
