"""GridWorld: walls, pits, goals and slippery ground, with an exact solution."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces

from engine.environments.worlds.grid_layouts import (
    DIRECTIONS,
    GOAL,
    PIT,
    START,
    read_layout,
)

ID = "RLLab/GridWorld-v0"
GOAL_REWARD, PIT_REWARD = 1.0, -1.0
_MOST_SWEEPS = 100_000
_CONVERGED = 1e-12


class Solution(NamedTuple):
    """The best that can be done.

    Attributes:
      values: V* of each cell, float64 [S]; 0 for walls, goals and pits.
      q_values: Q* of each cell and action, float64 [S, 4].
    """

    values: np.ndarray
    q_values: np.ndarray


class GridWorld(gymnasium.Env[int, int]):
    """Walk over a grid to a goal, round the walls and past the pits.

    ## Description
    The world of the first chapters of Sutton and Barto's *Reinforcement Learning*
    and of Russell and Norvig's *Artificial Intelligence*. It is small enough to be
    solved exactly (:meth:`solve`), so that what an agent has learned can be held
    against the truth.

    ## Action space
    `Discrete(4)`

    | Num | Action |
    |-----|--------|
    | 0   | up     |
    | 1   | right  |
    | 2   | down   |
    | 3   | left   |

    With probability `slip` the move goes at a right angle to the one intended, to
    either side equally likely. A move into a wall or over the edge stays in place.

    ## Observation space
    `Discrete(rows * columns)`: the number of the cell that the agent stands in,
    counted row by row from the top left, walls included.

    ## Rewards
    1 for entering a goal, -1 for entering a pit, `step_reward` for any other step.

    ## Starting state
    The cell marked `S`; one of them at random, equally likely, if there are several.

    ## Episode end
    - Termination: the agent enters a goal or a pit.
    - Truncation: 200 steps have been made (by the time limit of the registration).

    ## Arguments
    - `layout`: one of `garden`, `classic`, `open`, `cliff`, `bridge`, `four-rooms`,
      `maze`, or text with one line for each row: `#` wall, `.` free, `S` start,
      `G` goal, `P` pit.
    - `slip`: probability of a sideways move, 0 to 1.
    - `step_reward`: reward of each step that does not end the episode.

    ## Version history
    - v0: first version.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012
    action_names = ("up", "right", "down", "left")

    def __init__(
        self,
        layout: str = "garden",
        slip: float = 0.0,
        step_reward: float = -0.01,
        render_mode: str | None = None,
    ) -> None:
        if not 0 <= slip <= 1:
            raise ValueError(f"slip is a probability from 0 to 1, not {slip:g}.")
        if not np.isfinite(step_reward):
            raise ValueError(f"step_reward must be a finite number, not {step_reward}.")
        self.layout = read_layout(layout)
        self.slip = float(slip)
        self.step_reward = float(step_reward)
        self.render_mode = render_mode
        count = self.layout.height * self.layout.width
        self.observation_space: Any = spaces.Discrete(count)
        self.action_space: Any = spaces.Discrete(len(DIRECTIONS))
        self._starts = self.layout.cells(START)
        self._moves = self._all_moves(count)
        self._gain = self._all_rewards(count)
        self._ends = frozenset(self.layout.cells(GOAL + PIT))
        self._cell = self._starts[0]
        self._facing = 1
        self._painter: Any = None

    @property
    def state_names(self) -> tuple[str, ...]:
        """Where each cell is, in words."""
        places = (divmod(i, self.layout.width) for i in range(len(self._gain)))
        return tuple(f"row {row}, column {column}" for row, column in places)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Put the agent on a start."""
        super().reset(seed=seed)
        choice = int(self.np_random.integers(len(self._starts)))
        self._cell = self._starts[choice] if len(self._starts) > 1 else self._starts[0]
        self._facing = 1
        return self._cell, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """Move, or slip."""
        direction = int(action)
        if self.slip:
            chance = self.np_random.random()
            if chance < self.slip:
                direction = (direction + (1 if chance < self.slip / 2 else 3)) % 4
        self._facing = int(action)
        self._cell = self._moves[self._cell][direction]
        ended = self._cell in self._ends
        return self._cell, self._gain[self._cell], ended, False, {}

    def render(self) -> Any:
        """The grid with the agent in it, uint8 [H, W, 3]."""
        if self._painter is None:
            from engine.environments.worlds.grid_drawing import GridPainter

            self._painter = GridPainter(self.layout)
        return self._painter.paint(self._cell, self._facing)

    def solve(self, discount: float) -> Solution:
        """V* and Q* by value iteration; the time limit is left aside.

        Raises:
          ValueError: If there is no finite solution, as when each step pays and
            nothing is discounted.
        """
        model = self.transitions()
        gain = np.array(self._gain)
        goes_on = np.ones(len(gain))
        goes_on[list(self._ends)] = 0.0
        values = np.zeros(len(gain))
        for _ in range(_MOST_SWEEPS):
            q_values = (model @ (gain + discount * goes_on * values)) * goes_on[:, None]
            improved = q_values.max(axis=1)
            change = np.abs(improved - values).max()
            values = improved
            if change < _CONVERGED:
                walls = [i for i, c in enumerate("".join(self.layout.rows)) if c == "#"]
                values[walls], q_values[walls] = 0.0, 0.0
                return Solution(values, q_values)
        raise ValueError(
            f"This world has no finite solution at discount {discount:g}: lower the "
            "discount, or make step_reward negative and each free cell reach a goal."
        )

    def transitions(self) -> np.ndarray:
        """P(next cell | cell, action), float64 [S, 4, S]."""
        count = len(self._gain)
        model = np.zeros((count, 4, count))
        turns = ((0, 1 - self.slip), (1, self.slip / 2), (3, self.slip / 2))
        for cell in range(count):
            for action in range(4):
                for turn, chance in turns:
                    there = self._moves[cell][(action + turn) % 4]
                    model[cell, action, there] += chance
        return model

    def _all_moves(self, count: int) -> list[list[int]]:
        """Where each direction leads from each cell."""
        near = self.layout.neighbour
        return [[near(cell, way) for way in DIRECTIONS] for cell in range(count)]

    def _all_rewards(self, count: int) -> list[float]:
        """What entering each cell pays."""
        gain = [self.step_reward] * count
        for cell in self.layout.cells(GOAL):
            gain[cell] = GOAL_REWARD
        for cell in self.layout.cells(PIT):
            gain[cell] = PIT_REWARD
        return gain


def register() -> None:
    """Make GridWorld known to gymnasium; again does nothing."""
    if ID not in gymnasium.registry:
        gymnasium.register(
            ID, entry_point=f"{__name__}:GridWorld", max_episode_steps=200
        )
