"""A lane over the steps of one episode: kept as a picture, cursors drawn over it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from rllab_gui.plots.numbers import short
from rllab_gui.plots.paper import on_paper
from rllab_gui.theme import Theme

UNBOUNDED = (1 << 24) - 1
"""Qt's largest height of a widget."""


MOST_DIGITS = 6
"""That the ends of a scale are said with, where fewer do not tell them apart."""


@dataclass
class TimeScale:
    """Which steps are seen, and where they lie; shared by all lanes.

    Attributes:
      first, last: Ends of the visible range, in steps.
      left, right: The pixels of these ends.
      loop: Steps that playing goes round in, first and last; None for all.
    """

    first: float = 0.0
    last: float = 1.0
    left: float = 0.0
    right: float = 1.0
    loop: tuple[int, int] | None = None

    def x(self, t: float) -> float:
        """Pixels from the left of step ``t``."""
        share = (t - self.first) / max(self.last - self.first, 1e-9)
        return self.left + share * (self.right - self.left)

    def xs(self, steps: np.ndarray) -> np.ndarray:
        """The same for many."""
        share = (steps - self.first) / max(self.last - self.first, 1e-9)
        return np.asarray(self.left + share * (self.right - self.left))

    def t(self, x: float) -> float:
        """The step at this pixel."""
        share = (x - self.left) / max(self.right - self.left, 1e-9)
        return self.first + share * (self.last - self.first)

    def seen(self, count: int) -> tuple[int, int]:
        """Indices of the first and behind the last value that can be seen."""
        first = max(0, math.floor(self.first) - 1)
        return first, max(first, min(count, math.ceil(self.last) + 2))


class Lane(QWidget):
    """One lane: a picture of values that is kept, and a cursor drawn over it."""

    weight = 2
    fixed = 0
    """Its height at normal size; 0 for a lane that takes what is left."""
    least = 14
    """The height that it shrinks to where there is little room."""
    seen_from = 0
    """The height from which on it can be read, where it may shrink to nothing."""

    def __init__(self, name: str, title: str, theme: Theme, scale: TimeScale) -> None:
        super().__init__()
        self.setObjectName(f"step.timeline.lane.{name}")
        self.setAccessibleName(title)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.name, self.title = name, title
        self.theme, self.scale = theme, scale
        self.values = np.empty(0)
        self.folded = False
        self._cursor = math.nan
        self._ghost = math.nan
        self._kept: QPixmap | None = None

    def sizeHint(self) -> QSize:
        """As high as it wants to be."""
        return QSize(0, self.theme.px(self.fixed or self.least))

    def fold(self, folded: bool) -> None:
        """Give up the room, or be at least as high as it can be read."""
        self.folded = folded
        self.setMinimumHeight(0 if folded else self.theme.px(self.least))
        most = self.theme.px(self.fixed) if self.fixed else UNBOUNDED
        self.setMaximumHeight(0 if folded else most)

    def set_values(self, values: np.ndarray) -> None:
        """Show these, one for each step."""
        self.values = np.asarray(values)
        self.redraw()

    def redraw(self) -> None:
        """The picture that was kept is out of date."""
        self._kept = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Its picture has another size."""
        super().resizeEvent(event)
        self.redraw()

    def set_cursors(self, cursor: float, ghost: float) -> None:
        """Move the cursor lines; NaN hides one."""
        if (cursor, ghost) != (self._cursor, self._ghost):
            self._cursor, self._ghost = cursor, ghost
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what was kept, and the cursors over it; on paper everything anew."""
        painter = QPainter(self)
        if on_paper(painter, self):
            painter.fillRect(self.rect(), QColor(self.theme.tokens.panel))
            self._paint(painter)
        else:
            if self._kept is None:
                self._kept = self._drawn()
            painter.drawPixmap(0, 0, self._kept)
        self._paint_loop(painter)
        tokens = self.theme.tokens
        for at, colour in ((self._ghost, tokens.muted), (self._cursor, tokens.accent)):
            if self.scale.first <= at <= self.scale.last:
                x = round(self.scale.x(at))
                painter.setPen(QPen(QColor(colour), 1))
                painter.drawLine(x, 0, x, self.height())
        painter.end()

    def _paint_loop(self, painter: QPainter) -> None:
        """Shade the steps that playing goes round in, with an edge at each end."""
        if self.scale.loop is None:
            return
        first, last = self.scale.loop
        ends = (max(first, self.scale.first), min(last, self.scale.last))
        if ends[1] < ends[0]:
            return
        left, right = (self.scale.x(it) for it in ends)
        shade = QColor(self.theme.tokens.accent)
        shade.setAlphaF(0.14)
        painter.fillRect(QRectF(left, 0, max(right - left, 1.0), self.height()), shade)
        painter.setPen(QPen(QColor(self.theme.tokens.accent), 1, Qt.PenStyle.DashLine))
        for end, x in zip((first, last), (left, right), strict=True):
            if end in ends:
                painter.drawLine(QLineF(x, 0, x, self.height()))

    def snap(self, x: float) -> int | None:
        """A step that a click at these pixels means; None for the one that is there."""
        return None

    def _drawn(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(self.theme.tokens.panel))
        with QPainter(pixmap) as painter:
            self._paint(painter)
        return pixmap

    def _paint(self, painter: QPainter) -> None:
        self._paint_frame(painter)
        painter.save()
        painter.setClipRect(self.inside().adjusted(-2, 0, 2, 1))
        if len(self.values):
            self.paint_values(painter)
        painter.restore()

    def inside(self) -> QRectF:
        """Where values are drawn."""
        width = self.scale.right - self.scale.left
        return QRectF(self.scale.left, 3, width, self.height() - 6)

    def _paint_frame(self, painter: QPainter) -> None:
        tokens, height = self.theme.tokens, self.height()
        painter.setPen(QPen(QColor(tokens.grid), 1))
        painter.drawLine(QLineF(self.scale.left, height - 1, self.width(), height - 1))
        painter.setPen(QColor(tokens.muted))
        painter.setFont(self.theme.font(relative=0.72))
        ends = self.ends()
        wide = max(painter.fontMetrics().horizontalAdvance(it) for it in ends)
        self._paint_ends(painter, ends)
        painter.setPen(QColor(tokens.muted))
        painter.setFont(self.theme.font(relative=0.8))
        gap = self.theme.px(6)
        place = QRectF(gap, 0, self.scale.left - 2 * gap - wide, height)
        wrap = int(Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap)
        high = painter.boundingRect(place, wrap, self.title).height()
        fits = high <= height or "\n" not in self.title
        name = self.title if fits else self.title.partition("\n")[0]
        painter.drawText(place, wrap, name)

    def ends(self) -> tuple[str, str]:
        """Upper and lower end of the lane's own scale; empty where they are not said.

        With as many digits as it takes to tell them apart.
        """
        low, high = self.reach()
        if not math.isfinite(low) or self.height() < self.theme.px(30):
            return "", ""
        texts = [(short(high, it), short(low, it)) for it in range(3, MOST_DIGITS + 1)]
        return next((it for it in texts if it[0] != it[1]), texts[-1])

    def _paint_ends(self, painter: QPainter, ends: tuple[str, str]) -> None:
        right = Qt.AlignmentFlag.AlignRight
        place = QRectF(0, 0, self.scale.left - 3, self.height())
        painter.drawText(place, right | Qt.AlignmentFlag.AlignTop, ends[0])
        painter.drawText(place, right | Qt.AlignmentFlag.AlignBottom, ends[1])

    def reach(self) -> tuple[float, float]:
        """Ends of the lane's own scale; NaN where it has none."""
        return math.nan, math.nan

    def paint_values(self, painter: QPainter) -> None:
        """Draw the values; a subclass does it."""
