"""Words of a stranger in widgets: as plain text, never as a document that loads."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from engine.contract.plain_text import visible


def tip(text: str) -> str:
    """A tooltip that shows exactly this text.

    Qt reads a tooltip that looks like HTML as such, and then opens what it names.
    """
    shown = visible(text, lines=True)
    if "<" not in shown:
        return shown
    return f"<qt>{escape(shown)}</qt>".replace("\n", "<br>")


class PlainLabel(QLabel):
    """A label that shows its text as it is."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show this text, short and with hidden characters written out."""
        super().setText(visible(text, lines=True))
