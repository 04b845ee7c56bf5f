"""Several maps of one grid, each under its title, arranged as large as they fit."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from rllab_gui.plots.cells import Cells, CellsCanvas
from rllab_gui.theme import Theme

TITLE_PX = 18


class MapsCanvas(QWidget):
    """Lays out :class:`CellsCanvas` in rows and columns.

    Attributes:
      titles: Of the maps, in their order.
      maps: One canvas for each.

    Signals:
      hovered(int): The pointer is over this cell of one of them; -1 over none.
    """

    hovered = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.titles: tuple[str, ...] = ()
        self.maps: list[CellsCanvas] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Room for three small maps."""
        return QSize(self._theme.px(320), self._theme.px(240))

    def show_maps(self, maps: Sequence[tuple[str, Cells]]) -> None:
        """Paint these in the place of the ones before: titles, and what is below."""
        self.titles = tuple(title for title, _ in maps)
        while len(self.maps) > len(maps):
            self.maps.pop().deleteLater()
        while len(self.maps) < len(maps):
            canvas = CellsCanvas(self._theme)
            canvas.setParent(self)
            canvas.hovered.connect(self.hovered)
            canvas.show()
            self.maps.append(canvas)
        for canvas, (_, cells) in zip(self.maps, maps, strict=True):
            canvas.show_cells(cells)
        self._arrange()
        self.update()

    def _arrange(self) -> None:
        """The columns in which a cell is largest; of those, the fewest rows."""
        if not self.maps:
            return
        count, line = len(self.maps), self._theme.px(TITLE_PX)
        rows, columns = self.maps[0].cells.shape

        def side(beside: int) -> float:
            below = ceil(count / beside)
            high = self.height() / below - line
            return min(self.width() / beside / columns, high / rows)

        beside = max(range(count, 0, -1), key=side)
        wide, high = self.width() // beside, self.height() // ceil(count / beside)
        used = min(high - line, ceil(side(beside) * rows))
        spare = max(0, (high - line - used) // 2)
        for at, canvas in enumerate(self.maps):
            left, top = at % beside * wide, at // beside * high
            canvas.setGeometry(left, top + spare + line, wide, max(1, used))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange them anew."""
        super().resizeEvent(event)
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The titles."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.tokens.panel))
        painter.setFont(self._theme.font(relative=0.85))
        painter.setPen(QColor(self._theme.tokens.text))
        line = self._theme.px(TITLE_PX)
        for title, canvas in zip(self.titles, self.maps, strict=True):
            below = canvas.geometry()
            box = QRect(below.left(), below.top() - line, below.width(), line)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, title)
