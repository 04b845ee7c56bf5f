"""The picture of the step at the cursor, with what was done and what it was worth."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout

from rllab_gui.episode import BY_HAND
from rllab_gui.plain import tip
from rllab_gui.plots.evalbar import EvalBar
from rllab_gui.plots.numbers import extent, short
from rllab_gui.plots.picture import PictureBox
from rllab_gui.plots.text import OneLine
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.episode_model import Moment, action_phrase
from rllab_gui.views.step_words import no_step

DICE = "⚄"
NAMES_SHOWN = 12
"""Longer observations are cut in the state line; the table of numbers has them all."""
LEAST_PICTURE = (96, 72)
"""Width and height that everything else leaves to the picture, at normal size."""


class FrameView(View):
    """Picture, evaluation bar, action, reward and state: all of one moment.

    Signals:
      frameShown(int t): The picture of this step has been painted.
    """

    view_id = "frame"
    title = "Frame"
    urgent = True
    about = (
        "The picture before the action of this step, drawn again by replaying the "
        "episode (the first one from what was recorded, where that holds all that is "
        "drawn). The bar is V(s) = max_a Q(s,a) on the scale of the whole episode. "
        "The gap is the best minus the second best Q; δ is the TD error of the action"
        " taken."
    )

    frameShown = Signal(int)

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.moment: Moment | None = None
        self.picture = PictureBox(context.theme, self)
        self.picture.setObjectName("step.frame.picture")
        self.picture.setAccessibleName("Picture of the step at the cursor")
        self.picture.shown.connect(self.frameShown)
        self.bar = EvalBar(context.theme, self)
        self.bar.setObjectName("step.evalbar")
        self.bar.setAccessibleName("Evaluation bar")
        row = QHBoxLayout()
        row.setSpacing(0)
        row.addWidget(self.picture, 1)
        row.addWidget(self.bar)
        self.body_layout.addLayout(row, 1)
        self._action = self._line("step.frame.action")
        self._state = self._line("step.frame.state")
        self._note = self._line("step.frame.note")
        for line in (self._state, self._note):
            line.setMinimumHeight(1)  # what may be left out asks for no room
        context.episode.momentChanged.connect(self.refresh)
        context.episode.changed.connect(self.refresh)
        context.branches.ghost.changed.connect(self.refresh)
        context.branches.hand.changed.connect(self.refresh)
        context.why.changed.connect(self.refresh)
        context.why.predict.changed.connect(self._on_predict)
        context.link.lostChanged.connect(self.refresh)
        self.restyle()

    def _line(self, name: str) -> OneLine:
        label = OneLine(parent=self)
        label.setObjectName(name)
        self.body_layout.addWidget(label)
        return label

    def emptiness(self) -> tuple[str, str, Sequence[tuple[str, str]]] | None:
        """No episode is chosen, or it is under way, or it cannot be shown."""
        episode = self.context.episode
        if episode.moment is not None:
            return None
        if episode.problem:
            return "This episode cannot be shown.", episode.problem, ()
        store = self.context.store
        if episode.key is None and not store.episodes and not store.session.uuid:
            words = "Every finished episode of the training appears here."
            return "No episode recorded yet.", words, [("train.start", "Train")]
        guidance = "Choose one in the list of episodes."
        return no_step(episode, "No episode is chosen.", guidance)

    def draw(self) -> None:
        """Show the moment that all views show."""
        moment = self.context.episode.moment
        assert moment is not None
        self.moment = moment
        self._show_picture(moment)
        self._show_value(moment)
        action = self._action_words(moment)
        state = self._state_words(moment)
        self._action.setText(action)
        self._state.setText(state)
        self._show_note(moment)
        self._leave_room()
        words = f"t {moment.t}: {action}. {state} {self._note.text()}"
        self.picture.setAccessibleDescription(words.strip())

    def _show_picture(self, moment: Moment) -> None:
        """The frame of this moment; until it is here another one, by its number."""
        if moment.frame is None and moment.last_picture is not None:
            t, frame = moment.last_picture
            lost = self.context.link.lost
            coming = "comes with the next engine" if lost else "is on its way"
            words = f"picture of t {t}; that of t {moment.t} {coming}"
            self.picture.set_frame(frame, t, words)
            return
        ghost = self.context.branches.ghost
        words, hidden = moment.missing, self.context.why.predict.hidden
        overlay = self.context.why.on_frame(moment)
        words = words or (overlay.words if overlay is not None else "")
        dice = moment.explored and not hidden
        self.picture.set_frame(moment.frame, moment.t, words, explored=dice)
        self.picture.set_ghost(None if hidden else ghost.frame(moment.t))
        self.picture.set_overlay(None if overlay is None else overlay.map)

    def _show_value(self, moment: Moment) -> None:
        if self.context.why.predict.hidden:
            self.bar.set_value(math.nan, 0.0, 1.0)
            return
        spread = extent(moment.episode.value)
        low, high = spread if spread is not None else (0.0, 1.0)
        value = float(moment.episode.value[moment.t])
        self.bar.set_value(value, min(low, 0.0), max(high, 0.0))

    def _show_note(self, moment: Moment) -> None:
        episode = moment.episode
        note = episode.note
        if not episode.exact and not note:
            note = "The replay differs from the recording: the picture is approximate."
        own = "" if moment.note in note else moment.note
        other = self.context.branches.ghost.words(moment.t)
        note = " ".join(it for it in (other, own, note) if it)
        self._note.setText("" if self.context.why.predict.hidden else note)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More lines, or fewer, fit below the picture."""
        super().resizeEvent(event)
        self._leave_room()

    def _leave_room(self) -> None:
        """Lines for which the picture would become too small are in a tooltip."""
        above = self.picture.minimumHeight() + self._action.sizeHint().height()
        room = self.height() - above
        left_out = []
        for line in (self._note, self._state):
            words = line.text()
            room -= line.sizeHint().height() if words else 0
            line.setVisible(bool(words) and room >= 0)
            if words and room < 0:
                left_out.append(words)
        self._action.setToolTip(tip("\n".join((self._action.text(), *left_out))))

    def _action_words(self, moment: Moment) -> str:
        episode, t = moment.episode, moment.t
        if self.context.why.predict.hidden:
            return f"t {t} · what would the agent do here?"
        head = f"t {t}/{episode.steps}"
        if moment.is_last:
            total = short(float(episode.reward_sum[-1]))
            if episode.key[2] == BY_HAND and not episode.ended:
                keys = self.context.branches.hand.keys
                return f"{head} · return {total} so far · your move: {keys}"
            return f"{head} · {episode.ended or 'end'} · return {total} (undiscounted)"
        phrase = action_phrase(episode.action_names, moment.action)
        why = f"{DICE} explored" if moment.explored else episode.why(t)
        parts = [head, f"{phrase} ({why})", f"reward {_signed(moment.reward)}"]
        gap = float(episode.gaps[t])
        if math.isfinite(gap):
            parts.append(f"gap {short(gap)}")
        if math.isfinite(moment.td_error):
            parts.append(f"δ {_signed(moment.td_error)}")
        return " · ".join(parts)

    def _state_words(self, moment: Moment) -> str:
        observations = moment.episode.observations
        if observations is None:
            return ""
        values = np.asarray(observations[moment.t], np.float64)
        names = moment.episode.observation_names
        card = self.context.store.card
        if (
            card is not None
            and card.observation == "onehot"
            and len(names) == len(values)
        ):
            return f"state: {names[int(values.argmax())]}"
        words = []
        for index, value in enumerate(values[:NAMES_SHOWN].tolist()):
            name = names[index] if index < len(names) else f"o{index}"
            words.append(f"{name} {_signed(value, plus=False)}")
        more = " …" if len(values) > NAMES_SHOWN else ""
        return "state: " + "  ".join(words) + more

    def _on_predict(self) -> None:
        self.refresh()
        self.context.pulse.soon()

    def restyle(self) -> None:
        """Take over fonts and colours."""
        theme = self.context.theme
        gap = theme.px(6)
        self.picture.setMinimumSize(*(theme.px(it) for it in LEAST_PICTURE))
        self._action.setFont(theme.font(relative=0.95, bold=True))
        self._state.setFont(theme.mono(relative=0.85))
        self._note.setFont(theme.font(relative=0.85))
        for label in (self._action, self._state):
            label.setStyleSheet(f"padding: {gap // 2}px {gap}px;")
        self._note.setStyleSheet(
            f"padding: {gap // 2}px {gap}px; color: {theme.tokens.warning};"
        )


def _signed(value: float, *, plus: bool = True) -> str:
    text = short(value)
    return f"+{text}" if plus and value > 0 else text
