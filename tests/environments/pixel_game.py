"""A game of pixels with lives, which answers as Atari games do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

ID = "LabTest/PixelGame-v0"
HEIGHT, WIDTH = 30, 20
FRAMES_PER_LIFE = 12
LIVES = 3


class PixelGame(gymnasium.Env[Any, int]):
    """Each frame pays as many points as its number; every twelfth takes a life.

    The screen shows the number of the frame: odd frames in red, even ones in green, as
    sprites that take turns. Action 0 does nothing.

    Args:
      gives_up: Action 2 ends the game at once.
    """

    def __init__(self, gives_up: bool = True) -> None:
        self.observation_space = spaces.Box(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        self.action_space = spaces.Discrete(3)
        self._gives_up, self._frame = gives_up, 0

    def get_action_meanings(self) -> list[str]:
        return ["NOOP", "UPRIGHTFIRE", "DOWN"]

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._frame = 0
        return self._screen(), {"lives": LIVES}

    def step(self, action: int) -> Any:
        self._frame += 1
        lives = LIVES - self._frame // FRAMES_PER_LIFE
        over = (action == 2 and self._gives_up) or lives == 0
        return self._screen(), float(self._frame), over, False, {"lives": lives}

    def _screen(self) -> np.ndarray:
        screen = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        screen[:, :, self._frame % 2] = self._frame
        return screen


@contextmanager
def known() -> Iterator[None]:
    """Gymnasium knows it meanwhile."""
    gymnasium.register(ID, entry_point=PixelGame)
    yield
    del gymnasium.registry[ID]
