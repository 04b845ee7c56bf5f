"""The kinds of lanes: lines, strokes, a ribbon of actions, marks, the overview."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen

from rllab_gui.plots.glyphs import dice_pixmap
from rllab_gui.plots.lanes import Lane, TimeScale
from rllab_gui.plots.numbers import extent
from rllab_gui.plots.paper import sharpness
from rllab_gui.plots.polygons import polygon
from rllab_gui.theme import Theme

NARROW, STRETCH = 3, 5
"""Blocks of actions are at least so wide; else so many pixels together say how often
each was taken."""


class LineLane(Lane):
    """A line, on the scale of its own values."""

    weight = 3
    anchored = False
    other: np.ndarray = np.empty(0)
    """A second line to compare with, drawn dashed."""

    def reach(self) -> tuple[float, float]:
        """Smallest to largest value, and zero where the lane begins there."""
        spread = extent(np.concatenate([self.values, self.other]))
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
        if len(self.other):
            pen = QPen(QColor(self.theme.tokens.muted), 1, Qt.PenStyle.DashLine)
            self._paint_line(painter, self.other, pen)
        self._paint_line(painter, self.values, QPen(QColor(self.theme.colour(0)), 1))

    def _paint_line(self, painter: QPainter, line: np.ndarray, pen: QPen) -> None:
        first, behind = self.scale.seen(len(line))
        steps, values = envelope(line, first, behind, int(self.inside().width()))
        x = np.array([self.scale.x(t) for t in (0.0, 1.0)])
        places = x[0] + steps * (x[1] - x[0])
        painter.setPen(pen)
        known = np.isfinite(values)
        painter.drawPolyline(polygon(places[known], self.heights(values[known])))


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
            shown = which & np.isfinite(tops)
            places = self.scale.xs(steps[shown]).tolist()
            lines = [
                QLineF(x, zero, x, top)
                for x, top in zip(places, tops[shown].tolist(), strict=True)
            ]
            painter.setPen(QPen(QColor(colour), 1))
            painter.drawLines(lines)


class RibbonLane(Lane):
    """A block of colour for each action; a mark over those that chance chose.

    Where blocks would be narrower than can be seen, it shows how often each action
    was taken instead, the first one at the bottom.
    """

    weight = 1
    fixed = 30
    least = 22

    explored = np.empty(0, bool)
    letters: Sequence[str] = ()

    def paint_values(self, painter: QPainter) -> None:
        """Blocks of equal actions, letters where they have room, dice marks."""
        first, behind = self.scale.seen(len(self.values))
        behind = min(behind, len(self.values))
        if behind <= first:
            return
        if self._is_dense(first, behind):
            blocks = self._shares(first, behind)
        else:
            blocks = self._blocks(first, behind)
        painter.setFont(self.theme.font(relative=0.75))
        for action, places in blocks.items():
            self._paint_blocks(painter, action, places)
        self._paint_dice(painter, first, behind)

    def _is_dense(self, first: int, behind: int) -> bool:
        """Whether blocks would be too narrow to be told apart."""
        changes = np.count_nonzero(np.diff(self.values[first:behind]))
        return bool((changes + 1) * self.theme.px(NARROW) > self.inside().width())

    def _shares(self, first: int, behind: int) -> dict[int, list[QRectF]]:
        """How often each action was taken, stretch by stretch, stacked."""
        box, marks = self.inside(), self.theme.px(11)
        count = max(1, int(box.width() / self.theme.px(STRETCH)))
        values = self.values[first:behind].astype(int)
        ends = np.linspace(0, len(values), min(count, len(values)) + 1).astype(int)
        places = self.scale.xs(first + ends).tolist()
        found: dict[int, list[QRectF]] = {}
        for stretch in range(len(ends) - 1):
            part = values[ends[stretch] : ends[stretch + 1]]
            left, right = places[stretch], places[stretch + 1]
            bottom = box.bottom()
            for action, times in zip(*np.unique(part, return_counts=True), strict=True):
                high = (box.height() - marks) * times / len(part)
                bottom -= high
                place = QRectF(left, bottom, right - left, high)
                found.setdefault(int(action), []).append(place)
        return found

    def _blocks(self, first: int, behind: int) -> dict[int, list[QRectF]]:
        """Where each action was taken without a pause."""
        box, marks = self.inside(), self.theme.px(11)
        values = self.values[first:behind].astype(int)
        edges = np.flatnonzero(np.diff(values, prepend=-1, append=-1))
        places = self.scale.xs(first + edges).tolist()
        top, high = box.top() + marks, box.height() - marks
        found: dict[int, list[QRectF]] = {}
        for at, left, right in zip(edges.tolist(), places, places[1:], strict=False):
            place = QRectF(left, top, right - left, high)
            found.setdefault(int(values[at]), []).append(place)
        return found

    def _paint_blocks(
        self, painter: QPainter, action: int, places: list[QRectF]
    ) -> None:
        share = 0.65 if self.theme.is_dark else 0.45
        ground = QColor(self.theme.tokens.panel)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_mixed(QColor(self.theme.colour(action)), ground, share))
        painter.drawRects(places)
        if action >= len(self.letters):
            return
        painter.setPen(QColor(self.theme.tokens.text))
        room, letter = self.theme.px(11), self.letters[action]
        for place in places:
            if (
                place.width() >= room
                and place.height() >= painter.fontMetrics().ascent()
            ):
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, letter)

    def _paint_dice(self, painter: QPainter, first: int, behind: int) -> None:
        """A die over each step that chance chose; a stroke where two would meet."""
        steps = first + np.flatnonzero(self.explored[first:behind])
        colour = QColor(self.theme.tokens.warning)
        size, top = self.theme.px(9), self.inside().top()
        places = self.scale.xs(steps + 0.5)
        alone = apart(places, size + 1)
        for x in places[~alone].tolist():
            painter.fillRect(QRectF(x - 0.5, top + 1, 1, size - 1), colour)
        die = dice_pixmap(size, colour, sharpness(painter))
        for x in places[alone].tolist():
            painter.drawPixmap(QPointF(x - size / 2, top), die)


def _mixed(colour: QColor, ground: QColor, share: float) -> QColor:
    """As if painted over this ground, which takes longer."""
    red, green, blue = (
        round(share * over + (1 - share) * under)
        for over, under in (
            (colour.red(), ground.red()),
            (colour.green(), ground.green()),
            (colour.blue(), ground.blue()),
        )
    )
    return QColor(red, green, blue)


class MarkLane(Lane):
    """Glyphs of what is remarkable; as many as have room."""

    weight = 1
    fixed = 20
    least = 12
    marks: Sequence[str] = ()

    def paint_values(self, painter: QPainter) -> None:
        """Write each glyph over its step, the most telling ones first."""
        painter.setFont(self.theme.font(relative=0.85, bold=True))
        tokens = self.theme.tokens
        colours = {"^": tokens.good, "??": tokens.bad, "X": tokens.bad}
        colours["†"] = tokens.bad
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
        wide, slots, found = self.theme.px(16), set[int](), []
        for t in ranked:
            slot = int(self.scale.x(t + 0.5) // wide)
            if not slots & {slot - 1, slot, slot + 1}:
                slots.add(slot)
                found.append(t)
        return found


_RANK = ("X", "T", "†", "P", "??", "^", "!", "?")
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


def apart(places: np.ndarray, room: float) -> np.ndarray:
    """Which of these ascending places have so much room on either side, bool [n]."""
    gaps = np.diff(places, prepend=-np.inf, append=np.inf)
    return np.asarray(np.minimum(gaps[:-1], gaps[1:]) >= room)


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
