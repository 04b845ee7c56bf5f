"""The distribution of the return of each action, one row below the other."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)

from rllab_gui.plots.glyphs import paint_dice
from rllab_gui.plots.numbers import short, tick
from rllab_gui.plots.polygons import polygon
from rllab_gui.plots.return_shapes import Returns, density, ordered, ticks
from rllab_gui.plots.zoomed import ZoomedCanvas
from rllab_gui.theme import Theme


class ValueAxis(ZoomedCanvas):
    """A canvas with one axis of returns at its foot; the person may zoom it.

    Attributes:
      range: Which returns are seen.
      note: What is written where there is nothing to draw.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.range = (0.0, 1.0)
        self.note = ""

    def sizeHint(self) -> QSize:
        """Room for a few actions."""
        return QSize(self._theme.px(320), self._theme.px(200))

    def minimumSizeHint(self) -> QSize:
        """Narrow, but never without a picture."""
        return QSize(self._theme.px(180), self._theme.px(90))

    def ends(self) -> tuple[float, float]:
        """Pixels of both ends of the axis."""
        return self._theme.px(12), self.width() - self._theme.px(12)

    def floor(self) -> float:
        """Pixel of the axis, from above."""
        return self.height() - self._theme.px(20)

    def x_of(self, value: float) -> float:
        """Where a return lies, in pixels from the left."""
        left, right = self.ends()
        low, high = self.range
        return left + (value - low) / max(high - low, 1e-12) * (right - left)

    def _xs(self, values: np.ndarray) -> np.ndarray:
        left, right = self.ends()
        low, high = self.range
        return left + (values - low) / max(high - low, 1e-12) * (right - left)

    def _paint_axis(self, painter: QPainter) -> None:
        tokens, (left, right) = self._theme.tokens, self.ends()
        floor = self.floor()
        painter.setPen(QPen(QColor(tokens.axis), 1))
        painter.drawLine(QLineF(left, floor, right, floor))
        painter.setFont(self._theme.font(relative=0.8))
        wide = self._theme.px(60)
        most = max(2, int((right - left) / self._theme.px(58)))
        for value in ticks(self.range, min(most, 8)):
            x = self.x_of(float(value))
            painter.setPen(QPen(QColor(tokens.grid), 1))
            painter.drawLine(QLineF(x, 0, x, floor))
            painter.setPen(QPen(QColor(tokens.axis), 1))
            painter.drawLine(QLineF(x, floor, x, floor + 3))
            painter.setPen(QColor(tokens.muted))
            place = QRectF(x - wide / 2, floor + 2, wide, self.height() - floor - 2)
            place.moveLeft(min(max(place.left(), 0.0), self.width() - wide))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, tick(value))

    def _paint_note(self, painter: QPainter) -> None:
        painter.setPen(QColor(self._theme.tokens.muted))
        painter.setFont(self._theme.font())
        middle = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
        painter.drawText(QRectF(self.rect()), middle, self.note)

    # ---------------------------------------------------------- the person

    def zoom(self, factor: float, x: float) -> None:
        """Zoom round the pointer."""
        (left, right), (low, high) = self.ends(), self.range
        share = (x - left) / max(right - left, 1.0)
        middle = low + min(max(share, 0.0), 1.0) * (high - low)
        self.range = (
            middle + (low - middle) * factor,
            middle + (high - middle) * factor,
        )


class ReturnsCanvas(ValueAxis):
    """Paints :class:`Returns`: bars, steps of a distribution function, or particles."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.returns = Returns()

    def show_returns(self, returns: Returns) -> None:
        """Paint these."""
        self.returns, self.note = returns, ""
        self.update()

    def show_note(self, note: str) -> None:
        """Nothing is to be seen now; say why."""
        self.returns, self.note = Returns(), note
        self.update()

    # ------------------------------------------------------------- geometry

    def row_rect(self, action: int) -> QRectF:
        """Where the distribution of an action is."""
        left, right = self.ends()
        height = (self.floor() - 2) / max(self.returns.actions, 1)
        gap = min(self._theme.px(6), height * 0.15)
        return QRectF(
            left, 2 + action * height + gap, right - left, max(height - gap, 2.0)
        )

    def _head(self, row: QRectF) -> float:
        """Height of the words above a distribution."""
        return min(self._theme.px(15), row.height() * 0.5)

    # ------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the axis and a row for each action."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(self._theme.tokens.panel))
            if self.note:
                self._paint_note(painter)
                return
            self._paint_axis(painter)
            for action in range(self.returns.actions):
                self._paint_row(painter, action)

    def _paint_row(self, painter: QPainter, action: int) -> None:
        row = self.row_rect(action)
        body = row.adjusted(0, self._head(row), 0, 0)
        colour = QColor(self._theme.colour(action))
        fill = QColor(colour)
        fill.setAlphaF(0.75 if action == self.returns.taken else 0.28)
        painter.save()
        painter.setClipRect(body.adjusted(-1, -1, 1, 1))
        shape = {"c51": self._paint_bars, "qr": self._paint_steps}
        shape.get(self.returns.kind, self._paint_particles)(
            painter, action, body, colour, fill
        )
        self._paint_marks(painter, action, body)
        painter.restore()
        painter.setPen(QPen(QColor(self._theme.tokens.border), 1))
        painter.drawLine(QLineF(row.left(), row.bottom(), row.right(), row.bottom()))
        self._paint_words(painter, action, row)

    def _paint_bars(
        self, painter: QPainter, action: int, body: QRectF, line: QColor, fill: QColor
    ) -> None:
        values, probs = self.returns.values[action], self.returns.probs[action]
        # All rows have one scale, that of this step: what is certain in one state
        # would flatten the others for good.
        top = 1.05 * max(float(self.returns.probs.max()), 1e-12)
        xs = self._xs(values)
        gap = float(np.diff(xs).min()) if len(xs) > 1 else self._theme.px(6)
        wide = max(1.0, 0.8 * gap)
        painter.setPen(QPen(line, 1) if wide >= 4 else Qt.PenStyle.NoPen)
        painter.setBrush(fill if wide >= 4 else _stronger(fill))
        for x, share in zip(xs, probs / top, strict=True):
            high = min(float(share), 1.0) * body.height()
            if high >= 0.5:
                painter.drawRect(QRectF(x - wide / 2, body.bottom() - high, wide, high))

    def _paint_steps(
        self, painter: QPainter, action: int, body: QRectF, line: QColor, fill: QColor
    ) -> None:
        returns = self.returns
        values, reached = ordered(returns.values[action], returns.probs[action])
        xs = np.repeat(self._xs(values), 2)
        xs = np.concatenate([[body.left()], xs, [body.right()]])
        levels = np.concatenate([[0.0], reached])
        ys = body.bottom() - 1 - np.repeat(levels, 2) * (body.height() - 3)
        outline = polygon(xs, ys)
        area = QPolygonF(outline)
        area << QPointF(body.right(), body.bottom())
        area << QPointF(body.left(), body.bottom())
        light = QColor(fill)
        light.setAlphaF(fill.alphaF() * 0.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(light)
        painter.drawPolygon(area)
        painter.setPen(QPen(line, 1.4))
        painter.drawPolyline(outline)
        self._paint_ticks(painter, values, body, line)

    def _paint_particles(
        self, painter: QPainter, action: int, body: QRectF, line: QColor, fill: QColor
    ) -> None:
        values = self.returns.values[action]
        x, dense = density(values, self.range)
        ys = body.bottom() - dense / max(float(dense.max()), 1e-12) * (
            body.height() - self._theme.px(3)
        )
        area = polygon(self._xs(x), ys)
        outline = QPolygonF(area)
        area << QPointF(body.right(), body.bottom())
        area << QPointF(body.left(), body.bottom())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(area)
        painter.setPen(QPen(line, 1))
        painter.drawPolyline(outline)
        self._paint_ticks(painter, values, body, line)

    def _paint_ticks(
        self, painter: QPainter, values: np.ndarray, body: QRectF, colour: QColor
    ) -> None:
        """One short line for each quantile or particle."""
        high = min(self._theme.px(6), body.height() / 3)
        painter.setPen(QPen(colour, 1))
        painter.drawLines(
            [
                QLineF(x, body.bottom() - high, x, body.bottom())
                for x in self._xs(values)
            ]
        )

    def _paint_marks(self, painter: QPainter, action: int, body: QRectF) -> None:
        """The mean as a whole line, CVaR as a dotted one."""
        text = QColor(self._theme.tokens.text)
        painter.setPen(QPen(text, 1.4))
        x = self.x_of(float(self.returns.mean[action]))
        painter.drawLine(QLineF(x, body.top(), x, body.bottom()))
        if self.returns.averse:
            painter.setPen(QPen(text, 1.4, Qt.PenStyle.DotLine))
            x = self.x_of(float(self.returns.liking[action]))
            painter.drawLine(QLineF(x, body.top(), x, body.bottom()))

    def _paint_words(self, painter: QPainter, action: int, row: QRectF) -> None:
        """Who it is, whether it is greedy or was taken, and the numbers."""
        returns, high = self.returns, self._head(row)
        if high < self._theme.px(9):
            return
        taken = action == returns.taken
        left = row.left()
        if taken and returns.explored:
            spot = QRectF(left, row.top() + 1, high - 3, high - 3)
            paint_dice(painter, spot, QColor(self._theme.tokens.warning))
            left += high
        numbers = self._numbers(action)
        mono = self._theme.mono(relative=0.8)
        wide = QFontMetricsF(mono).horizontalAdvance(numbers) + self._theme.px(4)
        painter.setFont(self._theme.font(relative=0.85, bold=taken))
        painter.setPen(QColor(self._theme.tokens.text))
        word = (
            f"▶ {returns.names[action]}"
            if action == returns.best
            else (returns.names[action])
        )
        place = QRectF(left, row.top(), max(row.right() - left - wide, 0.0), high)
        word = QFontMetricsF(painter.font()).elidedText(
            word, Qt.TextElideMode.ElideRight, place.width()
        )
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, word)
        painter.setFont(mono)
        painter.setPen(QColor(self._theme.tokens.muted))
        place = QRectF(row.right() - wide, row.top(), wide, high)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, right, numbers)

    def _numbers(self, action: int) -> str:
        returns = self.returns
        mean, spread = returns.mean[action], returns.deviation[action]
        said = f"{short(float(mean))} ± {short(float(spread))}"
        if returns.averse:
            said = f"CVaR {short(float(returns.liking[action]))} · {said}"
        return said


def _stronger(colour: QColor) -> QColor:
    """For marks so narrow that they have no outline."""
    found = QColor(colour)
    found.setAlphaF(min(1.0, colour.alphaF() + 0.3))
    return found
