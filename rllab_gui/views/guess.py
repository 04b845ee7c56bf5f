"""Predict mode: which action would the agent prefer here?"""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout
from PySide6.QtWidgets import QWidget as Widget

from rllab_gui.plain import PlainLabel
from rllab_gui.views.base import ViewContext
from rllab_gui.views.episode_model import Moment
from rllab_gui.why import greedy_of

COLUMNS = 3


class GuessPanel(Widget):
    """A button for each action while the answer is hidden, then who was right."""

    def __init__(self, context: ViewContext) -> None:
        super().__init__()
        self._context = context
        self._moment: Moment | None = None
        self._names: tuple[str, ...] = ()
        self._choices: list[QPushButton] = []
        self._words = PlainLabel(parent=self)
        self._words.setObjectName("step.why.predict.words")
        self._words.setWordWrap(True)
        self._reveal = self._button("reveal", "Reveal", "Show the answer")
        self._reveal.clicked.connect(context.why.predict.reveal)
        self._grid = QGridLayout()
        head = QHBoxLayout()
        head.addWidget(self._words, 1)
        head.addWidget(self._reveal)
        layout = QVBoxLayout(self)
        margin = context.theme.spacing
        layout.setContentsMargins(margin, margin, margin, margin)
        layout.addLayout(head)
        layout.addLayout(self._grid)
        layout.addStretch(1)
        context.theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def _button(self, name: str, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(f"step.why.predict.{name}")
        button.setAccessibleName(text)
        button.setToolTip(tip)
        return button

    def bring_up_to_date(self, moment: Moment) -> None:
        """Ask about this moment, or say who was right."""
        predict, episode = self._context.why.predict, moment.episode
        self._moment = moment
        self.setVisible(predict.on)
        if not predict.on:
            return
        names = tuple(episode.word(it) for it in range(episode.q.shape[1]))
        if names != self._names:
            self._offer(names)
        for button in self._choices:
            button.setVisible(predict.hidden)
        self._reveal.setVisible(predict.hidden)
        self._words.setText(self.words())

    def words(self) -> str:
        """The question, or the outcome and the score."""
        predict, moment = self._context.why.predict, self._moment
        if moment is None:
            return ""
        score = f" {predict.score.capitalize()}." if predict.asked else ""
        if predict.hidden:
            return f"t {moment.t}: what would the agent do here?{score}"
        if moment.is_last:
            return f"Here the episode ends.{score}"
        prefers = f"The agent prefers {moment.episode.word(greedy_of(moment))}."
        if predict.said < 0:
            return f"{prefers}{score}"
        right = "Yes" if predict.said == greedy_of(moment) else "No"
        said = moment.episode.word(predict.said)
        return f"{right}: you said {said}. {prefers}{score}"

    def _offer(self, names: tuple[str, ...]) -> None:
        for old in self._choices:
            old.hide()  # it may be drawn once more before it goes
            old.setObjectName("")
            old.deleteLater()
        self._names, self._choices = names, []
        predict = self._context.why.predict
        for action, name in enumerate(names):
            tip = f"The agent prefers {name} here"
            button = self._button(f"choose.{action}", name, tip)
            button.clicked.connect(partial(predict.choose, action))
            self._choices.append(button)
            self._grid.addWidget(button, action // COLUMNS, action % COLUMNS)

    def _restyle(self) -> None:
        self._words.setFont(self._context.theme.font(bold=True))
