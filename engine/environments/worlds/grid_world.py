"""GridWorld: walls, pits, goals and slippery ground, with an exact solution."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from engine.contract.grid_layouts import (
    DIRECTIONS,
    GOAL,
    PIT,
    START,
    WALL,
    read_layout,
)
from engine.environments.worlds.tabular import TabularMDP
from engine.environments.worlds.world import TabularWorld

GOAL_REWARD, PIT_REWARD = 1.0, -1.0


class GridWorld(TabularWorld):
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

    @property
    def state_names(self) -> tuple[str, ...]:
        """Where each cell is, in words."""
        return self.layout.places()

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

    def pose(self, observation: np.ndarray) -> None:
        """Stand as the observation shows, for one picture."""
        self._cell = int(observation.argmax())

    def _new_painter(self) -> Any:
        from engine.environments.worlds.grid_drawing import GridPainter

        return GridPainter(self.layout)

    def _picture(self, painter: Any) -> np.ndarray:
        return np.asarray(painter.paint(self._cell, self._facing))

    def model(self) -> TabularMDP:
        """The world as tables; walls count as ends, as nothing happens in them."""
        model, gain = self.transitions(), np.array(self._gain)
        ends = np.zeros(len(gain), bool)
        ends[list(self.layout.cells(GOAL + PIT + WALL))] = True
        return TabularMDP(model, model @ gain, ends)

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
