"""A grid of cells: a colour, a number and an arrow in each, and a way through them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from rllab_gui.theme import Theme

NUMBER_FROM, ARROW_FROM = 34, 13
"""Pixels of a cell from which there is room for its number, and for its arrow."""
HATCHES = (0.5, 1.0, 1.5)
"""Diagonals of a hatched cell: where they meet its upper edge, in widths of it."""
ARROWS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


@dataclass(frozen=True, eq=False)
class Cells:
    """What is painted.

    Attributes:
      place: Row and column of each cell, int [n, 2].
      value: The number in each cell, float [n].
      colour: Of each cell, ``#rrggbb``.
      action: A word for the greedy action in each cell.
      mark: Written in a cell in the place of number and arrow; ``#`` is a wall.
      text: The value of each cell as it is written.
      hatched: Cells under diagonal lines, bool [n]; empty for none.
      way: Cells of an episode in their order, int [k]; -1 is beside the grid.
      here: The cell of the step at the cursor; -1 for none.
    """

    place: np.ndarray = field(default_factory=lambda: np.empty((0, 2), int))
    value: np.ndarray = field(default_factory=lambda: np.empty(0))
    colour: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    mark: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    hatched: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    way: np.ndarray = field(default_factory=lambda: np.empty(0, int))
    here: int = -1

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = (self.place.max(axis=0, initial=0) + 1).tolist()
        return rows, columns


class CellsCanvas(QWidget):
    """Paints :class:`Cells` as large as they fit.

    Signals:
      hovered(int): The pointer is over this cell; -1 when it is over none.
    """

    hovered = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.cells = Cells()
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Room for eight by eight cells with numbers."""
        return QSize(self._theme.px(320), self._theme.px(280))

    def show_cells(self, cells: Cells) -> None:
        """Paint these."""
        self.cells = cells
        self.update()

    # --------------------------------------------------------------- geometry

    def side(self) -> float:
        """Width and height of a cell in pixels."""
        rows, columns = self.cells.shape
        margin = self._theme.px(6)
        room = min((self.width() - margin) / columns, (self.height() - margin) / rows)
        return max(2.0, float(int(room)))

    def corner(self) -> QPointF:
        """Where the first row and the first column begin."""
        (rows, columns), side = self.cells.shape, self.side()
        left = (self.width() - side * columns) // 2
        return QPointF(left, (self.height() - side * rows) // 2)

    def rect_of(self, cell: int) -> QRectF:
        """Where a cell is painted."""
        return self._rect(cell, self.corner(), self.side())

    def _rect(self, cell: int, corner: QPointF, side: float) -> QRectF:
        row, column = self.cells.place[cell].tolist()
        return QRectF(corner.x() + column * side, corner.y() + row * side, side, side)

    def cell_at(self, at: QPointF) -> int:
        """The cell under this point; -1 for none."""
        if not len(self.cells.place):
            return -1
        inside = (at - self.corner()) / self.side()
        place = np.floor([inside.y(), inside.x()])
        found = np.flatnonzero((self.cells.place == place).all(axis=1))
        return int(found[0]) if len(found) else -1

    # --------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint all cells, and the way through them."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.panel))
        painter.setFont(self._theme.font(relative=0.78))
        corner, side = self.corner(), self.side()
        rects = [self._rect(it, corner, side) for it in range(len(self.cells.place))]
        for cell, rect in enumerate(rects):
            self._paint(painter, cell, rect)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_way(painter, rects, side)

    def _paint(self, painter: QPainter, cell: int, rect: QRectF) -> None:
        tokens, cells = self._theme.tokens, self.cells
        inside = rect.adjusted(0, 0, -1, -1)
        mark = cells.mark[cell] if cells.mark else ""
        if mark:
            painter.fillRect(
                inside, QColor(tokens.edge if mark == "#" else tokens.raised)
            )
            painter.setPen(QColor(tokens.text))
            if mark != "#":
                painter.drawText(inside, Qt.AlignmentFlag.AlignCenter, mark)
            return
        ground = QColor(cells.colour[cell])
        painter.fillRect(inside, ground)
        ink = QColor("#000000" if ground.lightnessF() > 0.45 else "#ffffff")
        if len(cells.hatched) and cells.hatched[cell]:
            _hatch(painter, inside, ink)
        painter.setPen(ink)
        way = ARROWS.get(cells.action[cell]) if cells.action else None
        high = rect.height()
        numbers = bool(cells.text) and high >= self._theme.px(NUMBER_FROM)
        if numbers:
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom
            painter.drawText(inside.adjusted(0, 0, 0, -2), flags, cells.text[cell])
        if way is not None and high >= self._theme.px(ARROW_FROM):
            lift = 0.14 * high if numbers else 0.0
            reach = 0.2 * high if numbers else 0.28 * high
            _arrow(painter, inside.center() - QPointF(0, lift), way, reach)

    def _paint_way(self, painter: QPainter, rects: list[QRectF], side: float) -> None:
        """Light on dark, so that it is seen on any colour; a dot where one stands."""
        path = self._way(rects)
        for colour, width in (("#000000", 3.6), ("#ffffff", 1.6)):
            painter.setPen(QPen(QColor(colour), self._theme.px(10) * width / 10))
            painter.drawPath(path)
        if self.cells.here >= 0:
            painter.setPen(QPen(QColor("#000000"), 1))
            painter.setBrush(QColor(self._theme.tokens.warning))
            reach = max(3.0, min(0.22 * side, self._theme.px(8)))
            painter.drawEllipse(rects[self.cells.here].center(), reach, reach)

    def _way(self, rects: list[QRectF]) -> QPainterPath:
        """From middle to middle; what is written in a marked cell stays readable."""
        path, before = QPainterPath(), -1
        for cell in self.cells.way.tolist():
            if cell >= 0:
                at = rects[cell].center()
                if before < 0:
                    path.moveTo(at)
                elif self.cells.mark and self.cells.mark[cell]:
                    path.lineTo((rects[before].center() + at) / 2)
                else:
                    path.lineTo(at)
            before = cell
        return path

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say which cell is pointed at."""
        self.hovered.emit(self.cell_at(event.position()))


def _hatch(painter: QPainter, inside: QRectF, ink: QColor) -> None:
    """Diagonal lines, as over all that is a guess."""
    faint = QColor(ink)
    faint.setAlphaF(0.4)
    painter.setPen(faint)
    wide, left, top = inside.width(), inside.left(), inside.top()
    for share in HATCHES:
        near, far = max(0.0, share - 1.0) * wide, min(1.0, share) * wide
        painter.drawLine(
            QPointF(left + far, top + near), QPointF(left + near, top + far)
        )


def _arrow(
    painter: QPainter, middle: QPointF, way: tuple[int, int], reach: float
) -> None:
    along = QPointF(*way) * reach
    across = QPointF(-along.y(), along.x()) * 0.6
    tip = middle + along
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(painter.pen())
    pen.setWidthF(max(1.2, reach / 6))
    painter.setPen(pen)
    painter.drawLine(middle - along, tip)
    painter.drawLine(tip, middle + along * 0.25 + across)
    painter.drawLine(tip, middle + along * 0.25 - across)
    painter.restore()
