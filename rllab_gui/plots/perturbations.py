"""How the value of an action changes with each number of a state, as bars."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from rllab_gui.plots.numbers import short
from rllab_gui.theme import Theme

ROW = 34
LEAST_ROW = 18
STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
FLIPS = "⇄"


def _empty() -> np.ndarray:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Perturbations:
    """Changes of Q of one action.

    Attributes:
      names: Of the numbers.
      values: Of the state, float [F].
      lower, upper: Change of Q with each number lowered and raised, float [F].
      lower_flips, upper_flips: Whether another action becomes the best, bool [F].
      share: Of its spread that each number is moved by.
    """

    names: tuple[str, ...] = ()
    values: np.ndarray = field(default_factory=_empty)
    lower: np.ndarray = field(default_factory=_empty)
    upper: np.ndarray = field(default_factory=_empty)
    lower_flips: np.ndarray = field(default_factory=_empty)
    upper_flips: np.ndarray = field(default_factory=_empty)
    share: float = 0.0

    @property
    def strongest(self) -> tuple[int, int]:
        """The number that counts most, and whether lowered (-1) or raised (1)."""
        low, high = np.abs(self.lower), np.abs(self.upper)
        if low.max(initial=0.0) > high.max(initial=0.0):
            return int(low.argmax()), -1
        return int(high.argmax()), 1


class PerturbationCanvas(QWidget):
    """Two bars for each number: lowered on top, raised below.

    Signals:
      picked(int, int): A number, and -1 for lowered or 1 for raised.
    """

    picked = Signal(int, int)
    own_keys = frozenset(STEPS)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.shown = Perturbations()
        self.marked = (-1, 0)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setObjectName("plot.stepSaliency.bars")
        self.setAccessibleName("Change of Q with each number of the state")
        self.setToolTip(
            "Upper bar: the number lowered, lower bar: raised. ⇄ another action "
            "becomes the best. Click a bar to test it."
        )

    def sizeHint(self) -> QSize:
        """Room for a handful of numbers."""
        return QSize(self._theme.px(320), self._theme.px(ROW) * 5)

    def minimumSizeHint(self) -> QSize:
        """A few rows."""
        return QSize(self._theme.px(200), self._theme.px(LEAST_ROW) * 4)

    def show_bars(self, shown: Perturbations, marked: tuple[int, int]) -> None:
        """Draw these, one of them as tested."""
        self.shown, self.marked = shown, marked
        self.update()

    def rows(self) -> int:
        """How many have room."""
        room = self.height() - self._head()
        most = max(1, int(room / self._theme.px(LEAST_ROW)))
        return min(len(self.shown.names), most)

    def bar_place(self, row: int, sign: int) -> QRectF:
        """Where the bar of a number may be; its upper half where it is lowered."""
        height = self._row_px()
        top = self._head() + row * height + (height / 2 if sign > 0 else 0.0)
        names = self._names_end()
        return QRectF(names, top, self.width() - names, height / 2)

    def _head(self) -> int:
        return self._theme.px(16)

    def _row_px(self) -> float:
        room = self.height() - self._head()
        return min(room / max(self.rows(), 1), float(self._theme.px(ROW)))

    def _names_end(self) -> float:
        """Where bars begin: behind the longest name, but they get half of the room."""
        metrics = QFontMetricsF(self._theme.font(relative=0.88))
        rows = zip(self.shown.names, self.shown.values, strict=False)
        words = (f"{name}  {short(float(value))}" for name, value in rows)
        longest = max(map(metrics.horizontalAdvance, words), default=0.0)
        room = longest + 3 * self._theme.px(6)
        return min(max(room, self.width() * 0.3), self.width() * 0.5)

    def _reach(self) -> float:
        both = np.concatenate([self.shown.lower, self.shown.upper])
        return max(float(np.abs(both).max(initial=0.0)), 1e-12)

    # --------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.panel))
        if self.shown.names:
            self._paint_head(painter)
            for row in range(self.rows()):
                self._paint_row(painter, row)
        painter.end()

    def _paint_head(self, painter: QPainter) -> None:
        painter.setFont(self._theme.font(relative=0.8))
        painter.setPen(QColor(self._theme.tokens.muted))
        share = f"{100 * self.shown.share:g} %"
        hidden = len(self.shown.names) - self.rows()
        more = f"  (… {hidden} more)" if hidden else ""
        changes = f"ΔQ: upper −{share}, lower +{share}"
        place = QRectF(0, 0, self.width() - self._theme.px(6), self._head())
        metrics = QFontMetricsF(painter.font())
        longest = (f"{changes} of its spread{more}", changes + more, changes)
        fits = (it for it in longest if metrics.horizontalAdvance(it) <= place.width())
        words = next(fits, f"ΔQ: ∓{share}")
        side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, side, words)

    def _paint_row(self, painter: QPainter, row: int) -> None:
        shown, tokens = self.shown, self._theme.tokens
        left, names = self._theme.px(6), self._names_end()
        top, height = self._head() + row * self._row_px(), self._row_px()
        painter.setPen(QColor(tokens.text))
        painter.setFont(self._theme.font(relative=0.88))
        number = short(float(shown.values[row]))
        metrics = QFontMetricsF(painter.font())
        room = names - 2 * left - metrics.horizontalAdvance(number + "  ")
        name = metrics.elidedText(shown.names[row], Qt.TextElideMode.ElideRight, room)
        place = QRectF(left, top, names - 2 * left, height)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, middle, name)
        painter.drawText(place, middle | Qt.AlignmentFlag.AlignRight, number)
        self._paint_bar(painter, row, -1, float(shown.lower[row]))
        self._paint_bar(painter, row, 1, float(shown.upper[row]))

    def _paint_bar(self, painter: QPainter, row: int, sign: int, change: float) -> None:
        shown, tokens, gap = self.shown, self._theme.tokens, self._theme.px(2)
        place = self.bar_place(row, sign)
        if (row, sign) == self.marked:
            painter.fillRect(place, QColor(tokens.selection))
        middle = place.center().x()
        wide = place.width() / 2 - self._theme.px(56)
        length = wide * change / self._reach()
        bar = QRectF(min(middle, middle + length), place.top() + gap, abs(length), 0)
        bar.setHeight(max(place.height() - 2 * gap, 2.0))
        colour = QColor(self._theme.colour(0 if change >= 0 else 1))
        fill = QColor(colour)
        fill.setAlphaF(0.9 if sign > 0 else 0.4)
        painter.fillRect(bar, fill)
        painter.setPen(QPen(colour, 1))
        painter.drawRect(bar)
        painter.setPen(QPen(QColor(tokens.edge), 1))
        painter.drawLine(QPointF(middle, place.top()), QPointF(middle, place.bottom()))
        flips = shown.upper_flips if sign > 0 else shown.lower_flips
        words = f"{'+' if change > 0 else ''}{short(change, 2)}"
        words += f" {FLIPS}" if bool(flips[row]) else ""
        self._write(painter, place, bar, change, words)

    def _write(
        self, painter: QPainter, place: QRectF, bar: QRectF, change: float, words: str
    ) -> None:
        painter.setPen(QColor(self._theme.tokens.text))
        painter.setFont(self._theme.mono(relative=0.78))
        gap, wide = self._theme.px(3), self._theme.px(54)
        if change < 0:
            spot = QRectF(bar.left() - wide - gap, place.top(), wide, place.height())
            side = Qt.AlignmentFlag.AlignRight
        else:
            spot = QRectF(bar.right() + gap, place.top(), wide, place.height())
            side = Qt.AlignmentFlag.AlignLeft
        flags = side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip
        painter.drawText(spot, int(flags), words)

    # ------------------------------------------------------------- the person

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Test the bar under the pointer."""
        for row in range(self.rows()):
            for sign in (-1, 1):
                place = self.bar_place(row, sign)
                place.setLeft(0.0)
                if place.contains(event.position()):
                    self.picked.emit(row, sign)
                    return

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down go from bar to bar, and test them."""
        by = STEPS.get(Qt.Key(event.key()), 0)
        if not by or not self.rows():
            super().keyPressEvent(event)
            return
        row, sign = self.marked
        at = 2 * row + (sign > 0) + by if row >= 0 else 0
        at = min(max(at, 0), 2 * self.rows() - 1)
        self.picked.emit(at // 2, 1 if at % 2 else -1)
