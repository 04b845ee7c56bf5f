"""A grid of cells that is painted with the mouse or the keys."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from engine.contract.grid_layouts import FREE, GOAL, PIT, START, WALL
from rllab_gui.theme import Theme

KINDS = {
    WALL: "wall",
    FREE: "free",
    START: "start",
    GOAL: "goal",
    PIT: "pit",
}
"""What a cell can be, by its letter, in words."""
KEYS = {
    Qt.Key.Key_NumberSign: WALL,
    Qt.Key.Key_Period: FREE,
    Qt.Key.Key_S: START,
    Qt.Key.Key_G: GOAL,
    Qt.Key.Key_P: PIT,
}
MOVES = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}


class GridCanvas(QWidget):
    """Cells in rows; a press or a drag paints with the brush.

    Signals:
      painted(): A cell is another one now.

    Attributes:
      rows: One text for each row.
      brush: The letter that is painted.
      cell: (row, column) that the keys act on.
    """

    painted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("grid.canvas")
        self.setAccessibleName("Cells")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(theme.px(320), theme.px(320))
        self._theme = theme
        self.rows: list[str] = [FREE]
        self.brush, self.cell = WALL, (0, 0)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        """Room for a grid of usual size."""
        return QSize(self._theme.px(420), self._theme.px(420))

    def set_rows(self, rows: list[str]) -> None:
        """Show this grid."""
        self.rows = list(rows)
        row, column = self.cell
        self.cell = (min(row, len(rows) - 1), min(column, len(rows[0]) - 1))
        self._describe()
        self.update()

    def resize_grid(self, height: int, width: int) -> None:
        """Add free cells, or cut some off, at the right and at the bottom."""
        rows = [(row + FREE * width)[:width] for row in self.rows[:height]]
        self.set_rows(rows + [FREE * width] * (height - len(rows)))
        self.painted.emit()

    def paint_cell(self, row: int, column: int, kind: str) -> None:
        """Put something into a cell."""
        self.cell = (row, column)
        line = self.rows[row]
        if line[column] != kind:
            self.rows[row] = line[:column] + kind + line[column + 1 :]
            self.painted.emit()
        self._describe()
        self.update()

    # -------------------------------------------------------------- where it is

    def cell_rect(self, row: int, column: int) -> QRect:
        """Where a cell is drawn."""
        side = self._side()
        left = (self.width() - side * len(self.rows[0])) // 2
        top = (self.height() - side * len(self.rows)) // 2
        return QRect(left + column * side, top + row * side, side, side)

    def _side(self) -> int:
        wide, high = self.width() // len(self.rows[0]), self.height() // len(self.rows)
        return max(4, min(wide, high, self._theme.px(56)))

    def _cell_at(self, place: QPoint) -> tuple[int, int] | None:
        origin, side = self.cell_rect(0, 0).topLeft(), self._side()
        column, row = (
            (place.x() - origin.x()) // side,
            (place.y() - origin.y()) // side,
        )
        inside = 0 <= row < len(self.rows) and 0 <= column < len(self.rows[0])
        return (row, column) if inside else None

    # --------------------------------------------------------------- the person

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Paint the cell that is pressed."""
        self._paint_at(event.position().toPoint())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Paint on while the button is held."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._paint_at(event.position().toPoint())

    def _paint_at(self, place: QPoint) -> None:
        cell = self._cell_at(place)
        if cell is not None:
            self.paint_cell(*cell, self.brush)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move, letters put something there, Space paints with the brush."""
        key = Qt.Key(event.key())
        row, column = self.cell
        if key in MOVES:
            down, right = MOVES[key]
            row = min(max(row + down, 0), len(self.rows) - 1)
            column = min(max(column + right, 0), len(self.rows[0]) - 1)
            self.cell = (row, column)
            self._describe()
            self.update()
        elif key in KEYS or key == Qt.Key.Key_Space:
            self.paint_cell(row, column, KEYS.get(key, self.brush))
        else:
            super().keyPressEvent(event)

    def _describe(self) -> None:
        row, column = self.cell
        kind = KINDS[self.rows[row][column]]
        self.setAccessibleDescription(f"row {row + 1}, column {column + 1}: {kind}")

    # ------------------------------------------------------------------ drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        """All cells, and a frame round the one that the keys act on."""
        painter, tokens = QPainter(self), self._theme.tokens
        colours = {
            WALL: tokens.muted,
            FREE: tokens.panel,
            START: self._theme.colour(0),
            GOAL: tokens.good,
            PIT: tokens.bad,
        }
        painter.setFont(self._theme.font(bold=True))
        for row, line in enumerate(self.rows):
            for column, kind in enumerate(line):
                place = self.cell_rect(row, column)
                painter.fillRect(place, QColor(colours[kind]))
                painter.setPen(QPen(QColor(tokens.border), 1))
                painter.drawRect(place)
                if kind in (START, GOAL, PIT):
                    painter.setPen(QColor(tokens.panel))
                    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, kind)
        if self.hasFocus():
            painter.setPen(QPen(QColor(tokens.accent), 3))
            painter.drawRect(self.cell_rect(*self.cell).adjusted(1, 1, -1, -1))
        painter.end()
