"""The evaluation bar: V(s) as one upright bar, as chess programs have it."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from rllab_gui.plots.numbers import short
from rllab_gui.theme import Theme

LINES_FOR_NAME, LINES_FOR_SCALE = 3.4, 5.4
"""So many lines of text a bar has to be high to have room for them and a column."""


class EvalBar(QWidget):
    """Shows one value on a scale that does not move within an episode."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._value = math.nan
        self._range = (0.0, 1.0)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setToolTip(
            "V(s) = max_a Q(s,a): the discounted return that the agent expects from "
            "here on. The scale is that of the whole episode."
        )

    def sizeHint(self) -> QSize:
        """A narrow column."""
        return QSize(self._theme.px(52), self._theme.px(160))

    @property
    def value(self) -> float:
        """The value that is shown; NaN where there is none."""
        return self._value

    def set_value(self, value: float, low: float, high: float) -> None:
        """Show this value on a scale from ``low`` to ``high``."""
        self._value, self._range = value, (low, max(high, low + 1e-9))
        words = f"V(s) = {short(value)}, scale {short(low)} to {short(high)}"
        self.setAccessibleDescription(words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the column, its value and its scale."""
        painter = QPainter(self)
        tokens, line = self._theme.tokens, self._theme.px(15)
        painter.setFont(self._theme.font(relative=0.8))
        painter.setPen(QColor(tokens.muted))
        name, scale = self._has_room()
        if name:
            self._write(painter, 0, "V(s)")
        if scale:
            self._write(painter, line, short(self._range[1]))
            self._write(painter, self.height() - 2 * line, short(self._range[0]))
        top = (0.2 + name + scale) * line
        column = QRectF(self.width() * 0.28, top, self.width() * 0.44, 0)
        column.setBottom(self.height() - (1.2 + scale) * line)
        painter.fillRect(column, QColor(tokens.raised))
        painter.setPen(QPen(QColor(tokens.edge), 1))
        painter.drawRect(column)
        if math.isfinite(self._value):
            self._paint_value(painter, column)
        painter.setPen(QColor(tokens.text))
        painter.setFont(self._theme.mono(relative=0.85))
        self._write(painter, self.height() - line, short(self._value))
        painter.end()

    def _has_room(self) -> tuple[bool, bool]:
        """For the name, and for the ends of the scale, beside a column."""
        lines = self.height() / self._theme.px(15)
        return lines >= LINES_FOR_NAME, lines >= LINES_FOR_SCALE

    def _y(self, value: float, column: QRectF) -> float:
        low, high = self._range
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        return column.bottom() - share * column.height()

    def _paint_value(self, painter: QPainter, column: QRectF) -> None:
        top, zero = self._y(self._value, column), self._y(0.0, column)
        bar = QRectF(column.left(), min(top, zero), column.width(), abs(zero - top))
        painter.fillRect(bar, QColor(self._theme.colour(0)))
        painter.setPen(QPen(QColor(self._theme.tokens.text), 1))
        painter.drawLine(QPointF(column.left(), top), QPointF(column.right(), top))

    def _write(self, painter: QPainter, top: float, text: str) -> None:
        place = QRectF(0, top, self.width(), self._theme.px(15))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
