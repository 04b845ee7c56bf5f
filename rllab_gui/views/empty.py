"""What a view shows while it has nothing: a title, guidance, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from rllab_gui.commands import Commands
from rllab_gui.theme import Theme


class EmptyState(QWidget):
    """Title, guidance and buttons, in the middle of a view.

    Attributes:
      prefix: Begins the names of the buttons; views that offer the same have others.
    """

    def __init__(
        self, commands: Commands, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._commands = commands
        self._theme = theme
        self.prefix = "empty"
        self._offered: tuple[tuple[str, str], ...] = ()
        self._title = self._label("empty.title")
        self._guidance = self._label("empty.guidance")
        self._buttons = QHBoxLayout()
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addWidget(self._title)
        layout.addWidget(self._guidance)
        layout.addLayout(self._buttons)
        layout.addStretch(3)
        self._restyle()
        theme.changed.connect(self._restyle)

    def _label(self, name: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        return label

    def say(
        self, title: str, guidance: str = "", offers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Show this; offers are (command id, label), unknown commands are left out."""
        self._title.setText(title)
        self._guidance.setText(guidance)
        self._guidance.setVisible(bool(guidance))
        known = tuple(it for it in offers if it[0] in self._commands)
        if known != self._offered:
            self._offered = known
            self._rebuild()

    def _rebuild(self) -> None:
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()  # it may be drawn once more before it goes
                widget.deleteLater()
        self._buttons.addStretch(1)
        for command_id, label in self._offered:
            self._buttons.addWidget(self._button(command_id, label))
        self._buttons.addStretch(1)

    def _button(self, command_id: str, label: str) -> QPushButton:
        action = self._commands.action(command_id)
        button = QPushButton(label, self)
        button.setObjectName(f"{self.prefix}.{command_id}")
        button.setAccessibleName(label)
        button.setToolTip(action.toolTip())
        button.clicked.connect(action.trigger)
        button.setEnabled(action.isEnabled())
        action.enabledChanged.connect(button.setEnabled)
        return button

    def _restyle(self) -> None:
        self._title.setFont(self._theme.font(relative=1.1, bold=True))
        self._guidance.setFont(self._theme.font())
        self._guidance.setStyleSheet(f"color: {self._theme.tokens.muted}")
