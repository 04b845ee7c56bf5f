"""Drawing of MaximizationBias."""

from __future__ import annotations

import math

import numpy as np
import pygame

from engine.environments.worlds import canvas
from engine.environments.worlds.canvas import Canvas, Point, tint

_SIZE = (528, 360)
_A, _B = (360.0, 100.0), (200.0, 100.0)
_RIGHT_END, _LEFT_END = (484.0, 100.0), (44.0, 100.0)
_NODE_PX, _SQUARE_PX = 30.0, 20.0
_CURVE = (64.0, 464.0, 322.0, 92.0)
"""Left, right, bottom and height of the bell curve of rewards."""


class BiasPainter:
    """The two states, their ends, and what an arm of B pays."""

    def __init__(self, arms: int, mean: float, spread: float) -> None:
        self._arms, self._mean = arms, mean
        self._reach = 3 * spread + abs(mean) or 1.0
        self._spread = spread
        self._ground = self._painted_ground()

    def paint(self, state: int, arm: int, reward: float) -> np.ndarray:
        """The agent in A, B or an end; ``arm`` is -1 until one was taken."""
        sheet = Canvas(*_SIZE)
        sheet.agent(self._place(state, arm), 20 if state < 2 else 14, _way(state, arm))
        if arm >= 0:
            self._draw_reward(sheet, reward)
        picture = self._ground.copy()
        picture.blit(sheet.finished(), (0, 0))
        return canvas.pixels(picture)

    def _place(self, state: int, arm: int) -> Point:
        if state < 2:
            return (_A, _B)[state]
        return _LEFT_END if arm >= 0 else _RIGHT_END

    def _draw_reward(self, sheet: Canvas, reward: float) -> None:
        left, right, bottom, _ = _CURVE
        x = min(max(self._at(reward), left), right)
        colour = canvas.GOAL if reward > 0 else canvas.PIT_RIM
        sheet.line(((x, bottom), (x, bottom - 40)), colour, 3)
        sheet.disc((x, bottom - 40), 7, colour)
        sheet.box((x - 25, bottom - 69), (50, 20), canvas.TILE, radius=5)
        sheet.text((x, bottom - 58), f"{reward:+.2f}", 20, canvas.INK)

    def _at(self, reward: float) -> float:
        """Where a reward lies on the axis."""
        left, right, _, _ = _CURVE
        return (left + right) / 2 + reward / self._reach * (right - left) / 2

    def _painted_ground(self) -> pygame.Surface:
        sheet = Canvas(*_SIZE, canvas.GROUND)
        self._draw_arrows(sheet)
        for place, name in ((_A, "A"), (_B, "B")):
            sheet.disc(place, _NODE_PX + 2, canvas.START)
            sheet.disc(place, _NODE_PX, canvas.TILE)
            sheet.text((place[0], place[1] + _NODE_PX + 17), name, 24, canvas.INK)
        for x, y in (_LEFT_END, _RIGHT_END):
            corner, side = (x - _SQUARE_PX, y - _SQUARE_PX), 2 * _SQUARE_PX
            sheet.box(corner, (side, side), canvas.WALL_TOP, radius=5)
            sheet.text((x, y + 47), "end", 18)
        self._draw_curve(sheet)
        return sheet.finished()

    def _draw_arrows(self, sheet: Canvas) -> None:
        for x, end in ((_A[0] - _NODE_PX, _B[0] + _NODE_PX), (_A[0] + _NODE_PX, 462.0)):
            ahead = math.copysign(4, end - x)
            sheet.arrow(((x + ahead, 100.0), (end - ahead, 100.0)), canvas.LABEL, 3)
            sheet.text(((x + end) / 2, 80), "left" if end < x else "right", 18)
            sheet.text(((x + end) / 2, 120), "0", 18)
        shown = min(self._arms, 12)
        for arm in range(shown):
            bow = 110 * (arm / max(shown - 1, 1) - 0.5)
            points = [
                (174 - 106 * t, 100 + 4 * bow * t * (1 - t))
                for t in np.linspace(0, 1, 16)
            ]
            sheet.line(points, canvas.LABEL, 1.5)
        sheet.text((121, 26), f"{self._arms} arms", 18)

    def _draw_curve(self, sheet: Canvas) -> None:
        left, right, bottom, height = _CURVE
        sheet.box((24, 188), (480, 156), canvas.TILE, radius=8)
        grid = np.linspace(-self._reach, self._reach, 81)
        width = max(self._spread, 0.01 * self._reach)
        bell = np.exp(-0.5 * ((grid - self._mean) / width) ** 2)
        hill = [
            (self._at(x), bottom - height * y) for x, y in zip(grid, bell, strict=True)
        ]
        sheet.shape([*hill, (right, bottom), (left, bottom)], tint(canvas.AGENT, 0.2))
        sheet.line(((left, bottom), (right, bottom)), canvas.LABEL, 1.5)
        side = 1 if self._mean > 0 else -1
        for value, name, colour, offset in (
            (0.0, "0", canvas.LABEL, -14 * side),
            (self._mean, f"mean {self._mean:g}", canvas.PIT_RIM, 46 * side),
        ):
            x = self._at(value)
            sheet.line(((x, bottom), (x, bottom - height - 8)), colour, 1.5)
            sheet.text((x + offset, bottom - height - 8), name, 18, colour)
        sheet.text((264, 333), "reward of an arm of B", 17)


def _way(state: int, arm: int) -> Point:
    return (1.0, 0.0) if state == 2 and arm < 0 else (-1.0, 0.0)
