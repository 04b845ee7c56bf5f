"""What did it look at? A hypothesis, with a test."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDockWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from rllab_gui.plain import PlainLabel
from rllab_gui.plots.header import legend_html
from rllab_gui.plots.looked_at import SquaredPicture
from rllab_gui.plots.numbers import count
from rllab_gui.plots.perturbations import PerturbationCanvas
from rllab_gui.resting import of_moment
from rllab_gui.views.asking import AskingView, Empty
from rllab_gui.views.base import ViewContext
from rllab_gui.views.episode_model import Moment, action_word
from rllab_gui.views.saliency_words import (
    bars_words,
    found_words,
    map_words,
    perturbations,
)
from rllab_gui.why import Overlay, place_of

METHODS = (
    ("occlusion", "Occlusion", "How much Q falls without this square"),
    ("gradient", "Gradient", "|∂Q/∂s|: where a small change would count"),
    ("integrated", "Integrated", "What each place adds to Q; together all of it"),
)
FORMS = {
    "occlusion": "Q without this square is lower / higher",
    "gradient": "|∂Q/∂s|, the largest of all channels",
    "integrated": "adds to Q / takes from it (integrated gradients)",
}


class StepSaliencyView(AskingView):
    """Which parts of the state seem to count for the action, and whether they do."""

    view_id = "stepSaliency"
    title = "What did it look at?"
    tab = "Looked at"
    about = (
        "Which parts of the state the value of the action depends on. Of pictures: the "
        "gradient, integrated gradients, or occlusion; of a few numbers: what becomes "
        "of Q if each is moved by a quarter of its spread in this episode. All of them "
        "are hypotheses: a bright place need not be a reason. Test it: click a place, "
        "and it is taken out; the Q-values with and without it are printed."
    )
    question = "saliency"
    refused = "This step cannot be looked into."

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self.picture = SquaredPicture(context.theme)
        self.bars = PerturbationCanvas(context.theme)
        self._result = PlainLabel(parent=self)
        self._result.setObjectName("step.why.saliency.result")
        self._result.setAccessibleName("What the test found")
        self._result.setWordWrap(True)
        self._method = self._make_method()
        self._test = self._make_test()
        self._question = -1
        self._tested: dict[str, Any] = {}
        self._tested_at: dict[str, Any] = {}
        self.plot.set_canvas(self._make_panel())
        for control in (self._test, self._method):
            self.plot.header.add(control)
        self.picture.picked.connect(self._test_square)
        self.bars.picked.connect(self._test_number)
        context.why.changed.connect(self._on_why)
        context.store.cardChanged.connect(self._on_options)
        self.restyle()

    def _make_panel(self) -> QWidget:
        panel = QWidget(self)
        layout = QVBoxLayout(panel)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.picture, 1)
        layout.addWidget(self.bars, 1)
        layout.addWidget(self._result)
        return panel

    def _make_method(self) -> QComboBox:
        box = QComboBox(self)
        box.setObjectName("step.why.saliency.method")
        box.setAccessibleName("How it is found out what counts")
        box.setToolTip("Occlusion, gradient, or integrated gradients")
        for name, words, tip in METHODS:
            box.addItem(words, name)
            box.setItemData(box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        box.currentIndexChanged.connect(self._on_moment)
        return box

    def _make_test(self) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("step.why.saliency.test")
        button.setText("Test it")
        button.setAccessibleName("Test what counts most")
        button.setToolTip("Take out what seems to count most, and compare Q-values")
        button.clicked.connect(self._on_test)
        return button

    # ------------------------------------------------------------------ asking

    @property
    def _form(self) -> str:
        card = self.context.store.card
        return card.observation if card is not None else ""

    def cannot(self) -> Empty | None:
        """A state that is one cell has no parts."""
        if self._form != "onehot":
            return None
        words = "Its value beside those of all cells is on the map of cells in Train."
        offer = [("workspace.train", "See the map of cells")]
        return "The state of this world is one cell.", words, offer

    def wanted(self) -> bool:
        """While it can be seen, here or on the frame."""
        return super().wanted() or (self.context.why.laid and self._form == "image")

    def wish(self, moment: Moment) -> dict[str, Any] | None:
        """About the action that was taken; at the end about the greedy one."""
        method = self._method.currentData() if self._form == "image" else "gradient"
        return of_moment(moment) | {"method": method, "action": moment.action}

    def _on_moment(self) -> None:
        moment = self.context.episode.moment
        if moment is None or of_moment(moment) != self._tested_at:
            self._forget_test()
        super()._on_moment()

    def _on_answer(self) -> None:
        moment, answer = self.context.episode.moment, self.asked.answer
        if moment is not None and "map" in answer and answer["t"] == moment.t:
            words = f"hypothesis: {self._method.currentText().lower()}"
            overlay = Overlay(place_of(moment), np.asarray(answer["map"]), words)
            self.context.why.set_overlay(overlay)
        super()._on_answer()

    def _on_why(self) -> None:
        """The overlay is wanted: of what is no picture the panel shows it."""
        if self.context.why.laid and self._form == "vector" and not self.isVisible():
            dock = self.parentWidget()
            if isinstance(dock, QDockWidget):
                dock.show()
                dock.raise_()
        self.ask()

    # ----------------------------------------------------------------- drawing

    def draw(self) -> None:
        """Show the map or the bars, and what the last test found."""
        answer = self.asked.answer
        pictured = "map" in answer
        self.picture.setVisible(pictured)
        self.bars.setVisible(not pictured)
        self._method.setVisible(pictured)
        self.plot.header.set_title(self.tab if pictured else self.title)
        sentence = self._draw_map(answer) if pictured else self._draw_bars(answer)
        self._result.setVisible(bool(self._tested))
        names = perturbations(answer).names if not pictured else ()
        tested = found_words(self._tested, self._word, names) if self._tested else ""
        self._result.setText(tested)
        where = f"t {answer['t']}, by checkpoint {count(answer['checkpoint_step'])}"
        self.plot.set_legend(f"{escape(sentence)}<br>{self._marks(answer, where)}")
        self.say(f"{sentence} {tested}".strip(), f"{where}; one state.")

    def _draw_map(self, answer: dict[str, Any]) -> str:
        values = np.asarray(answer["map"], np.float64)
        moment = self.context.episode.moment
        assert moment is not None
        self.picture.set_frame(moment.frame, moment.t, moment.missing)
        # While the cursor moves the answer is about an earlier step.
        here = of_moment(moment).items() <= self.asked.arguments.items()
        self.picture.set_overlay(values if here else None)
        side = int(answer["side"])
        squares = (-(-answer["height"] // side), -(-answer["width"] // side))
        self.picture.mark(squares, self._tested_square())
        self.plot.set_model(map=values.reshape(-1), q=np.asarray(answer["q"]))
        return map_words(answer, values, self._strongest(answer), self._word)

    def _draw_bars(self, answer: dict[str, Any]) -> str:
        bars = perturbations(answer)
        self.bars.show_bars(bars, self._tested_number())
        self.plot.set_model(
            value=bars.values,
            lowered=bars.lower,
            raised=bars.upper,
            spread=np.asarray(answer["spread"]),
        )
        return bars_words(bars, self._word(answer["action"]))

    def _marks(self, answer: dict[str, Any], where: str) -> str:
        theme = self.context.theme
        muted, more, less = theme.tokens.muted, theme.colour(0), theme.colour(1)
        if "map" not in answer:
            marks = [("■", more, "Q rises"), ("■", less, "Q falls")]
            marks.append(("⇄", muted, "another action becomes best"))
        else:
            marks = [("■", more, FORMS[str(self._method.currentData())])]
            if self._method.currentData() != "gradient":
                words = FORMS[str(self._method.currentData())].split(" / ")
                marks = [("■", more, words[0]), ("■", less, words[1])]
        return legend_html([*marks, ("", muted, where)])

    def _word(self, action: int) -> str:
        moment = self.context.episode.moment
        return action_word(moment.episode.action_names if moment else (), int(action))

    # ----------------------------------------------------------------- testing

    def _strongest(self, answer: dict[str, Any]) -> tuple[int, int]:
        """The square with the place that counts most."""
        values = np.abs(np.asarray(answer["map"]))
        row, column = np.unravel_index(int(values.argmax()), values.shape)
        rows, columns = self.picture.squares
        high, wide = values.shape
        return int(row) * rows // high, int(column) * columns // wide

    def _on_test(self) -> None:
        answer = self.asked.answer
        if "map" in answer:
            self._test_square(*self._strongest(answer))
        elif answer:
            self._test_number(*perturbations(answer).strongest)

    def _test_square(self, row: int, column: int) -> None:
        self._ask_test({"row": row, "column": column})

    def _test_number(self, feature: int, sign: int) -> None:
        share = float(self.asked.answer.get("share", 0.0))
        self._ask_test({"feature": feature, "share": sign * share})

    def _ask_test(self, part: dict[str, Any]) -> None:
        moment = self.context.episode.moment
        if moment is None:
            return
        self.context.link.cancel(self._question)
        self._tested_at = of_moment(moment)
        self._question = self.context.link.ask(
            "test_saliency", self._tested_at | part, self._on_tested
        )

    def _on_tested(self, answer: dict[str, Any]) -> None:
        moment = self.context.episode.moment
        if moment is not None and of_moment(moment) == self._tested_at:
            self._tested = answer
            self.refresh()
            self.context.pulse.soon()

    def _forget_test(self) -> None:
        self.context.link.cancel(self._question)
        self._tested, self._tested_at = {}, {}

    def _tested_square(self) -> tuple[int, int] | None:
        row, column = self._tested.get("row", -1), self._tested.get("column", -1)
        return (int(row), int(column)) if row >= 0 else None

    def _tested_number(self) -> tuple[int, int]:
        share = float(self._tested.get("share", 0.0))
        return int(self._tested.get("feature", -1)), 1 if share > 0 else -1

    def restyle(self) -> None:
        """Take over fonts."""
        theme = self.context.theme
        self._result.setFont(theme.font(relative=0.92))
        self._result.setContentsMargins(theme.px(6), theme.px(2), theme.px(6), 0)
        self._result.setStyleSheet(f"color: {theme.tokens.text}")
