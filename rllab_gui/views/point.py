"""One state of the map: its picture, its Q-values, and where it is from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from rllab_gui.plain import PlainLabel
from rllab_gui.plots.bars import Bars, BarsCanvas
from rllab_gui.plots.numbers import short
from rllab_gui.plots.picture import PictureBox
from rllab_gui.plots.ranges import FINE, GrowingSpan
from rllab_gui.views.base import ViewContext
from rllab_gui.views.episode_model import action_word, preference


class PointPanel(QWidget):
    """Asks the stage about a point and shows the answer.

    Attributes:
      point_id: The point that is shown; -1 for none.
      answer: What the stage said of it; empty while waiting.
    """

    def __init__(self, context: ViewContext) -> None:
        super().__init__()
        self._context = context
        self.point_id = -1
        self.answer: dict[str, Any] = {}
        self._question = -1
        self._scale = GrowingSpan(anchor=0.0, steps=FINE)
        self.picture = PictureBox(context.theme, self)
        self.picture.setObjectName("train.embedding.frame")
        self.picture.setAccessibleName("Picture of the chosen state")
        self.bars = BarsCanvas(context.theme)
        self.bars.setObjectName("train.embedding.q")
        self.bars.setAccessibleName("Q-values of the chosen state")
        self._words = PlainLabel(parent=self)
        self._words.setObjectName("train.embedding.words")
        self._words.setWordWrap(True)
        self._go = QPushButton("Go there", self)
        self._go.setObjectName("train.embedding.go")
        self._go.setAccessibleName("Go to this step of its episode")
        self._go.setToolTip("Look at this very step in its recorded episode")
        self._go.clicked.connect(self._on_go)
        layout = QVBoxLayout(self)
        margin = context.theme.spacing
        layout.setContentsMargins(margin, margin, margin, margin)
        layout.addWidget(self.picture, 3)
        layout.addWidget(self.bars, 2)
        layout.addWidget(self._words)
        layout.addWidget(self._go)

    def forget(self) -> None:
        """Show no point."""
        self._context.link.cancel(self._question)
        self.point_id, self.answer = -1, {}
        self._scale.reset()
        self.hide()

    def show_point(self, point_id: int) -> None:
        """Ask about this point and show it as soon as the answer is here."""
        self._context.link.cancel(self._question)
        self.point_id, self.answer = point_id, {}
        self.picture.set_frame(None, point_id, "One moment …")
        self.bars.show_bars(Bars())
        self._words.setText("")
        self._go.hide()
        self.show()
        self._question = self._context.link.ask(
            "explain_point",
            {"point_id": point_id},
            lambda answer: self._on_answer(point_id, answer),
            lambda sentence: self._on_problem(point_id, sentence),
        )

    def _on_answer(self, point_id: int, answer: dict[str, Any]) -> None:
        if point_id != self.point_id:
            return
        self.answer = answer
        note = str(answer.get("note", ""))
        self.picture.set_frame(answer.get("frame"), point_id, note or "No picture.")
        q = np.asarray(answer.get("q", ()), np.float64)
        names = tuple(map(str, answer.get("action_names", ())))
        if len(q):
            self._scale.include(float(q.min()), float(q.max()))
        self.bars.range = self._scale.range
        self.bars.show_bars(
            Bars(
                names=tuple(action_word(names, action) for action in range(len(q))),
                q=q,
                advantage=np.asarray(answer.get("advantage", ()), np.float64),
                value_head=float(answer.get("value_head", math.nan)),
            )
        )
        self._words.setText(self._sentence(answer, q, names))
        self._go.setVisible("episode" in answer)

    @staticmethod
    def _sentence(answer: dict[str, Any], q: np.ndarray, names: tuple[str, ...]) -> str:
        said = preference(q, names)
        if answer.get("explored"):
            said += " When it was seen, chance chose."
        value = f"V(s) = {short(float(q.max()))}, discounted. " if len(q) else ""
        if "episode" in answer:
            where = f"{answer['kind']} episode {answer['episode']}, t {answer['t']}"
            return f"{where}. {value}{said} {answer.get('note', '')}"
        return f"{value}{said} {answer.get('note', '')}"

    def _on_problem(self, point_id: int, sentence: str) -> None:
        if point_id == self.point_id:
            self.picture.set_frame(None, point_id, sentence)

    def _on_go(self) -> None:
        answer = self.answer
        if "episode" in answer:
            kind, episode = str(answer["kind"]), int(answer["episode"])
            self._context.cursor.show_episode(kind, episode, t=int(answer["t"]))
