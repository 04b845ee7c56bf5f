"""Drawing of Baird and TwoState: states as circles with their value inside."""

from __future__ import annotations

import math

import numpy as np
import pygame

from engine.environments.worlds import canvas
from engine.environments.worlds.canvas import Canvas, Colour, Point

_NODE_PX = 36.0


class StarPainter:
    """Six states above, one below."""

    _size = (576, 400)
    _lower: Point = (288.0, 318.0)

    def __init__(self) -> None:
        self._places: list[Point] = [(53.0 + 94 * n, 84.0) for n in range(6)]
        self._places.append(self._lower)
        self._labels = [f"2w{n} + w8" for n in range(1, 7)] + ["w7 + 2w8"]
        self._ground = self._painted_ground()

    def paint(self, state: int, before: int) -> np.ndarray:
        """The state, and the way to it from the state before, or from none (-1)."""
        sheet = Canvas(*self._size)
        if before >= 0:
            self._draw_move(sheet, before, state)
        draw_node(sheet, self._places[state], self._labels[state], here=True)
        picture = self._ground.copy()
        picture.blit(sheet.finished(), (0, 0))
        return canvas.pixels(picture)

    def _draw_move(self, sheet: Canvas, before: int, state: int) -> None:
        solid = state == len(self._places) - 1
        if state == before:
            x, y = self._places[state]
            points = loop((x, y), -math.pi / 2 if y < 200 else math.pi / 2)
        elif solid or before == len(self._places) - 1:
            points = between(self._places[before], self._places[state])
        else:
            points = bow(self._places[before], self._places[state], -46)
        sheet.arrow(points, canvas.AGENT, 4, dashed=not solid)

    def _painted_ground(self) -> pygame.Surface:
        sheet = Canvas(*self._size, canvas.GROUND)
        for place in self._places[:-1]:
            sheet.arrow(between(place, self._lower), canvas.START, 2)
        sheet.arrow(loop(self._lower, math.pi / 2), canvas.START, 2)
        for place, label in zip(self._places, self._labels, strict=True):
            draw_node(sheet, place, label, here=False)
        for y, name, dashed in (
            (300.0, "solid: down", False),
            (340.0, "dashed: up", True),
        ):
            points = [(28.0 + 6 * step, y) for step in range(8)]
            sheet.arrow(points, canvas.LABEL, 3, dashed=dashed)
            sheet.text((132, y), name, 18, canvas.INK)
        sheet.text((470, 320), "every reward is 0", 18, canvas.INK)
        return sheet.finished()


class TwoStatePainter:
    """Two states side by side, and an end where there is one."""

    _size = (440, 260)
    _places: tuple[Point, ...] = ((120.0, 130.0), (320.0, 130.0), (404.0, 40.0))
    _labels = ("w", "2w")

    def __init__(self, *, can_end: bool) -> None:
        self._can_end = can_end
        self._ground = self._painted_ground()

    def paint(self, state: int, before: int) -> np.ndarray:
        """The state, and the way to it from the state before, or from none (-1)."""
        sheet = Canvas(*self._size)
        if before >= 0:
            sheet.arrow(self._way(before, state), canvas.AGENT, 4)
        if state == 2:
            sheet.agent(self._places[2], 13)
        else:
            draw_node(sheet, self._places[state], self._labels[state], here=True)
        picture = self._ground.copy()
        picture.blit(sheet.finished(), (0, 0))
        return canvas.pixels(picture)

    def _way(self, before: int, state: int) -> list[Point]:
        if before == state:
            return loop(self._places[state], math.pi if state == 0 else 0.0)
        if state == 2:
            return between(self._places[1], self._places[2], 22)
        return bow(self._places[before], self._places[state], -44)

    def _painted_ground(self) -> pygame.Surface:
        sheet = Canvas(*self._size, canvas.GROUND)
        for before, state in ((0, 1), (1, 0), (1, 1), (0, 0)):
            sheet.arrow(self._way(before, state), canvas.START, 2)
        sheet.text((220, 76), "on", 18, canvas.INK)
        sheet.text((220, 184), "back", 18, canvas.INK)
        sheet.text((72, 172), "back", 18, canvas.INK)
        sheet.text((370, 172), "on", 18, canvas.INK)
        sheet.text((220, 236), "every reward is 0", 18, canvas.LABEL)
        if self._can_end:
            sheet.arrow(self._way(1, 2), canvas.START, 2)
            x, y = self._places[2]
            sheet.box((x - 20, y - 20), (40, 40), canvas.WALL_TOP, radius=5)
        for place, label in zip(self._places, self._labels, strict=False):
            draw_node(sheet, place, label, here=False)
        return sheet.finished()


def draw_node(sheet: Canvas, place: Point, label: str, *, here: bool) -> None:
    """A state; the agent's is blue."""
    rim, ground, ink = _NODE_COLOURS[here]
    sheet.disc(place, _NODE_PX, rim)
    sheet.disc(place, _NODE_PX - 3, ground)
    sheet.text(place, label, 17 if len(label) > 3 else 26, ink)


_NODE_COLOURS: dict[bool, tuple[Colour, Colour, Colour]] = {
    False: (canvas.START, canvas.TILE, canvas.INK),
    True: (canvas.AGENT_RIM, canvas.AGENT, canvas.WHITE),
}


def between(start: Point, end: Point, end_px: float = _NODE_PX) -> list[Point]:
    """A straight way in short pieces from one node's rim to another's."""
    x, y = end[0] - start[0], end[1] - start[1]
    long = math.hypot(x, y)
    near, far = (_NODE_PX + 3) / long, 1 - (end_px + 4) / long
    steps = 2 * round((far - near) * long / 14) + 1
    return [(start[0] + x * t, start[1] + y * t) for t in np.linspace(near, far, steps)]


def bow(start: Point, end: Point, height: float) -> list[Point]:
    """A bent way beside the straight one, to its left where the height is negative."""
    x, y = end[0] - start[0], end[1] - start[1]
    long = math.hypot(x, y)
    points = []
    for t in np.linspace(0, 1, 41):
        aside = 4 * height * t * (1 - t) / long
        points.append((start[0] + x * t - y * aside, start[1] + y * t + x * aside))
    rim = _NODE_PX + 4
    return [
        point
        for point in points
        if math.dist(point, start) > rim and math.dist(point, end) > rim
    ]


def loop(place: Point, angle: float) -> list[Point]:
    """A way out of a node in a direction and back into it."""
    reach, radius = _NODE_PX + 12, 22.0
    x = place[0] + reach * math.cos(angle)
    y = place[1] + reach * math.sin(angle)
    turns = np.linspace(angle + math.pi + 0.95, angle + 3 * math.pi - 0.95, 25)
    return [
        (x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns
    ]
