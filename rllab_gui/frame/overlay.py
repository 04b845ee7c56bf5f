"""The overlay of all keyboard shortcuts."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from rllab_gui.commands import NATIVE, Commands
from rllab_gui.theme import Theme


class ShortcutOverlay(QWidget):
    """A table made from the commands; any key or click takes it away."""

    def __init__(self, commands: Commands, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("main.shortcuts")
        self.setAccessibleName("Keyboard shortcuts")
        self.setProperty("role", "overlay")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._commands, self._theme = commands, theme
        self._table = QLabel()
        self._table.setTextFormat(Qt.TextFormat.RichText)
        self._table.setAlignment(Qt.AlignmentFlag.AlignTop)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setWidget(self._table)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addWidget(scroll)
        self.hide()

    def toggle(self) -> None:
        """Show it, or take it away."""
        if self.isVisible():
            self.hide()
            return
        self._table.setText(self._text())
        around = self.parentWidget()
        assert around is not None
        wide, high = min(860, around.width() - 40), min(560, around.height() - 60)
        self.setGeometry(
            (around.width() - wide) // 2, (around.height() - high) // 2, wide, high
        )
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _text(self) -> str:
        rows = []
        for command_id in self._commands.ids():
            action = self._commands.action(command_id)
            keys = [it.toString(NATIVE) for it in action.shortcuts()]
            if keys:
                rows.append((" or ".join(keys), action.text().replace("&", "")))
        half = -(-len(rows) // 2)
        columns = "".join(
            f"<td valign='top'>{self._column(part)}</td>"
            for part in (rows[:half], rows[half:])
        )
        return (
            f"<h3>Keyboard shortcuts</h3><table width='100%'><tr>{columns}</tr></table>"
        )

    def _column(self, rows: list[tuple[str, str]]) -> str:
        colour = self._theme.tokens.link
        lines = "".join(
            f"<tr><td style='color:{colour}; padding-right:14px'><b>{escape(keys)}</b>"
            f"</td><td>{escape(text)}</td></tr>"
            for keys, text in rows
        )
        return f"<table cellpadding='2'>{lines}</table>"

    def event(self, event: QEvent) -> bool:
        """No shortcut comes before that."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Any key takes it away."""
        self.hide()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click takes it away."""
        self.hide()

    def changeEvent(self, event: QEvent) -> None:
        """Nothing of an old theme stays."""
        super().changeEvent(event)
        if self.isVisible() and event.type() == QEvent.Type.PaletteChange:
            self._table.setText(self._text())
