"""Drawing of Catch."""

from __future__ import annotations

import numpy as np

from engine.contract.grid_layouts import FREE, Layout
from engine.environments.worlds import canvas
from engine.environments.worlds.canvas import Canvas
from engine.environments.worlds.grid_drawing import GridPainter


class CatchPainter:
    """The board with ball and paddle; the outcome as a colour at the end."""

    def __init__(self, rows: int, columns: int) -> None:
        self._rows, self._columns = rows, columns
        self._grid = GridPainter(Layout((FREE * columns,) * rows))

    def paint(self, row: int, ball: int, paddle: int) -> np.ndarray:
        """The ball in a row and column, the paddle in a column of the last row."""
        side = self._grid.cell_px
        ended = row == self._rows - 1
        picture = self._grid.ground()
        sheet = Canvas(*picture.get_size())
        x, y = self._grid.corner((self._rows - 1) * self._columns + paddle)
        colour = canvas.AGENT
        if ended:
            colour = canvas.GOAL if ball == paddle else canvas.PIT_RIM
        bar = (0.96 * side, 0.28 * side)
        sheet.box((x + 0.02 * side, y + 0.66 * side), bar, colour, radius=0.1 * side)
        x, y = self._grid.corner(row * self._columns + ball)
        down = 0.38 if ended else 0.5
        sheet.disc((x + side / 2, y + down * side), 0.28 * side, canvas.SUN)
        picture.blit(sheet.finished(), (0, 0))
        return canvas.pixels(picture)
