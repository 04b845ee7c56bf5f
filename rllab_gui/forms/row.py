"""One option in the form: label, editor, when it applies, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QToolTip,
    QWidget,
)

from engine.contract.alternatives import Alternative
from engine.contract.options import OptionSpec
from rllab_gui.forms.editors import EDITORS, Editor
from rllab_gui.forms.environment import EnvironmentEditor
from rllab_gui.forms.words import impossible, row_title, tooltip
from rllab_gui.plain import PlainLabel
from rllab_gui.theme import Theme
from rllab_gui.theme.icons import icon

LABEL_WIDTH = 122
FIELD_WIDTH = 74
SMALL = 0.88
"""Size of the words below a field, relative to those beside it."""
PLACES = {"muted": (1, 1, 1, 2), "complaint": (2, 0, 1, 3)}
"""Row, column and spans of what stands below: a remark, what is wrong."""


class OptionRow(QWidget):
    """Everything about one option.

    Signals:
      edited(str key, object value), refused(str key, str sentence).
    """

    edited = Signal(str, object)
    refused = Signal(str, str)

    def __init__(
        self, of: OptionSpec, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.of = of
        self._theme = theme
        self.setObjectName(f"train.param.{of.key}")
        self.label = QLabel(row_title(of))
        self.label.setWordWrap(True)
        self.editor = self._make_editor()
        self.label.setBuddy(self.editor.main_widget())
        self.badge = self._make_badge()
        self._below: dict[str, PlainLabel] = {}
        self._lay_out()
        self._explained = ""
        self._explain_with(tooltip(of))
        self.editor.edited.connect(lambda value: self.edited.emit(of.key, value))
        self.editor.refused.connect(lambda why: self.refused.emit(of.key, why))
        theme.changed.connect(self._restyle)
        self._restyle()

    def _make_editor(self) -> Editor:
        kind = EDITORS[self.of.kind]
        if self.of.key == "environment.id":
            kind = EnvironmentEditor
        editor = kind(self.of, self)
        editor.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        return editor

    def _make_badge(self) -> QToolButton:
        """Says *live* or *restart*; pressed, it shows the explanation."""
        badge = QToolButton(self)
        badge.setObjectName(f"train.param.{self.of.key}.info")
        badge.setAccessibleName(f"About {self.of.title}: applies {self.of.applies}")
        badge.setProperty("flat", True)
        badge.setProperty("applies", self.of.applies)
        badge.clicked.connect(self._explain)
        return badge

    def _lay_out(self) -> None:
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(0, 1, 0, 1)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(0)
        grid.addWidget(self.label, 0, 0)
        grid.addWidget(self.editor, 0, 1)
        grid.addWidget(self.badge, 0, 2)
        grid.setColumnStretch(1, 1)

    def _say_below(self, role: str, text: str) -> None:
        """Show it, in a label that is made for the first words: most rows have none."""
        if text and role not in self._below:
            label = PlainLabel(parent=self)
            label.setProperty("role", role)
            label.setWordWrap(True)
            label.setFont(self._theme.font(relative=SMALL))
            self._grid.addWidget(label, *PLACES[role])
            self._below[role] = label
        if role in self._below:
            self._below[role].setText(text)
            self._below[role].setVisible(bool(text))

    def _said_below(self, role: str) -> str:
        return self._below[role].text() if role in self._below else ""

    # ----------------------------------------------------------------- content

    def set_value(self, value: Any) -> None:
        """Show this value."""
        self.editor.set_value(value)

    def set_alternatives(self, alternatives: Mapping[Any, Alternative]) -> None:
        """Say which values are impossible now, and what others take."""
        self.editor.offer(alternatives)
        self._explain_with(tooltip(self.of) + impossible(alternatives))

    def set_remark(self, text: str) -> None:
        """Say in a few words what the value means."""
        self._say_below("muted", text)

    def set_complaint(self, sentence: str) -> None:
        """Say what is wrong with the value; empty where nothing is."""
        self._say_below("complaint", sentence)
        main = self.editor.main_widget()
        main.setAccessibleDescription(sentence or self.of.help)
        if bool(main.property("wrong")) != bool(sentence):
            main.setProperty("wrong", bool(sentence))
            main.style().unpolish(main)
            main.style().polish(main)

    @property
    def remark(self) -> str:
        """The words that are shown below the field."""
        return self._said_below("muted")

    @property
    def complaint(self) -> str:
        """The sentence that is shown below the field."""
        return self._said_below("complaint")

    def set_pending(self, pending: bool) -> None:
        """Mark a value that waits for the next Train."""
        self.badge.setProperty("pending", pending)
        self._restyle()

    def _explain_with(self, words: str) -> None:
        """These words stand in the tooltips, and the badge shows them."""
        if words == self._explained:
            return
        self._explained = words
        for part in (self.label, self.editor, self.editor.main_widget(), self.badge):
            part.setToolTip(words)

    def _explain(self) -> None:
        corner = self.badge.mapToGlobal(self.badge.rect().bottomLeft())
        QToolTip.showText(corner, self._explained, self.badge)

    def _restyle(self) -> None:
        theme, tokens = self._theme, self._theme.tokens
        self.label.setFixedWidth(theme.px(LABEL_WIDTH))
        field = self.editor.findChild(QWidget, f"train.param.{self.of.key}.spin")
        slider = self.editor.findChild(QWidget, f"train.param.{self.of.key}.slider")
        if field is not None and slider is not None:
            field.setFixedWidth(theme.px(FIELD_WIDTH))
        for label in self._below.values():
            label.setFont(theme.font(relative=SMALL))
        if self.badge.property("pending"):
            name, colour, word = "reset", tokens.warning, "waits for the next Train"
        elif self.of.applies == "live":
            name, colour, word = "live", tokens.good, "applies now"
        else:
            name, colour, word = "restart", tokens.muted, "needs a new run"
        self.badge.setIcon(icon(name, theme, colour=colour))
        self.badge.setIconSize(QSize(theme.px(14), theme.px(14)))
        self.badge.setStatusTip(f"{self.of.title}: {word}")
