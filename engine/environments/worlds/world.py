"""What all worlds of our own have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import gymnasium
import numpy as np

from engine.environments.worlds.tabular import Solution, TabularMDP

Step = tuple[Any, float, bool, bool, dict[str, Any]]
"""Observation, reward, terminated, truncated, further words (none)."""


class World(gymnasium.Env[Any, Any], ABC):
    """A world that draws itself; chance comes from ``np_random`` alone.

    A subclass brings ``reset``, ``step``, ``_new_painter`` and ``_picture``, and
    ``pose(observation)`` if an observation, as the lab shows it, says all of a state.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012
    action_names: tuple[str, ...] = ()
    _painter: Any = None

    def render(self) -> Any:
        """The present state as a picture, uint8 [H, W, 3]."""
        if self._painter is None:
            self._painter = self._new_painter()
        return self._picture(self._painter)

    @abstractmethod
    def _new_painter(self) -> Any:
        """What draws; made when first needed, so that training imports no pygame."""

    @abstractmethod
    def _picture(self, painter: Any) -> np.ndarray:
        """The present state, uint8 [H, W, 3]."""


class TabularWorld(World):
    """A world with an exact solution."""

    @abstractmethod
    def model(self) -> TabularMDP:
        """The world as tables; the time limit is left aside."""

    def solve(self, discount: float) -> Solution:
        """V* and Q*.

        Raises:
          ValueError: If there is no finite solution.
        """
        return self.model().solve(discount)


def whole(name: str, value: Any, low: int, high: int) -> int:
    """A whole number in a range.

    Raises:
      ValueError: In one sentence, if it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} is a whole number, not {value!r}.")
    if not low <= value <= high:
        raise ValueError(f"{name} is a whole number from {low} to {high}, not {value}.")
    return int(value)


def number(name: str, value: Any, low: float, high: float) -> float:
    """A number in a range, the ends included.

    Raises:
      ValueError: In one sentence, if it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise ValueError(f"{name} is a number, not {value!r}.")
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{name} is a number from {low:g} to {high:g}, not {value:g}.")
    return float(value)


def switch(name: str, value: Any) -> bool:
    """Yes or no.

    Raises:
      ValueError: In one sentence, if it is neither.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} is true or false, not {value!r}.")
    return value
