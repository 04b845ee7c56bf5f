"""Drawing of worlds on a grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pygame

from engine.contract.grid_layouts import (
    DIRECTIONS,
    GOAL,
    PIT,
    START,
    WALL,
    Layout,
)
from engine.environments.worlds import canvas
from engine.environments.worlds.canvas import Canvas

_SIDE_PX = 528
_LARGEST_CELL_PX = 112
MARGIN_PX = 24

Tile = Callable[[Canvas, int], None]
"""Draws one kind of cell on a canvas of so many pixels."""


class GridPainter:
    """Draws one layout: the ground once, the agent each time.

    Args:
      layout: What stands where.
      tiles: Drawings of further kinds of cells, or instead of the usual ones.

    Attributes:
      cell_px: Side of a cell.
    """

    def __init__(self, layout: Layout, tiles: Mapping[str, Tile] | None = None) -> None:
        self._layout = layout
        self._tiles = {**_TILES, **(tiles or {})}
        longest = max(layout.width, layout.height)
        self.cell_px = min(_LARGEST_CELL_PX, max(8, _SIDE_PX // longest))
        self._ground = self._painted_ground()
        self._agents = [self._painted_agent(way) for way in DIRECTIONS]

    def paint(self, cell: int, facing: int) -> np.ndarray:
        """The grid with the agent in ``cell``, looking in a direction [H, W, 3]."""
        picture = self.ground()
        self.put_agent(picture, cell, facing)
        return canvas.pixels(picture)

    def put_agent(self, picture: pygame.Surface, cell: int, facing: int) -> None:
        """Draw the agent on a picture of the grid."""
        picture.blit(self._agents[facing], self.corner(cell))

    def ground(self) -> pygame.Surface:
        """The grid without the agent, to draw upon."""
        return self._ground.copy()

    def corner(self, cell: int) -> tuple[int, int]:
        """Pixel at the top left of a cell."""
        row, column = divmod(cell, self._layout.width)
        return MARGIN_PX + column * self.cell_px, MARGIN_PX + row * self.cell_px

    def _painted_ground(self) -> pygame.Surface:
        width = 2 * MARGIN_PX + self._layout.width * self.cell_px
        height = 2 * MARGIN_PX + self._layout.height * self.cell_px
        picture = pygame.Surface((width, height))
        picture.fill(canvas.GROUND)
        drawn: dict[str, pygame.Surface] = {}
        for cell, kind in enumerate("".join(self._layout.rows)):
            if kind not in drawn:
                drawn[kind] = self._painted_tile(kind)
            picture.blit(drawn[kind], self.corner(cell))
        self._write_coordinates(picture)
        return picture

    def _painted_tile(self, kind: str) -> pygame.Surface:
        sheet = Canvas(self.cell_px, self.cell_px)
        self._tiles.get(kind, ground_tile)(sheet, self.cell_px)
        return sheet.finished()

    def _painted_agent(self, way: tuple[int, int]) -> pygame.Surface:
        side = self.cell_px
        sheet = Canvas(side, side)
        sheet.agent((side / 2, side / 2), 0.31 * side, (way[1], way[0]))
        return sheet.finished()

    def _write_coordinates(self, picture: pygame.Surface) -> None:
        """Row and column numbers in the margin, fewer where cells are small."""
        font = pygame.font.Font(None, 17)
        every = 1 if self.cell_px >= 20 else 5
        middle, cell = MARGIN_PX // 2, self.cell_px
        for column in range(0, self._layout.width, every):
            x = MARGIN_PX + column * cell + cell // 2
            _write(picture, font, str(column), (x, middle))
        for row in range(0, self._layout.height, every):
            y = MARGIN_PX + row * cell + cell // 2
            _write(picture, font, str(row), (middle, y))


def ground_tile(sheet: Canvas, side: int) -> None:
    """Free ground."""
    square(sheet, side, 0.02, canvas.TILE)


def square(sheet: Canvas, side: int, inset: float, colour: canvas.Colour) -> None:
    """A square with round corners, a share of the side smaller than its cell."""
    edge = inset * side
    size = (side - 2 * edge, side - 2 * edge)
    sheet.box((edge, edge), size, colour, radius=0.1 * side)


def _wall(sheet: Canvas, side: int) -> None:
    square(sheet, side, 0.02, canvas.WALL)
    square(sheet, side, 0.10, canvas.WALL_TOP)


def start_tile(sheet: Canvas, side: int) -> None:
    """A ring on the ground."""
    ground_tile(sheet, side)
    sheet.disc((side / 2, side / 2), 0.33 * side, canvas.START)
    sheet.disc((side / 2, side / 2), 0.29 * side, canvas.TILE)


def goal_tile(sheet: Canvas, side: int) -> None:
    """A star on green."""
    square(sheet, side, 0.02, canvas.tint(canvas.GOAL, 0.18))
    sheet.star((side / 2, 0.52 * side), 0.36 * side, canvas.GOAL)


def _pit(sheet: Canvas, side: int) -> None:
    ground_tile(sheet, side)
    sheet.disc((side / 2, side / 2), 0.38 * side, canvas.PIT_RIM)
    sheet.disc((side / 2, side / 2), 0.30 * side, canvas.PIT)


_TILES: dict[str, Tile] = {
    WALL: _wall,
    START: start_tile,
    GOAL: goal_tile,
    PIT: _pit,
}


def _write(
    picture: pygame.Surface,
    font: pygame.font.Font,
    text: str,
    centre: tuple[int, int],
) -> None:
    label = font.render(text, True, canvas.LABEL)
    picture.blit(label, label.get_rect(center=centre))
