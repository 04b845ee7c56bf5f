"""Lanes over the steps of one episode: what each draws, without knowing why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from rllab_gui.plots.glyphs import paint_dice
from rllab_gui.plots.numbers import extent, short
from rllab_gui.theme import Theme


@dataclass
class TimeScale:
    """Which steps are seen, and where they lie; shared by all lanes.

    Attributes:
      first, last: Ends of the visible range, in steps.
      left, right: The pixels of these ends.
    """

    first: float = 0.0
    last: float = 1.0
    left: float = 0.0
    right: float = 1.0

    def x(self, t: float) -> float:
        """Pixels from the left of step ``t``."""
        share = (t - self.first) / max(self.last - self.first, 1e-9)
        return self.left + share * (self.right - self.left)

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

    def __init__(self, name: str, title: str, theme: Theme, scale: TimeScale) -> None:
        super().__init__()
        self.setObjectName(f"step.timeline.lane.{name}")
        self.setAccessibleName(title)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.name, self.title = name, title
        self.theme, self.scale = theme, scale
        self.values = np.empty(0)
        self._cursor = math.nan
        self._ghost = math.nan
        self._kept: QPixmap | None = None

    def set_values(self, values: np.ndarray) -> None:
        """Show these, one for each step."""
        self.values = np.asarray(values)
        self.redraw()

    def redraw(self) -> None:
        """The picture that was kept is out of date."""
        self._kept = None
        self.update()

    def set_cursors(self, cursor: float, ghost: float) -> None:
        """Move the cursor lines; NaN hides one."""
        if (cursor, ghost) != (self._cursor, self._ghost):
            self._cursor, self._ghost = cursor, ghost
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw what was kept, and the cursors over it."""
        if self._kept is None:
            self._kept = self._drawn()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._kept)
        tokens = self.theme.tokens
        for at, colour in ((self._ghost, tokens.muted), (self._cursor, tokens.accent)):
            if self.scale.first <= at <= self.scale.last:
                x = round(self.scale.x(at))
                painter.setPen(QPen(QColor(colour), 1))
                painter.drawLine(x, 0, x, self.height())
        painter.end()

    def _drawn(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(self.theme.tokens.panel))
        with QPainter(pixmap) as painter:
            self._paint_frame(painter)
            painter.setClipRect(self.inside().adjusted(-2, 0, 2, 1))
            if len(self.values):
                self.paint_values(painter)
        return pixmap

    def inside(self) -> QRectF:
        """Where values are drawn."""
        width = self.scale.right - self.scale.left
        return QRectF(self.scale.left, 3, width, self.height() - 6)

    def _paint_frame(self, painter: QPainter) -> None:
        tokens, height = self.theme.tokens, self.height()
        painter.setPen(QPen(QColor(tokens.grid), 1))
        painter.drawLine(QLineF(self.scale.left, height - 1, self.width(), height - 1))
        painter.setPen(QColor(tokens.muted))
        painter.setFont(self.theme.font(relative=0.8))
        gap = self.theme.px(6)
        place = QRectF(gap, 0, self.scale.left - 2 * gap, height)
        wrap = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(place, int(wrap), self.title)
        self._paint_ends(painter, place)

    def _paint_ends(self, painter: QPainter, place: QRectF) -> None:
        """Upper and lower end of the lane's own scale."""
        low, high = self.reach()
        if not math.isfinite(low) or self.height() < self.theme.px(30):
            return
        painter.setFont(self.theme.font(relative=0.72))
        right = Qt.AlignmentFlag.AlignRight
        place.setRight(self.scale.left - 3)
        painter.drawText(place, right | Qt.AlignmentFlag.AlignTop, short(high))
        painter.drawText(place, right | Qt.AlignmentFlag.AlignBottom, short(low))

    def reach(self) -> tuple[float, float]:
        """Ends of the lane's own scale; NaN where it has none."""
        return math.nan, math.nan

    def paint_values(self, painter: QPainter) -> None:
        """Draw the values; a subclass does it."""


class LineLane(Lane):
    """A line, on the scale of its own values."""

    weight = 3
    anchored = False

    def reach(self) -> tuple[float, float]:
        """Smallest to largest value, and zero where the lane begins there."""
        spread = extent(self.values)
        if spread is None:
            return math.nan, math.nan
        low, high = spread
        if self.anchored:
            low, high = min(low, 0.0), max(high, 0.0)
        return (low, high) if high > low else (low, low + 1.0)

    def heights(self, values: np.ndarray) -> np.ndarray:
        """Values as pixels from the top."""
        low, high = self.reach()
        box = self.inside()
        return np.asarray(
            box.bottom() - (values - low) / (high - low) * box.height(), np.float64
        )

    def paint_values(self, painter: QPainter) -> None:
        """A thin line; where steps are denser than pixels, their extremes."""
        if not math.isfinite(self.reach()[0]):
            return
        first, behind = self.scale.seen(len(self.values))
        steps, values = envelope(self.values, first, behind, int(self.inside().width()))
        x = np.array([self.scale.x(t) for t in (0.0, 1.0)])
        places = x[0] + steps * (x[1] - x[0])
        painter.setPen(QPen(QColor(self.theme.colour(0)), 1))
        known = np.isfinite(values)
        painter.drawPolyline(
            pg.functions.arrayToQPolygonF(places[known], self.heights(values[known]))
        )


class AnchoredLane(LineLane):
    """A line above zero."""

    weight = 2
    anchored = True


class StemLane(AnchoredLane):
    """Upright strokes from zero; what is negative is drawn in another colour.

    ``signs`` may say which values count as negative although they are shown as
    sizes (surprise).
    """

    signs: np.ndarray | None = None

    def paint_values(self, painter: QPainter) -> None:
        """One stroke for each step, or the largest of those in one pixel."""
        if not math.isfinite(self.reach()[0]):
            return
        first, behind = self.scale.seen(len(self.values))
        values = self.values[first:behind]
        steps = first + np.arange(len(values))
        width = int(self.inside().width())
        if len(values) > 2 * width:
            picked = largest_of(np.abs(values), width)
            values, steps = values[picked], steps[picked]
        signs = values if self.signs is None else self.signs[steps]
        zero = float(self.heights(np.zeros(1))[0])
        tops = self.heights(values)
        tokens = self.theme.tokens
        for colour, which in ((tokens.good, signs >= 0), (tokens.bad, signs < 0)):
            lines = [
                QLineF(self.scale.x(t), zero, self.scale.x(t), top)
                for t, top in zip(steps[which], tops[which], strict=True)
                if math.isfinite(top)
            ]
            painter.setPen(QPen(QColor(colour), 1))
            painter.drawLines(lines)


class RibbonLane(Lane):
    """A block of colour for each action; a die over those that chance chose."""

    weight = 1
    fixed = 30

    explored = np.empty(0, bool)
    letters: Sequence[str] = ()

    def paint_values(self, painter: QPainter) -> None:
        """Blocks of equal actions, letters where they have room, dice marks."""
        first, behind = self.scale.seen(len(self.values))
        behind = min(behind, len(self.values))
        if behind <= first:
            return
        box, marks = self.inside(), self.theme.px(11)
        values = self.values[first:behind].astype(int)
        cuts = np.flatnonzero(np.diff(values)) + 1
        starts = np.concatenate([[0], cuts])
        ends = np.concatenate([cuts, [len(values)]])
        painter.setFont(self.theme.font(relative=0.75))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            left, right = self.scale.x(first + start), self.scale.x(first + end)
            place = QRectF(left, box.top() + marks, right - left, box.height() - marks)
            self._paint_block(painter, place, int(values[start]))
        self._paint_dice(painter, first, behind)

    def _paint_block(self, painter: QPainter, place: QRectF, action: int) -> None:
        colour = QColor(self.theme.colour(action))
        colour.setAlphaF(0.65 if self.theme.is_dark else 0.45)
        painter.fillRect(place, colour)
        if place.width() >= self.theme.px(11) and action < len(self.letters):
            painter.setPen(QColor(self.theme.tokens.text))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self.letters[action])

    def _paint_dice(self, painter: QPainter, first: int, behind: int) -> None:
        steps = first + np.flatnonzero(self.explored[first:behind])
        colour = QColor(self.theme.tokens.warning)
        size, top = self.theme.px(9), self.inside().top()
        crowded = len(steps) * size > self.inside().width()
        for t in steps.tolist():
            x = self.scale.x(t + 0.5)
            if crowded:
                painter.fillRect(QRectF(x, top + 2, 1, size - 2), colour)
            else:
                paint_dice(painter, QRectF(x - size / 2, top, size, size), colour)


class MarkLane(Lane):
    """Glyphs of what is remarkable; as many as have room."""

    weight = 1
    fixed = 20
    marks: Sequence[str] = ()

    def paint_values(self, painter: QPainter) -> None:
        """Write each glyph over its step, the most telling ones first."""
        painter.setFont(self.theme.font(relative=0.85, bold=True))
        tokens = self.theme.tokens
        colours = {"^": tokens.good, "??": tokens.bad, "X": tokens.bad}
        colours |= {"?": tokens.warning, "!": tokens.accent}
        wide = self.theme.px(12)
        for t in self.shown():
            painter.setPen(QColor(colours.get(self.marks[t], tokens.text)))
            x = self.scale.x(t + 0.5)
            place = QRectF(x - wide, 0, 2 * wide, self.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self.marks[t])

    def shown(self) -> list[int]:
        """The steps whose glyphs have room beside more telling ones."""
        first, behind = self.scale.seen(len(self.marks))
        ranked = [t for t in range(first, behind) if self.marks[t] in _RANK]
        ranked.sort(key=lambda t: _RANK.index(self.marks[t]))
        wide, slots, found = self.theme.px(12), set[int](), []
        for t in ranked:
            slot = int(self.scale.x(t + 0.5) // wide)
            if not slots & {slot - 1, slot, slot + 1}:
                slots.add(slot)
                found.append(t)
        return found


_RANK = ("X", "T", "??", "^", "!", "?")
"""Glyphs from the most telling one down; a near tie is told by pointing only."""


class Overview(LineLane):
    """The whole episode, always; shows which part of it the lanes show."""

    weight = 1
    fixed = 30

    def __init__(self, theme: Theme, part: TimeScale) -> None:
        super().__init__("overview", "whole episode", theme, TimeScale())
        self.part = part

    def paintEvent(self, event: QPaintEvent) -> None:
        """Add a window round the visible part."""
        super().paintEvent(event)
        with QPainter(self) as painter:
            left, right = self.scale.x(self.part.first), self.scale.x(self.part.last)
            shade = QColor(self.theme.tokens.accent)
            shade.setAlphaF(0.12)
            place = QRectF(QPointF(left, 1), QPointF(right, self.height() - 2))
            painter.fillRect(place, shade)
            painter.setPen(QPen(QColor(self.theme.tokens.accent), 1))
            painter.drawRect(place)


def envelope(
    values: np.ndarray, first: int, behind: int, width: int
) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values of a line that looks the same on so many pixels."""
    part = np.asarray(values[first:behind], np.float64)
    steps = first + np.arange(len(part), dtype=np.float64)
    if len(part) <= 3 * max(width, 1):
        return steps, part
    per = len(part) // max(width, 1)
    count = len(part) // per
    block = part[: count * per].reshape(count, per)
    low, high = block.min(axis=1), block.max(axis=1)
    centre = steps[: count * per].reshape(count, per).mean(axis=1)
    both = np.stack([low, high], axis=1).reshape(-1)
    rest = slice(count * per, None)
    return (
        np.concatenate([np.repeat(centre, 2), steps[rest]]),
        np.concatenate([both, part[rest]]),
    )


def largest_of(sizes: np.ndarray, groups: int) -> np.ndarray:
    """Index of the largest value of each of so many equal stretches."""
    per = -(-len(sizes) // max(groups, 1))
    count = len(sizes) // per
    block = np.nan_to_num(sizes[: count * per]).reshape(count, per)
    return np.asarray(block.argmax(axis=1) + per * np.arange(count))
