"""Drawing of Cliff."""

from __future__ import annotations

import numpy as np
import pygame

from engine.contract.grid_layouts import Layout
from engine.environments.worlds import canvas
from engine.environments.worlds.canvas import Canvas
from engine.environments.worlds.grid_drawing import GridPainter


class CliffPainter:
    """The grid above an abyss; a cross marks the last fall."""

    def __init__(self, layout: Layout) -> None:
        self._grid = GridPainter(layout, {"C": _abyss})
        self._mark = _cross(self._grid.cell_px)

    def paint(self, cell: int, facing: int, fell_at: int) -> np.ndarray:
        """The grid with the agent; ``fell_at`` is the cell of a fall, or -1."""
        picture = self._grid.ground()
        self._grid.put_agent(picture, cell, facing)
        if fell_at >= 0:
            picture.blit(self._mark, self._grid.corner(fell_at))
        return canvas.pixels(picture)


def _abyss(sheet: Canvas, side: int) -> None:
    """Rock that becomes dark below, without gaps to its neighbours."""
    bands = 12
    for band in range(bands):
        share = band / (bands - 1)
        colour = tuple(
            round((1 - share) * rock + share * depth)
            for rock, depth in zip(canvas.PIT_RIM, canvas.PIT, strict=True)
        )
        top = side * (0.02 + 0.5 * share)
        sheet.box((0, top), (side, side * 0.98 - top), colour)


def _cross(side: int) -> pygame.Surface:
    sheet = Canvas(side, side)
    near, far = 0.3 * side, 0.7 * side
    for ends in (((near, near), (far, far)), ((near, far), (far, near))):
        sheet.line(ends, canvas.WHITE, 0.11 * side)
    return sheet.finished()
