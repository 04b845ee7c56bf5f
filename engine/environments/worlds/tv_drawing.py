"""Drawing of NoisyTV."""

from __future__ import annotations

import numpy as np
import pygame

from engine.contract.grid_layouts import Layout
from engine.environments.worlds import canvas
from engine.environments.worlds.canvas import Canvas
from engine.environments.worlds.grid_drawing import GridPainter, square

_CARPET = (253, 243, 220)
_CASE, _OFF, _LIT = (38, 44, 56), (70, 80, 98), (240, 228, 66)


class TVPainter:
    """The maze with what is on the screen."""

    def __init__(self, layout: Layout, dots: int) -> None:
        self._grid = GridPainter(
            layout, {",": _carpet, "S": _entrance, "V": _television}
        )
        self._screen_at = layout.cells("V")[0]
        self._dots = dots

    def paint(self, cell: int, facing: int, screen: np.ndarray) -> np.ndarray:
        """The agent in a cell; ``screen`` has a 0 or 1 for each dot, row by row."""
        picture = self._grid.ground()
        x, y = self._grid.corner(self._screen_at)
        picture.blit(self._painted_screen(screen), (x, y))
        self._grid.put_agent(picture, cell, facing)
        return canvas.pixels(picture)

    def _painted_screen(self, screen: np.ndarray) -> pygame.Surface:
        side = self._grid.cell_px
        sheet = Canvas(side, side)
        dot = 0.72 * side / self._dots
        for number, lit in enumerate(screen):
            row, column = divmod(number, self._dots)
            corner = (0.14 * side + column * dot, 0.14 * side + row * dot)
            sheet.box(corner, (dot, dot), _LIT if lit else _OFF)
        return sheet.finished()


def _carpet(sheet: Canvas, side: int) -> None:
    square(sheet, side, 0.02, _CARPET)


def _entrance(sheet: Canvas, side: int) -> None:
    _carpet(sheet, side)
    sheet.disc((side / 2, side / 2), 0.33 * side, canvas.START)
    sheet.disc((side / 2, side / 2), 0.29 * side, _CARPET)


def _television(sheet: Canvas, side: int) -> None:
    square(sheet, side, 0.02, _CASE)
