"""One line of text that is cut with an ellipsis where the room ends."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from engine.contract.plain_text import visible
from rllab_gui.plain import tip


class OneLine(QLabel):
    """A label that never asks for more width than there is; the tooltip has it all."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show this text."""
        if visible(text) != self.text():
            super().setText(visible(text))
            self.setToolTip(tip(text))

    def minimumSizeHint(self) -> QSize:
        """A few letters wide."""
        whole = super().minimumSizeHint()
        few = self.fontMetrics().averageCharWidth() * 8
        return QSize(min(few, whole.width()), whole.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much as fits; the ground comes from the style sheet."""
        if self.fontMetrics().horizontalAdvance(self.text()) <= self._room():
            super().paintEvent(event)
            return
        cut = self.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self._room()
        )
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.palette().window())
            painter.setPen(self.palette().windowText().color())
            inside = self.contentsRect()
            inside.setWidth(self._room())
            painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, cut)

    def _room(self) -> int:
        return self.contentsRect().width() - 2 * self.margin()
