"""One line of text that is cut with an ellipsis where the room ends."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from engine.contract.plain_text import visible
from rllab_gui.plain import tip


class OneLine(QLabel):
    """A label that never asks for more width than there is; the tooltip has it all.

    Args:
      text: What it says at first.
      parent: Wherein it is.
      keep_end: The beginning is cut, as of a path whose last part says the most.
    """

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        *,
        keep_end: bool = False,
    ) -> None:
        super().__init__(parent)
        mode = Qt.TextElideMode
        self._mode = mode.ElideLeft if keep_end else mode.ElideRight
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

    @property
    def shown(self) -> str:
        """As much of the text as there is room for."""
        return self.fontMetrics().elidedText(self.text(), self._mode, self._room())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much as fits; the ground comes from the style sheet."""
        if self.fontMetrics().horizontalAdvance(self.text()) <= self._room():
            super().paintEvent(event)
            return
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self.palette().window())
            painter.setPen(self.palette().windowText().color())
            inside = self.contentsRect()
            inside.setWidth(self._room())
            painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, self.shown)

    def _room(self) -> int:
        return self.contentsRect().width() - 2 * self.margin()
