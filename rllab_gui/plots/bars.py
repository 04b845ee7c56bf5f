"""Q-values as bars from a common zero, in the fixed order of the actions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)

from rllab_gui.plots.glyphs import paint_dice
from rllab_gui.plots.numbers import short, shortest
from rllab_gui.plots.strip import paint_strip
from rllab_gui.plots.zoomed import ZoomedCanvas
from rllab_gui.theme import Theme


def _empty() -> np.ndarray:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Bars:
    """What the bars show, all of one step.

    Attributes:
      names: A word for each action.
      q, advantage: float [A]; empty q where there is no network yet.
      value_head: NaN without one.
      taken: The action that was taken; -1 for none.
      explored: Chance chose it.
      history: float [k, A], Q-values of the steps up to this one, oldest first.
      liking: What actions are chosen by where it is not q (CVaR), float [A]; or empty.
    """

    names: tuple[str, ...] = ()
    q: np.ndarray = field(default_factory=_empty)
    advantage: np.ndarray = field(default_factory=_empty)
    value_head: float = math.nan
    taken: int = -1
    explored: bool = False
    history: np.ndarray = field(default_factory=_empty)
    liking: np.ndarray = field(default_factory=_empty)

    @property
    def best(self) -> int:
        """The greedy action; -1 without Q-values."""
        by = self.liking if len(self.liking) else self.q
        return int(np.argmax(by)) if len(by) else -1

    @property
    def dueling(self) -> bool:
        """Whether there is a value head of its own."""
        return math.isfinite(self.value_head)


class BarsCanvas(ZoomedCanvas):
    """Paints :class:`Bars`.

    Attributes:
      compared: The action that is compared with the best; -1 for none.

    Signals:
      picked(int): A click on the row of this action.
    """

    picked = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.bars = Bars()
        self.compared = -1
        self.range = (0.0, 1.0)
        self._advantage_reach = 1.0
        self._ends: tuple[float, float, float] | None = None

    def sizeHint(self) -> QSize:
        """Room for a few actions and the strip."""
        return QSize(self._theme.px(320), self._theme.px(180))

    def minimumSizeHint(self) -> QSize:
        """Narrow, but never without the bars."""
        rows = max(len(self.bars.q), 2) + 2
        return QSize(self._theme.px(180), self._theme.px(16) * rows)

    def show_bars(self, bars: Bars) -> None:
        """Paint these."""
        self.bars = bars
        self._ends = None
        known = np.abs(bars.advantage[np.isfinite(bars.advantage)])
        if len(known):  # this scale, too, only expands
            self._advantage_reach = max(self._advantage_reach, float(known.max()))
        self.update()

    def start_again(self) -> None:
        """Other data: the scale of the advantages begins anew."""
        self._advantage_reach = 1e-6

    # ------------------------------------------------------------- geometry

    def row_height(self) -> float:
        """Height of the row of one action."""
        rows = len(self.bars.q) + (1 if self.bars.dueling else 0)
        room = self.height() - self._head() - self._strip_height()
        return min(max(room / max(rows, 1), self._theme.px(13)), self._theme.px(46))

    def bar_rect(self, action: int) -> QRectF:
        """Where the bar of an action is."""
        return self._bar(action, float(self.bars.q[action]))

    def row_rect(self, action: int) -> QRectF:
        """The whole row of an action."""
        height = self.row_height()
        return QRectF(0, self._head() + action * height, self.width(), height)

    def _head(self) -> float:
        return self._theme.px(18)

    def _strip_height(self) -> float:
        enough = self.height() >= self._theme.px(40 + 22 * (len(self.bars.q) + 2))
        if not enough or not len(self.bars.history):
            return 0.0
        return min(max(0.25 * self.height(), self._theme.px(56)), self._theme.px(140))

    def _columns(self) -> tuple[float, float, float]:
        """Right ends of names and Q-bars, and of the advantage bars."""
        if self._ends is None:
            self._ends = self._measured()
        return self._ends

    def _measured(self) -> tuple[float, float, float]:
        metrics = QFontMetricsF(self._theme.font(relative=0.9, bold=True))
        words = (*self.bars.names, "V-head" if self.bars.dueling else "")
        widest = max((metrics.horizontalAdvance(word) for word in words), default=0.0)
        names = min(widest + self._theme.px(30), self.width() * 0.34)
        end = self.width() - self._theme.px(8)
        share = 0.62 if self.width() >= self._theme.px(300) else 1.0
        return names, names + (end - names) * share, end

    def x_of(self, q: float) -> float:
        """Where a Q-value lies, in pixels from the left."""
        left, right, _ = self._columns()
        right -= self._theme.px(52)  # the number stands right of its bar
        low, high = self.range
        share = (q - low) / max(high - low, 1e-12)
        return left + min(max(share, -0.02), 1.02) * (right - left)

    def _bar(self, row: int, value: float) -> QRectF:
        height = self.row_height()
        zero, end = self.x_of(0.0), self.x_of(value)
        top = self._head() + row * height + 0.18 * height
        return QRectF(min(zero, end), top, max(abs(end - zero), 1.0), 0.64 * height)

    # ------------------------------------------------------------- painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The columns lie elsewhere."""
        super().resizeEvent(event)
        self._ends = None

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw head, rows and strip."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.panel))
        if len(self.bars.q):
            self._paint_head(painter)
            for action in range(len(self.bars.q)):
                self._paint_row(painter, action)
            if self.bars.dueling:
                self._paint_value_head(painter)
            self._paint_zero(painter)
            if self._strip_height():
                paint_strip(painter, self.strip_rect(), self.bars.history, self._theme)
        painter.end()

    def _paint_head(self, painter: QPainter) -> None:
        _, middle, right = self._columns()
        painter.setFont(self._theme.font(relative=0.8))
        painter.setPen(QColor(self._theme.tokens.muted))
        left = self._columns()[0]
        head = self._head()
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(left, 0, middle - left, head), vertical, "Q(s,a)")
        words = "A(s,a)" if self.bars.dueling else "A derived"
        words = words if right > middle else ""
        place = QRectF(middle, 0, right - middle, head)
        painter.drawText(place, vertical | Qt.AlignmentFlag.AlignHCenter, words)

    def _paint_row(self, painter: QPainter, action: int) -> None:
        colour = QColor(self._theme.colour(action))
        bar = self.bar_rect(action)
        taken = action == self.bars.taken
        if action == self.compared:
            painter.fillRect(
                self.row_rect(action), QColor(self._theme.tokens.selection)
            )
        self._paint_name(painter, action, taken)
        fill = QColor(colour)
        fill.setAlphaF(1.0 if taken else 0.28)
        painter.fillRect(bar, fill)
        painter.setPen(QPen(colour, 1))
        painter.drawRect(bar)
        if action == self.bars.best:
            self._paint_arrow(painter, bar, colour)
        self._paint_number(painter, action, bar)
        _, left, right = self._columns()
        if len(self.bars.advantage) > action and right > left:
            self._paint_advantage(painter, action, fill, colour)

    def _paint_name(self, painter: QPainter, action: int, taken: bool) -> None:
        height = self.row_height()
        top, right = self._head() + action * height, self._columns()[0]
        painter.setFont(self._theme.font(relative=0.9, bold=taken))
        painter.setPen(QColor(self._theme.tokens.text))
        dice = min(self._theme.px(13), height - 2)
        left = self._theme.px(6) + dice + self._theme.px(4)
        place = QRectF(left, top, right - left - self._theme.px(6), height)
        word = QFontMetricsF(painter.font()).elidedText(
            self.bars.names[action], Qt.TextElideMode.ElideRight, place.width()
        )
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, word)
        if taken and self.bars.explored:
            spot = QRectF(self._theme.px(6), top + (height - dice) / 2, dice, dice)
            paint_dice(painter, spot, QColor(self._theme.tokens.warning))

    def _paint_arrow(self, painter: QPainter, bar: QRectF, colour: QColor) -> None:
        """The greedy action has a head, whether it was taken or not."""
        rising = float(self.bars.q[self.bars.best]) >= 0.0
        tip = self._theme.px(7) * (1 if rising else -1)
        at = bar.right() if rising else bar.left()
        half = bar.height() / 2 + self._theme.px(2)
        middle = bar.center().y()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        corners = [(at, middle - half), (at + tip, middle), (at, middle + half)]
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in corners]))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _paint_number(self, painter: QPainter, action: int, bar: QRectF) -> None:
        value = float(self.bars.q[action])
        painter.setPen(QColor(self._theme.tokens.text))
        painter.setFont(self._theme.mono(relative=0.85))
        right = max(bar.right(), self.x_of(0.0)) + self._theme.px(10)
        place = QRectF(right, bar.top(), self._theme.px(60), bar.height())
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip
        painter.drawText(place, int(flags), short(value))

    def _paint_advantage(
        self, painter: QPainter, action: int, fill: QColor, colour: QColor
    ) -> None:
        _, left, right = self._columns()
        value = float(self.bars.advantage[action])
        centre, half = (left + right) / 2, (right - left) / 2 - self._theme.px(40)
        bar = self.bar_rect(action)
        length = half * min(max(value / self._advantage_reach, -1.0), 1.0)
        place = QRectF(min(centre, centre + length), bar.top(), abs(length), 0.0)
        place.setHeight(bar.height())
        painter.fillRect(place, fill)
        painter.setPen(QPen(colour, 1))
        painter.drawRect(place)
        painter.setPen(QPen(QColor(self._theme.tokens.edge), 1))
        painter.drawLine(
            QPointF(centre, bar.top() - 2), QPointF(centre, bar.bottom() + 2)
        )
        self._paint_signed(painter, value, place, centre)

    def _paint_signed(
        self, painter: QPainter, value: float, bar: QRectF, centre: float
    ) -> None:
        painter.setPen(QColor(self._theme.tokens.text))
        painter.setFont(self._theme.mono(relative=0.8))
        gap, wide = self._theme.px(3), self._theme.px(44)
        number = ("+" if value > 0 else "") + shortest(value)
        if value < 0:
            place = QRectF(bar.left() - wide - gap, bar.top(), wide, bar.height())
            side = Qt.AlignmentFlag.AlignRight
        else:
            at = max(bar.right(), centre) + gap
            place = QRectF(at, bar.top(), wide, bar.height())
            side = Qt.AlignmentFlag.AlignLeft
        painter.drawText(place, side | Qt.AlignmentFlag.AlignVCenter, number)

    def _paint_value_head(self, painter: QPainter) -> None:
        row, height = len(self.bars.q), self.row_height()
        bar = self._bar(row, self.bars.value_head)
        muted = QColor(self._theme.tokens.muted)
        painter.setFont(self._theme.font(relative=0.9))
        painter.setPen(QColor(self._theme.tokens.text))
        left = self._theme.px(23)
        painter.drawText(
            QRectF(left, self._head() + row * height, self._columns()[0], height),
            Qt.AlignmentFlag.AlignVCenter,
            "V-head",
        )
        painter.fillRect(bar, QColor(self._theme.tokens.border))
        painter.setPen(QPen(muted, 1))
        painter.drawRect(bar)
        painter.setPen(QColor(self._theme.tokens.text))
        painter.setFont(self._theme.mono(relative=0.85))
        right = max(bar.right(), self.x_of(0.0)) + self._theme.px(10)
        place = QRectF(right, bar.top(), self._theme.px(60), bar.height())
        painter.drawText(
            place, Qt.AlignmentFlag.AlignVCenter, short(self.bars.value_head)
        )

    def _paint_zero(self, painter: QPainter) -> None:
        rows = len(self.bars.q) + (1 if self.bars.dueling else 0)
        painter.setPen(QPen(QColor(self._theme.tokens.edge), 1))
        zero, top = self.x_of(0.0), self._head()
        bottom = top + rows * self.row_height()
        painter.drawLine(QPointF(zero, top), QPointF(zero, bottom))

    def strip_rect(self) -> QRectF:
        """Where the strip of the last steps is."""
        height = self._strip_height()
        left = self._columns()[0]
        rows = len(self.bars.q) + (1 if self.bars.dueling else 0)
        below = self._head() + rows * self.row_height() + self._theme.px(10)
        top = min(below, self.height() - height) + self._theme.px(4)
        return QRectF(left, top, self._columns()[2] - left, height - self._theme.px(6))

    # ---------------------------------------------------------- the person

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Say whose row was clicked."""
        super().mousePressEvent(event)
        for action in range(len(self.bars.q)):
            if self.row_rect(action).contains(event.position()):
                self.picked.emit(action)

    def zoom(self, factor: float, x: float) -> None:
        """Change the scale round zero."""
        self.range = (self.range[0] * factor, self.range[1] * factor)
