"""Units of a memory over time as a heat map, and one of them as a trace below."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from rllab_gui.plots.return_shapes import ticks
from rllab_gui.theme import Theme

STEPS = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
SHADES = 255
"""Odd, so that zero has a shade of its own."""


def diverging(theme: Theme) -> np.ndarray:
    """Colours from -1 over the ground of the panel to 1, uint8 [SHADES, 3]."""
    ends = [
        QColor(theme.colour(0)),
        QColor(theme.tokens.panel),
        QColor(theme.colour(1)),
    ]
    stops = np.array([[it.red(), it.green(), it.blue()] for it in ends], np.float64)
    at = np.linspace(-1.0, 1.0, SHADES)
    share = np.abs(at)[:, None]
    far = np.where(at[:, None] < 0, stops[0], stops[2])
    return np.asarray(np.round(stops[1] + share * (far - stops[1])), np.uint8)


class HeatCanvas(QWidget):
    """Paints ``memory`` [k, U], within ±1: a column for each step, a row a unit.

    Attributes:
      memory: float [k, U].
      order: Units from above to below, int [U].
      first: Step of the first column.
      unit: Whose trace is drawn; -1 for none.

    Signals:
      unitPicked(int): A click on the row of this unit; -1 on the one that was picked.
      hovered(int): The pointer is over this step; -1 when it has left.
    """

    unitPicked = Signal(int)
    hovered = Signal(int)
    own_keys = frozenset(STEPS)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.memory = np.empty((0, 0))
        self.order = np.empty(0, np.int64)
        self.first, self.unit = 0, -1
        self.columns = 0
        self._cursor = self._ghost = math.nan
        self._image: QImage | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Room for the map and a trace."""
        return QSize(self._theme.px(320), self._theme.px(200))

    def minimumSizeHint(self) -> QSize:
        """Narrow, but never without the map."""
        return QSize(self._theme.px(180), self._theme.px(90))

    def show_memory(
        self, memory: np.ndarray, order: np.ndarray, first: int = 0, columns: int = 0
    ) -> None:
        """Paint this; ``columns`` leaves room for steps that are to come."""
        self.memory, self.order, self.first = memory, order, first
        self.columns = max(columns, len(memory))
        self._image = None
        self.update()

    def pick(self, unit: int) -> None:
        """Draw the trace of this unit; -1 takes it away."""
        self.unit = unit
        self.update()

    def set_cursors(self, cursor: float, ghost: float = math.nan) -> None:
        """Move the cursor lines, in steps; NaN hides one."""
        self._cursor, self._ghost = cursor, ghost
        self.update()

    def restyle(self) -> None:
        """The colours are others."""
        self._image = None
        self.update()

    # ------------------------------------------------------------- geometry

    def map_rect(self) -> QRectF:
        """Where the heat map is."""
        left, foot = self._theme.px(34), self._theme.px(18)
        width = self.width() - left - self._theme.px(10)
        height = self.height() - foot - self._trace_height() - self._theme.px(2)
        return QRectF(left, self._theme.px(2), max(width, 10), max(height, 10))

    def trace_rect(self) -> QRectF:
        """Where the trace is."""
        top = self.map_rect().bottom() + self._theme.px(6)
        high = self._trace_height() - self._theme.px(8)
        return QRectF(self.map_rect().left(), top, self.map_rect().width(), high)

    def _trace_height(self) -> float:
        if self.unit < 0:
            return 0.0
        return float(min(self._theme.px(76), self.height() * 0.35))

    def unit_at(self, at: QPointF) -> int:
        """The unit whose row is here; -1 elsewhere."""
        area = self.map_rect()
        if not area.contains(at) or not len(self.order):
            return -1
        row = int((at.y() - area.top()) / area.height() * len(self.order))
        return int(self.order[min(row, len(self.order) - 1)])

    def step_at(self, at: QPointF) -> int:
        """The step whose column is here; -1 elsewhere."""
        area = self.map_rect()
        if not area.left() <= at.x() <= area.right() or not len(self.memory):
            return -1
        column = int((at.x() - area.left()) / area.width() * self.columns)
        return self.first + column if column < len(self.memory) else -1

    def row_pos(self, unit: int) -> QPointF:
        """The middle of the row of a unit, for clicks of tests."""
        area, rows = self.map_rect(), len(self.order)
        row = int(np.flatnonzero(self.order == unit)[0])
        y = area.top() + (row + 0.5) * area.height() / rows
        return QPointF(area.left() + 3, y)

    def x_of(self, t: float) -> float:
        """The middle of the column of a step."""
        area = self.map_rect()
        share = (t - self.first + 0.5) / max(self.columns, 1)
        return float(area.left() + share * area.width())

    # ------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw map, trace, axis and cursors."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(self._theme.tokens.panel))
            if not self.memory.size:
                return
            self._paint_map(painter)
            if self.unit >= 0:
                self._paint_trace(painter)
            self._paint_axis(painter)
            self._paint_cursors(painter)

    def _paint_map(self, painter: QPainter) -> None:
        area = self.map_rect()
        if self._image is None:
            self._image = self._drawn()
        wide = area.width() * len(self.memory) / self.columns
        painter.drawImage(
            QRectF(area.left(), area.top(), wide, area.height()), self._image
        )
        painter.setPen(QPen(QColor(self._theme.tokens.border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area)
        self._paint_row_ends(painter, area)
        if self.unit >= 0:
            high = area.height() / len(self.order)
            y = self.row_pos(self.unit).y() - high / 2
            painter.setPen(QPen(QColor(self._theme.tokens.accent), 1))
            painter.drawRect(QRectF(area.left(), y, area.width(), max(high, 2.0)))

    def _drawn(self) -> QImage:
        """The map with one pixel for each unit and step."""
        level = np.nan_to_num(np.clip(self.memory[:, self.order].T, -1.0, 1.0))
        shade = np.round((level + 1.0) / 2.0 * (SHADES - 1)).astype(np.intp)
        pixels = np.ascontiguousarray(diverging(self._theme)[shade])
        high, wide = shade.shape
        image = QImage(
            pixels.tobytes(), wide, high, 3 * wide, QImage.Format.Format_RGB888
        )
        return image.copy()

    def _paint_row_ends(self, painter: QPainter, area: QRectF) -> None:
        """The units at the top and at the bottom."""
        painter.setPen(QColor(self._theme.tokens.muted))
        painter.setFont(self._theme.font(relative=0.75))
        place = QRectF(0, area.top(), area.left() - self._theme.px(4), area.height())
        right = Qt.AlignmentFlag.AlignRight
        painter.drawText(place, right | Qt.AlignmentFlag.AlignTop, str(self.order[0]))
        bottom = right | Qt.AlignmentFlag.AlignBottom
        painter.drawText(place, bottom, str(self.order[-1]))
        words = "unit"
        if area.height() > 3.5 * QFontMetricsF(painter.font()).height():
            painter.drawText(place, right | Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_trace(self, painter: QPainter) -> None:
        area, tokens = self.trace_rect(), self._theme.tokens
        painter.fillRect(area, QColor(tokens.raised))
        middle = area.center().y()
        painter.setPen(QPen(QColor(tokens.edge), 1))
        painter.drawLine(QLineF(area.left(), middle, area.right(), middle))
        values = np.clip(self.memory[:, self.unit], -1.0, 1.0)
        steps = self.first + np.arange(len(values))
        points = [
            QPointF(self.x_of(float(t)), middle - 0.5 * area.height() * float(it))
            for t, it in zip(steps, values, strict=True)
            if math.isfinite(it)
        ]
        painter.setPen(QPen(QColor(tokens.text), 1.2))
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(QColor(tokens.muted))
        painter.setFont(self._theme.font(relative=0.75))
        place = QRectF(0, area.top(), area.left() - self._theme.px(4), area.height())
        right = Qt.AlignmentFlag.AlignRight
        painter.drawText(place, right | Qt.AlignmentFlag.AlignTop, "1")
        painter.drawText(place, right | Qt.AlignmentFlag.AlignBottom, "−1")
        middle_right = right | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, middle_right, f"u {self.unit}")

    def _paint_axis(self, painter: QPainter) -> None:
        area, tokens = self.map_rect(), self._theme.tokens
        top = self.height() - self._theme.px(17)
        painter.setFont(self._theme.font(relative=0.75))
        painter.setPen(QColor(tokens.muted))
        wide = self._theme.px(50)
        span = (float(self.first), float(self.first + self.columns - 1))
        most = max(2, int(area.width() / self._theme.px(56)))
        for t in ticks(span, min(most, 8)):
            if t != round(t):
                continue
            place = QRectF(
                self.x_of(float(t)) - wide / 2, top, wide, self._theme.px(16)
            )
            place.moveRight(min(place.right(), float(self.width())))
            words = f"t {t:g}" if t == ticks(span, min(most, 8))[0] else f"{t:g}"
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_cursors(self, painter: QPainter) -> None:
        tokens, area = self._theme.tokens, self.map_rect()
        bottom = self.trace_rect().bottom() if self.unit >= 0 else area.bottom()
        for at, colour in ((self._ghost, tokens.muted), (self._cursor, tokens.accent)):
            if self.first <= at < self.first + self.columns:
                x = round(self.x_of(at))
                painter.setPen(QPen(QColor(colour), 1))
                painter.drawLine(QLineF(x, area.top(), x, bottom))

    # ---------------------------------------------------------- the person

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on a row shows its trace, a second one takes it away."""
        unit = self.unit_at(event.position())
        if unit >= 0:
            self.unitPicked.emit(-1 if unit == self.unit else unit)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell which step is pointed at."""
        self.hovered.emit(self.step_at(event.position()))

    def leaveEvent(self, event: object) -> None:
        """The pointer has gone."""
        self.hovered.emit(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Page up and down go from row to row, Escape takes the trace away."""
        way = STEPS.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_Escape and self.unit >= 0:
            self.unitPicked.emit(-1)
        elif way is not None and len(self.order):
            at = np.flatnonzero(self.order == self.unit)
            row = (int(at[0]) + way if len(at) else 0) % len(self.order)
            self.unitPicked.emit(int(self.order[row]))
        else:
            super().keyPressEvent(event)
