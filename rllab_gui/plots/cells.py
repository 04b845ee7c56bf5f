"""A grid of cells: a colour, a number and an arrow in each."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from rllab_gui.theme import Theme

NUMBER_FROM, ARROW_FROM = 34, 20
"""Pixels of a cell from which there is room for its number, and for its arrow."""
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
    """

    place: np.ndarray = field(default_factory=lambda: np.empty((0, 2), int))
    value: np.ndarray = field(default_factory=lambda: np.empty(0))
    colour: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    mark: tuple[str, ...] = ()
    text: tuple[str, ...] = ()


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
        rows, columns = self.cells.place.max(axis=0, initial=0) + 1
        margin = self._theme.px(6)
        room = min((self.width() - margin) / columns, (self.height() - margin) / rows)
        return max(2.0, float(int(room)))

    def rect_of(self, cell: int) -> QRectF:
        """Where a cell is painted."""
        side = self.side()
        rows, columns = self.cells.place.max(axis=0, initial=0) + 1
        row, column = self.cells.place[cell].tolist()
        left = (self.width() - side * columns) // 2
        top = (self.height() - side * rows) // 2
        return QRectF(left + column * side, top + row * side, side, side)

    def cell_at(self, at: QPointF) -> int:
        """The cell under this point; -1 for none."""
        count = len(self.cells.place)
        found = (it for it in range(count) if self.rect_of(it).contains(at))
        return next(found, -1)

    # --------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint all cells."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.panel))
        painter.setFont(self._theme.font(relative=0.78))
        for cell in range(len(self.cells.place)):
            self._paint(painter, cell)

    def _paint(self, painter: QPainter, cell: int) -> None:
        tokens, cells, rect = self._theme.tokens, self.cells, self.rect_of(cell)
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
        painter.setPen(QColor("#000000" if ground.lightnessF() > 0.45 else "#ffffff"))
        way = ARROWS.get(cells.action[cell]) if cells.action else None
        high = self.side()
        numbers = high >= self._theme.px(NUMBER_FROM)
        if numbers:
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom
            painter.drawText(inside.adjusted(0, 0, 0, -2), flags, cells.text[cell])
        if way is not None and high >= self._theme.px(ARROW_FROM):
            lift = 0.14 * high if numbers else 0.0
            _arrow(painter, inside.center() - QPointF(0, lift), way, 0.2 * high)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say which cell is pointed at."""
        self.hovered.emit(self.cell_at(event.position()))


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
