"""Drawing of Tiger."""

from __future__ import annotations

import math

import numpy as np
import pygame

from engine.environments.worlds import canvas
from engine.environments.worlds.canvas import Canvas, Point, tint

_SIZE = (480, 420)
_DOOR, _DOOR_TOP = (132.0, 200.0), 36.0
_MIDDLES = (132.0, 348.0)
_WOOD, _FRAME, _DARK = (178, 124, 74), (122, 82, 46), (44, 34, 30)
_FUR, _STRIPE = (240, 150, 40), (52, 32, 20)
_AMBER = (166, 112, 0)
_BAR = (40.0, 366.0, 400.0, 24.0)


class TigerPainter:
    """Two doors with a window for the onlooker, the growl, and the belief."""

    def __init__(self) -> None:
        self._rooms = {
            (tiger_left, opened): _painted_room(tiger_left, opened)
            for tiger_left in (False, True)
            for opened in range(3)
        }

    def paint(
        self, tiger_left: bool, opened: int, heard: int, belief: float
    ) -> np.ndarray:
        """Doors (0 both closed, 1 or 2 open), growl (1 left, 2 right, 0 none)."""
        sheet = Canvas(*_SIZE)
        if heard:
            _draw_growl(sheet, _MIDDLES[heard - 1], 1 if heard == 2 else -1)
        _draw_belief(sheet, belief)
        picture = self._rooms[tiger_left, opened].copy()
        picture.blit(sheet.finished(), (0, 0))
        return canvas.pixels(picture)


def _painted_room(tiger_left: bool, opened: int) -> pygame.Surface:
    sheet = Canvas(*_SIZE, canvas.GROUND)
    sheet.box((0, _DOOR_TOP + _DOOR[1]), _SIZE, canvas.TILE)
    for door, middle in enumerate(_MIDDLES):
        _draw_door(sheet, middle, is_open=opened == door + 1)
        inside: Point = (middle, _DOOR_TOP + 66)
        size = 30.0
        if opened == door + 1:
            inside, size = (middle, _DOOR_TOP + 112), 50.0
        if (door == 0) == tiger_left:
            _draw_tiger(sheet, inside, size)
        else:
            sheet.star(inside, size, canvas.GOAL)
    way: Point = (
        (0.0, -1.0) if opened == 0 else (-0.8, -0.6) if opened == 1 else (0.8, -0.6)
    )
    sheet.agent((240, 284), 28, way)
    return sheet.finished()


def _draw_door(sheet: Canvas, middle: float, *, is_open: bool) -> None:
    width, height = _DOOR
    left = middle - width / 2
    sheet.box((left - 8, _DOOR_TOP - 8), (width + 16, height + 8), _FRAME, radius=4)
    sheet.box(
        (left, _DOOR_TOP), (width, height), tint(_DARK, 0.25) if is_open else _WOOD
    )
    if is_open:
        edge = left - 8, left - 34
        top, bottom = _DOOR_TOP - 8, _DOOR_TOP + height
        leaf = (
            (edge[0], top),
            (edge[1], top + 22),
            (edge[1], bottom + 18),
            (edge[0], bottom),
        )
        sheet.shape(leaf, _WOOD)
        return
    sheet.disc((middle, _DOOR_TOP + 66), 46, _FRAME)
    sheet.disc((middle, _DOOR_TOP + 66), 41, tint(_DARK, 0.18))
    sheet.disc((left + width - 16, _DOOR_TOP + 132), 6, canvas.SUN)


def _draw_tiger(sheet: Canvas, centre: Point, size: float) -> None:
    """The face of a tiger, ``size`` half as wide as it is."""
    x, y = centre
    for side in (-1, 1):
        sheet.disc((x + side * 0.68 * size, y - 0.68 * size), 0.34 * size, _FUR)
        sheet.disc((x + side * 0.68 * size, y - 0.68 * size), 0.18 * size, _STRIPE)
    sheet.disc(centre, 0.92 * size, _FUR)
    for offset in (-0.3, 0.0, 0.3):
        top = (x + offset * size, y - 0.82 * size)
        sheet.line(
            (top, (x + 0.7 * offset * size, y - 0.48 * size)), _STRIPE, 0.1 * size
        )
    for side in (-1, 1):
        for drop in (0.02, 0.28):
            start = (x + side * 0.86 * size, y + (drop - 0.02) * size)
            end = (x + side * 0.58 * size, y + (drop + 0.04) * size)
            sheet.line((start, end), _STRIPE, 0.09 * size)
        sheet.disc((x + side * 0.34 * size, y - 0.14 * size), 0.15 * size, canvas.WHITE)
        sheet.disc((x + side * 0.32 * size, y - 0.12 * size), 0.09 * size, _STRIPE)
    sheet.disc((x, y + 0.44 * size), 0.36 * size, tint(_FUR, 0.2))
    nose = (x, y + 0.38 * size)
    wing = 0.13 * size
    sheet.shape(((x - wing, y + 0.2 * size), (x + wing, y + 0.2 * size), nose), _STRIPE)
    sheet.line((nose, (x, y + 0.52 * size)), _STRIPE, 0.06 * size)
    for side in (-1, 1):
        cheek = (x + side * 0.18 * size, y + 0.62 * size)
        sheet.line(((x, y + 0.52 * size), cheek), _STRIPE, 0.06 * size)


def _draw_growl(sheet: Canvas, middle: float, side: int) -> None:
    """Waves of sound beside a door, towards the wall."""
    source = (middle + side * 66, _DOOR_TOP + 66)
    for radius in (14, 24, 34):
        arc = []
        for angle in np.linspace(-0.75, 0.75, 13):
            x = source[0] + side * radius * math.cos(angle)
            arc.append((x, source[1] + radius * math.sin(angle)))
        sheet.line(arc, canvas.PIT_RIM, 4)


def _draw_belief(sheet: Canvas, belief: float) -> None:
    """Share of belief in a tiger on the left and on the right."""
    left, top, width, height = _BAR
    sheet.text((240, top - 18), "belief: where the tiger is", 19, canvas.INK)
    sheet.box((left, top), (width, height), canvas.SUN, radius=5)
    sheet.box((left, top), (width * belief, height), canvas.AGENT, radius=5)
    sheet.line(((240, top - 4), (240, top + height + 4)), canvas.WHITE, 2)
    under = top + height + 16
    sheet.text((left + 42, under), _share("left", belief), 18, canvas.AGENT)
    sheet.text((left + width - 46, under), _share("right", 1 - belief), 18, _AMBER)


def _share(side: str, share: float) -> str:
    return f"{side} {100 * share:.1f} %"
