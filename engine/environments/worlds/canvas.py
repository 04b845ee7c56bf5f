"""A sheet to draw worlds on: colours that all of them share, and smooth shapes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pygame

_SMOOTH = 3
"""Shapes are drawn this many times larger and shrunk, which smooths their edges."""

GROUND = (226, 230, 236)
TILE = (250, 251, 253)
WALL = (71, 80, 97)
WALL_TOP = (92, 103, 123)
GOAL = (0, 158, 115)
PIT_RIM = (213, 94, 0)
PIT = (58, 30, 20)
START = (176, 186, 200)
AGENT = (0, 114, 178)
AGENT_RIM = (0, 82, 134)
LABEL = (138, 147, 162)
INK = (52, 60, 74)
SUN = (230, 159, 0)
WHITE = (255, 255, 255)
PUPIL = (20, 24, 30)

Colour = tuple[int, ...]
Point = tuple[float, float]


def tint(colour: Colour, share: float) -> Colour:
    """White with this share of a colour in it."""
    return tuple(round((1 - share) * 255 + share * part) for part in colour)


class Canvas:
    """A surface on which shapes are placed in pixels from the top left.

    Without a ground it is see-through, for things that are put on another picture.
    """

    def __init__(self, width: int, height: int, ground: Colour | None = None) -> None:
        pygame.font.init()
        self._size = (width, height)
        large = (width * _SMOOTH, height * _SMOOTH)
        if ground is None:
            # See-through parts have the colour of the ground: edges mix with it.
            self._surface = pygame.Surface(large, pygame.SRCALPHA)
            self._surface.fill((*GROUND, 0))
        else:
            self._surface = pygame.Surface(large, depth=32)
            self._surface.fill(ground)

    def box(
        self,
        corner: Point,
        size: Point,
        colour: Colour,
        *,
        radius: float = 0,
        line: float = 0,
    ) -> None:
        """A rectangle with round corners, filled or as an outline."""
        area = pygame.Rect(*(_large(value) for value in (*corner, *size)))
        pygame.draw.rect(
            self._surface, colour, area, _large(line), border_radius=_large(radius)
        )

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        """A filled circle."""
        place = (centre[0] * _SMOOTH, centre[1] * _SMOOTH)
        pygame.draw.circle(self._surface, colour, place, radius * _SMOOTH)

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        """A filled polygon."""
        corners = [(x * _SMOOTH, y * _SMOOTH) for x, y in points]
        pygame.draw.polygon(self._surface, colour, corners)

    def line(self, points: Sequence[Point], colour: Colour, width: float = 2) -> None:
        """A line with round ends and joints."""
        for start, end in pairwise(points):
            along = np.subtract(end, start)
            aside = np.array((-along[1], along[0])) / max(math.hypot(*along), 1e-9)
            near, far = aside * width / 2, -aside * width / 2
            quad = [np.add(start, near), np.add(end, near)]
            quad += [np.add(end, far), np.add(start, far)]
            self.shape([(float(x), float(y)) for x, y in quad], colour)
        for point in points:
            self.disc(point, width / 2, colour)

    def arrow(
        self,
        points: Sequence[Point],
        colour: Colour,
        width: float = 2,
        *,
        dashed: bool = False,
    ) -> None:
        """A line that ends in a point; dashed, every other piece is left out."""
        head = 3.2 * width + 2
        tip = np.array(points[-1], float)
        shaft = [point for point in points if math.dist(point, points[-1]) >= head]
        shaft = shaft or [points[0]]
        along = tip - np.array(shaft[-1])
        along /= max(math.hypot(*along), 1e-9)
        aside = np.array((-along[1], along[0]))
        neck = tip - head * along
        pieces = [*shaft, _point(neck)]
        if dashed:
            for piece in list(pairwise(pieces))[::2]:
                self.line(piece, colour, width)
        else:
            self.line(pieces, colour, width)
        wings = [_point(neck + side * 0.55 * head * aside) for side in (1, -1)]
        self.shape([_point(tip), *wings], colour)

    def star(self, centre: Point, radius: float, colour: Colour) -> None:
        """A star with five points."""
        points = []
        for corner in range(10):
            reach = radius if corner % 2 == 0 else 0.45 * radius
            angle = math.pi * (corner / 5 - 0.5)
            x = centre[0] + reach * math.cos(angle)
            points.append((x, centre[1] + reach * math.sin(angle)))
        self.shape(points, colour)

    def agent(self, centre: Point, radius: float, way: Point = (0.0, 1.0)) -> None:
        """A ball that looks where it goes, x to the right and y down."""
        self.disc(centre, radius, AGENT_RIM)
        self.disc(centre, 0.887 * radius, AGENT)
        middle, forward = np.array(centre), np.array(way, float)
        aside = np.array((-forward[1], forward[0]))
        for side in (-1, 1):
            eye = middle + radius * (0.387 * forward + 0.355 * side * aside)
            self.disc(_point(eye), 0.242 * radius, WHITE)
            pupil = eye + 0.081 * radius * forward
            self.disc(_point(pupil), 0.123 * radius, PUPIL)

    def text(
        self, centre: Point, words: str, size: int = 17, colour: Colour = LABEL
    ) -> None:
        """A line of words."""
        label = pygame.font.Font(None, size * _SMOOTH).render(words, True, colour)
        place = (centre[0] * _SMOOTH, centre[1] * _SMOOTH)
        self._surface.blit(label, label.get_rect(center=place))

    def finished(self) -> pygame.Surface:
        """The shapes at their real size, with smooth edges."""
        return pygame.transform.smoothscale(self._surface, self._size)


def pixels(picture: pygame.Surface) -> np.ndarray:
    """A surface as an array, uint8 [H, W, 3]."""
    return np.ascontiguousarray(pygame.surfarray.array3d(picture).swapaxes(0, 1))


def _large(value: float) -> int:
    return round(value * _SMOOTH)


def _point(array: np.ndarray) -> Point:
    return float(array[0]), float(array[1])
