"""Drawing of TMaze."""

from __future__ import annotations

import numpy as np
import pygame

from engine.contract.grid_layouts import GOAL, PIT, Layout
from engine.environments.worlds import canvas
from engine.environments.worlds.canvas import Canvas
from engine.environments.worlds.grid_drawing import MARGIN_PX, GridPainter, Tile

_PANEL_PX = 88
_ARMS = (0, 2)
"""Rows of the two arms."""


class TMazePainter:
    """The maze, and below it what the agent sees now."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._grids = {pays: _grid(length, pays) for pays in _ARMS}

    def paint(
        self, place: tuple[int, int], facing: int, pays: int, seen: float
    ) -> np.ndarray:
        """The agent in a (row, column).

        Args:
          place: Row 1 is the corridor, 0 and 2 are the arms.
          facing: Direction that it looks in.
          pays: Row of the arm that pays.
          seen: What the sign shows, 1 for up to -1 for down.
        """
        grid = self._grids[pays]
        maze = grid.ground()
        grid.put_agent(maze, place[0] * (self._length + 1) + place[1], facing)
        width, height = maze.get_size()
        picture = pygame.Surface((width, height + _PANEL_PX))
        picture.blit(maze, (0, 0))
        way_left = 1 - place[1] / self._length
        picture.blit(_panel(width, seen, way_left), (0, height))
        return canvas.pixels(picture)


def _grid(length: int, pays: int) -> GridPainter:
    rows = ["#" * length + (GOAL if pays == row else PIT) for row in _ARMS]
    middle = "S" + "." * length
    nothing: Tile = lambda sheet, side: None  # noqa: E731
    return GridPainter(Layout((rows[0], middle, rows[1])), {"#": nothing})


def _panel(width: int, seen: float, way_left: float) -> pygame.Surface:
    """A plate with the observation: the sign as an arrow, the way left as a bar."""
    sheet = Canvas(width, _PANEL_PX, canvas.GROUND)
    inner = width - 2 * MARGIN_PX
    sheet.box((MARGIN_PX, 0), (inner, _PANEL_PX - 16), canvas.TILE, radius=8)
    first, second = MARGIN_PX + inner * 0.25, MARGIN_PX + inner * 0.72
    sheet.text((first - 24, 36), "sign", 19, canvas.INK)
    _draw_sign(sheet, (first + 30, 36), seen)
    sheet.text((second, 20), "way left", 19, canvas.INK)
    left, long = second - inner * 0.19, inner * 0.38
    sheet.box((left, 38), (long, 16), canvas.GROUND, radius=6)
    if way_left > 0:
        sheet.box((left, 38), (long * way_left, 16), canvas.START, radius=6)
    return sheet.finished()


def _draw_sign(sheet: Canvas, centre: canvas.Point, seen: float) -> None:
    x, y = centre
    sheet.box((x - 23, y - 27), (46, 54), canvas.GROUND, radius=7)
    if seen == 0:
        return
    shown = seen if abs(seen) == 1 else 0.6 * seen
    colour = canvas.SUN if abs(seen) == 1 else canvas.LABEL
    reach = 20 * shown + (4 if shown > 0 else -4)
    sheet.arrow(((x, y + reach), (x, y - reach)), colour, 5 if abs(seen) == 1 else 3)
