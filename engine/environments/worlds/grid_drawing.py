"""Drawing of GridWorld."""

from __future__ import annotations

import math

import numpy as np
import pygame

from engine.environments.worlds.grid_layouts import (
    DIRECTIONS,
    GOAL,
    PIT,
    START,
    WALL,
    Layout,
)

_SIDE_PX = 528
_LARGEST_CELL_PX = 112
_MARGIN_PX = 24
_SMOOTH = 3
"""Shapes are drawn this many times larger and shrunk, which smooths their edges."""

_GROUND = (226, 230, 236)
_TILE = (250, 251, 253)
_WALL = (71, 80, 97)
_WALL_TOP = (92, 103, 123)
_GOAL = (0, 158, 115)
_PIT_RIM = (213, 94, 0)
_PIT = (58, 30, 20)
_START = (176, 186, 200)
_AGENT = (0, 114, 178)
_AGENT_RIM = (0, 82, 134)
_LABEL = (138, 147, 162)
_WHITE = (255, 255, 255)

_Colour = tuple[int, int, int]


class GridPainter:
    """Draws one layout: the ground once, the agent each time."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        longest = max(layout.width, layout.height)
        self._cell_px = min(_LARGEST_CELL_PX, max(8, _SIDE_PX // longest))
        pygame.font.init()
        self._ground = self._painted_ground()
        self._agents = [self._painted_agent(way) for way in DIRECTIONS]

    def paint(self, cell: int, facing: int) -> np.ndarray:
        """The grid with the agent in ``cell``, looking in a direction [H, W, 3]."""
        picture = self._ground.copy()
        picture.blit(self._agents[facing], self._corner(cell))
        return np.ascontiguousarray(pygame.surfarray.array3d(picture).swapaxes(0, 1))

    def _corner(self, cell: int) -> tuple[int, int]:
        row, column = divmod(cell, self._layout.width)
        return (
            _MARGIN_PX + column * self._cell_px,
            _MARGIN_PX + row * self._cell_px,
        )

    def _painted_ground(self) -> pygame.Surface:
        width = 2 * _MARGIN_PX + self._layout.width * self._cell_px
        height = 2 * _MARGIN_PX + self._layout.height * self._cell_px
        picture = pygame.Surface((width, height))
        picture.fill(_GROUND)
        drawn: dict[str, pygame.Surface] = {}
        for cell, kind in enumerate("".join(self._layout.rows)):
            if kind not in drawn:
                drawn[kind] = self._painted_tile(kind)
            picture.blit(drawn[kind], self._corner(cell))
        self._write_coordinates(picture)
        return picture

    def _painted_tile(self, kind: str) -> pygame.Surface:
        sketch = _Sketch(self._cell_px)
        if kind == WALL:
            sketch.square(0.02, _WALL)
            sketch.square(0.10, _WALL_TOP)
            return sketch.finished()
        sketch.square(0.02, _TILE)
        if kind == START:
            sketch.disc(0.33, _START)
            sketch.disc(0.29, _TILE)
        elif kind == GOAL:
            sketch.square(0.02, tuple(int(0.82 * 255 + 0.18 * c) for c in _GOAL))
            sketch.star(0.36, _GOAL)
        elif kind == PIT:
            sketch.disc(0.38, _PIT_RIM)
            sketch.disc(0.30, _PIT)
        return sketch.finished()

    def _painted_agent(self, way: tuple[int, int]) -> pygame.Surface:
        """A ball that looks where it goes."""
        sketch = _Sketch(self._cell_px)
        sketch.disc(0.31, _AGENT_RIM)
        sketch.disc(0.275, _AGENT)
        forward = np.array((way[1], way[0]), float)
        aside = np.array((-forward[1], forward[0]))
        for side in (-1, 1):
            eye = 0.5 + 0.12 * forward + 0.11 * side * aside
            sketch.disc(0.075, _WHITE, tuple(eye))
            sketch.disc(0.038, (20, 24, 30), tuple(eye + 0.025 * forward))
        return sketch.finished()

    def _write_coordinates(self, picture: pygame.Surface) -> None:
        """Row and column numbers in the margin, fewer where cells are small."""
        font = pygame.font.Font(None, 17)
        every = 1 if self._cell_px >= 20 else 5
        middle, cell = _MARGIN_PX // 2, self._cell_px
        for column in range(0, self._layout.width, every):
            x = _MARGIN_PX + column * cell + cell // 2
            _write(picture, font, str(column), (x, middle))
        for row in range(0, self._layout.height, every):
            y = _MARGIN_PX + row * cell + cell // 2
            _write(picture, font, str(row), (middle, y))


class _Sketch:
    """A see-through square on which shapes are placed in units of its side."""

    def __init__(self, side_px: int) -> None:
        self._side_px = side_px
        self._large = side_px * _SMOOTH
        self._surface = pygame.Surface((self._large, self._large), pygame.SRCALPHA)

    def square(self, inset: float, colour: tuple[int, ...]) -> None:
        """A square with round corners."""
        edge = round(inset * self._large)
        area = pygame.Rect(edge, edge, self._large - 2 * edge, self._large - 2 * edge)
        radius = round(0.10 * self._large)
        pygame.draw.rect(self._surface, colour, area, border_radius=radius)

    def disc(
        self, radius: float, colour: _Colour, centre: tuple[float, ...] = (0.5, 0.5)
    ) -> None:
        """A filled circle."""
        x, y = (value * self._large for value in centre)
        pygame.draw.circle(self._surface, colour, (x, y), radius * self._large)

    def star(self, radius: float, colour: _Colour) -> None:
        """A star with five points."""
        points = []
        for corner in range(10):
            reach = (radius if corner % 2 == 0 else 0.45 * radius) * self._large
            angle = math.pi * (corner / 5 - 0.5)
            x = self._large / 2 + reach * math.cos(angle)
            points.append((x, self._large * 0.52 + reach * math.sin(angle)))
        pygame.draw.polygon(self._surface, colour, points)

    def finished(self) -> pygame.Surface:
        """The shapes at their real size, with smooth edges."""
        size = (self._side_px, self._side_px)
        return pygame.transform.smoothscale(self._surface, size)


def _write(
    picture: pygame.Surface,
    font: pygame.font.Font,
    text: str,
    centre: tuple[int, int],
) -> None:
    label = font.render(text, True, _LABEL)
    picture.blit(label, label.get_rect(center=centre))
