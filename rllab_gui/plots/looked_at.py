"""A picture whose squares can be taken out, with what seems to count laid over it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen

from rllab_gui.plots.picture import PictureBox
from rllab_gui.theme import Theme

Square = tuple[int, int]

STEPS = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}


class SquaredPicture(PictureBox):
    """A picture in squares, one of which may be marked.

    Attributes:
      squares: Rows and columns.
      marked: The one that was taken out last, or None.

    Signals:
      picked(int, int): A row and a column.
    """

    picked = Signal(int, int)
    own_keys = frozenset(STEPS)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.squares: Square = (1, 1)
        self.marked: Square | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setObjectName("plot.stepSaliency.picture")
        self.setAccessibleName("What the agent seems to look at")
        self.setToolTip(
            "Click a square to take it out: the Q-values with and without it are "
            "printed below. Arrow keys go from square to square."
        )

    def mark(self, squares: Square, marked: Square | None) -> None:
        """So many squares there are, and this one is marked."""
        self.squares, self.marked = squares, marked
        self.update()

    def square_rect(self, row: int, column: int) -> QRectF:
        """Where a square is."""
        place, (rows, columns) = self.target(), self.squares
        wide, high = place.width() / columns, place.height() / rows
        left, top = place.left() + column * wide, place.top() + row * high
        return QRectF(left, top, wide, high)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture, and the marked square."""
        super().paintEvent(event)
        if self.marked is None or self.target().isEmpty():
            return
        painter = QPainter(self)
        for colour, width in (("text", 4), ("panel", 2)):
            painter.setPen(QPen(QColor(getattr(self._theme.tokens, colour)), width))
            painter.drawRect(self.square_rect(*self.marked))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take out the square under the pointer."""
        place, at = self.target(), event.position()
        if place.isEmpty() or not place.contains(at):
            return
        rows, columns = self.squares
        row = int((at.y() - place.top()) / place.height() * rows)
        column = int((at.x() - place.left()) / place.width() * columns)
        self.picked.emit(min(row, rows - 1), min(column, columns - 1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from square to square."""
        step = STEPS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        rows, columns = self.squares
        row, column = self.marked or (rows // 2, columns // 2)
        row = min(max(row + step[0], 0), rows - 1)
        self.picked.emit(row, min(max(column + step[1], 0), columns - 1))
