"""The lane of what people left in an episode: flags of bookmarks, forks of branches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from rllab_gui.plots.lanes import Lane, TimeScale
from rllab_gui.theme import Theme

NEAR_PX = 7


class Note(NamedTuple):
    """Something at a step; ``text`` is a person's, ``branch`` says which kind."""

    t: int
    text: str
    branch: bool = False


class NotesLane(Lane):
    """Bookmarks above, branches below; a name where there is room for it."""

    weight = 1
    fixed = 20
    least = 12

    def __init__(self, theme: Theme, scale: TimeScale) -> None:
        super().__init__("notes", "notes, branches", theme, scale)
        self.notes: tuple[Note, ...] = ()

    def set_notes(self, notes: Sequence[Note]) -> None:
        """Show these."""
        self.notes = tuple(sorted(notes))
        self.redraw()

    def snap(self, x: float) -> int | None:
        """The step of the note under the pointer, for there a click means it."""
        near = min(self.notes, key=lambda it: abs(self._x(it) - x), default=None)
        reach = self.theme.px(NEAR_PX)
        return near.t if near is not None and abs(self._x(near) - x) <= reach else None

    def words(self, t: int) -> list[str]:
        """What is noted at a step."""
        here = [it for it in self.notes if it.t == t]
        names = {False: "bookmark", True: "branch"}
        return [f"{names[it.branch]}: {it.text}".rstrip(": ") for it in here]

    def _x(self, note: Note) -> float:
        return self.scale.x(note.t)

    def paint_values(self, painter: QPainter) -> None:
        """A flag or a fork each, with its text up to the next one."""
        painter.setFont(self.theme.font(relative=0.75))
        ends = [*(self._x(it) for it in self.notes), self.scale.right][1:]
        for note, end in zip(self.notes, ends, strict=True):
            x, size = self._x(note), self.theme.px(5)
            paint = self._paint_fork if note.branch else self._paint_flag
            paint(painter, x, float(size))
            place = QRectF(x + 2 * size, 0, end - x - 2 * size - 2, self.height())
            if place.width() >= self.theme.px(14) and note.text:
                metrics = painter.fontMetrics()
                cut = metrics.elidedText(
                    note.text.partition("\n")[0],
                    Qt.TextElideMode.ElideRight,
                    int(place.width()),
                )
                painter.setPen(QColor(self.theme.tokens.text))
                painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, cut)

    def _paint_flag(self, painter: QPainter, x: float, size: float) -> None:
        colour, bottom = QColor(self.theme.tokens.accent), self.height() - 3.0
        painter.setPen(QPen(colour, 1))
        painter.drawLine(QLineF(x, 3, x, bottom))
        painter.setBrush(colour)
        corners = [QPointF(x, 3), QPointF(x + 1.6 * size, 3 + size / 1.6)]
        painter.drawPolygon(QPolygonF([*corners, QPointF(x, 3 + 1.3 * size)]))

    def _paint_fork(self, painter: QPainter, x: float, size: float) -> None:
        middle = self.height() / 2
        painter.setPen(QPen(QColor(self.theme.colour(1)), 1.4))
        painter.drawLine(QLineF(x, 3, x, self.height() - 3.0))
        painter.drawLine(QLineF(x, middle, x + 1.6 * size, self.height() - 4.0))
