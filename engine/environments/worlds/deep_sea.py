"""DeepSea: a treasure that only a diver finds who explores with a plan."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from engine.contract.grid_layouts import GOAL, Layout
from engine.environments.worlds.tabular import Solution
from engine.environments.worlds.world import Step, World, whole

MOVE_COST = 0.01
"""What it costs to go right all the way down."""


class DeepSea(World):
    """Dive N steps, left or right; the treasure lies at the end of N times right.

    ## Description
    DeepSea of Osband et al., *Behaviour Suite for Reinforcement Learning* (2020),
    https://arxiv.org/abs/1908.03568, first in *Deep Exploration via Randomized Value
    Functions*, https://arxiv.org/abs/1703.07608. Each step right costs a little, so
    that whoever looks one step ahead goes left. A random walk finds the treasure in
    one of 2^N episodes, an agent that plans its exploration within some N^2.

    ## Action space
    `Discrete(2)`. Which of the two goes right differs from cell to cell; it is drawn
    once from `mapping_seed` and stays.

    ## Observation space
    `Discrete(N * N + 1)`: the cell, row by row from the top left; the last number is
    the floor, where the dive has ended.

    ## Rewards
    -0.01 / N for each step to the right; 1 for a step to the right in the cell at the
    bottom right. The best return is 0.99.

    ## Episode end
    - Termination: the floor is reached, after N steps.

    ## Arguments
    - `size`: N, 2 to 50.
    - `mapping_seed`: seed of the meaning of the actions, 0 to 2^31 - 1.

    ## Version history
    - v0: first version.
    """

    action_names = ("action 0", "action 1")
    metadata = {"render_modes": ["rgb_array"], "render_fps": 6}  # noqa: RUF012

    def __init__(
        self, size: int = 10, mapping_seed: int = 0, render_mode: str | None = None
    ) -> None:
        self.size = whole("size", size, 2, 50)
        seed = whole("mapping_seed", mapping_seed, 0, 2**31 - 1)
        self.right = np.random.default_rng(seed).integers(2, size=(size, size))
        """The action that goes right in each cell, [row, column]."""
        self.render_mode = render_mode
        self.observation_space: Any = spaces.Discrete(self.size**2 + 1)
        self.action_space: Any = spaces.Discrete(2)
        self._found = False
        self._trail = [0]
        """Cells of the dive so far, those of the floor after those of the water."""

    @property
    def state_names(self) -> tuple[str, ...]:
        """Where each cell is, in words."""
        cells = (divmod(cell, self.size) for cell in range(self.size**2))
        return (*(f"row {row}, column {column}" for row, column in cells), "floor")

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Begin at the top left."""
        super().reset(seed=seed)
        self._found = False
        self._trail = [0]
        return 0, {}

    def step(self, action: int) -> Step:
        """Sink by one row, to the left or to the right."""
        row, column = divmod(self._trail[-1], self.size)
        reward, column = self._move(row, column, int(action))
        self._found = reward > 0
        self._trail.append((row + 1) * self.size + column)
        state = min(self._trail[-1], self.size**2)
        return state, reward, row + 1 == self.size, False, {}

    def _move(self, row: int, column: int, action: int) -> tuple[float, int]:
        """What a move pays and the column that it leads to."""
        if action != self.right[row, column]:
            return 0.0, max(column - 1, 0)
        treasure = 1.0 if row == column == self.size - 1 else 0.0
        return treasure - MOVE_COST / self.size, min(column + 1, self.size - 1)

    def solve(self, discount: float) -> Solution:
        """V* and Q* of each cell and of the floor, row by row from the bottom."""
        values = np.zeros((self.size + 1, self.size))
        q_values = np.zeros((self.size, self.size, 2))
        for row in reversed(range(self.size)):
            for column in range(self.size):
                for action in range(2):
                    reward, there = self._move(row, column, action)
                    ahead = discount * values[row + 1, there]
                    q_values[row, column, action] = reward + ahead
            values[row] = q_values[row].max(axis=1)
        floor = np.zeros((1, 2))
        q_table = np.concatenate([q_values.reshape(-1, 2), floor])
        return Solution(q_table.max(axis=1), q_table)

    def pose(self, observation: np.ndarray) -> None:
        """Stand as the observation shows, for one picture."""
        self._trail = [int(observation.argmax())]

    def _new_painter(self) -> Any:
        from engine.environments.worlds.sea_drawing import SeaPainter

        return SeaPainter(_sea(self.size))

    def _picture(self, painter: Any) -> np.ndarray:
        return np.asarray(painter.paint(self._trail, found=self._found))


def _sea(size: int) -> Layout:
    """Water that can be reached (w), water that cannot (-), and the floor (f)."""
    rows = [
        "w" * (row + 1) + "-" * (size - 1 - row) if row < size - 1 else "w" * row + GOAL
        for row in range(size)
    ]
    return Layout((*rows, "f" * size))
