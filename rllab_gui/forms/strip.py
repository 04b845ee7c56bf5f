"""A strip above the form that says one thing and offers commands about it."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from rllab_gui.commands import Commands
from rllab_gui.plain import PlainLabel


class Strip(QWidget):
    """A sentence over buttons; hidden while there is nothing to say."""

    def __init__(
        self,
        name: str,
        commands: Commands,
        offered: Iterable[str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("role", "strip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._text = PlainLabel()
        self._text.setObjectName(f"{name}.text")
        self._text.setWordWrap(True)
        buttons = QHBoxLayout()
        for command in offered:
            buttons.addWidget(self._button(command, commands))
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.addWidget(self._text)
        layout.addLayout(buttons)
        self.hide()

    @staticmethod
    def _button(command: str, commands: Commands) -> QPushButton:
        action = commands.action(command)
        button = QPushButton(action.text())
        button.setObjectName(f"train.form.{command}")
        button.setAccessibleName(action.text())
        button.setToolTip(action.toolTip())
        button.clicked.connect(action.trigger)
        return button

    @property
    def text(self) -> str:
        """What is said; empty where nothing is."""
        return self._text.text()

    def say(self, sentence: str) -> None:
        """Show this sentence, or nothing."""
        self._text.setText(sentence)
        self.setAccessibleName(sentence)
        self.setVisible(bool(sentence))
