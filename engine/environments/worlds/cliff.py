"""Cliff: the shortest way is the most dangerous one for who still explores."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from engine.contract.grid_layouts import DIRECTIONS, GOAL, START, Layout
from engine.environments.worlds.tabular import Solution, TabularMDP, greedy_policy
from engine.environments.worlds.world import Step, TabularWorld

CLIFF = "C"
LAYOUT = Layout(("............", "............", "............", "SCCCCCCCCCCG"))
FALL_REWARD = -100.0


class Cliff(TabularWorld):
    """Walk along a cliff to the goal: Q-learning takes the edge, SARSA the safe way.

    ## Description
    Example 6.6 of Sutton and Barto, *Reinforcement Learning*, 2nd edition. Q-learning
    learns the values of the shortest way, 13 steps along the edge, and falls now and
    then while it explores. SARSA learns the values of the way that it walks,
    exploration included, and keeps away from the edge. All of it is known exactly:
    :meth:`solve`, :meth:`online_return`, :meth:`soft_optimum`.

    ## Action space
    `Discrete(4)`: up, right, down, left. A move over the border stays in place.

    ## Observation space
    `Discrete(48)`: the cell, counted row by row from the top left.

    ## Rewards
    -1 for each step; -100 for a step off the cliff, which leads back to the start and
    does not end the episode.

    ## Episode end
    - Termination: the agent reaches the goal.
    - Truncation: 500 steps have been made (by the time limit of the registration).

    ## Version history
    - v0: first version.
    """

    action_names = ("up", "right", "down", "left")
    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.layout = LAYOUT
        self.observation_space: Any = spaces.Discrete(48)
        self.action_space: Any = spaces.Discrete(len(DIRECTIONS))
        self._start, self._goal = LAYOUT.cells(START)[0], LAYOUT.cells(GOAL)[0]
        self._depth = frozenset(LAYOUT.cells(CLIFF))
        self._cell, self._facing, self._fell_at = self._start, 0, -1

    @property
    def state_names(self) -> tuple[str, ...]:
        """Where each cell is, in words."""
        return LAYOUT.places()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Put the agent on the start."""
        super().reset(seed=seed)
        self._cell, self._facing, self._fell_at = self._start, 0, -1
        return self._cell, {}

    def step(self, action: int) -> Step:
        """Move, and fall if the ground ends."""
        self._facing = int(action)
        there, reward = self._move(self._cell, self._facing)
        entered = LAYOUT.neighbour(self._cell, DIRECTIONS[self._facing])
        self._fell_at = entered if entered in self._depth else -1
        self._cell = there
        return there, reward, there == self._goal, False, {}

    def _move(self, cell: int, action: int) -> tuple[int, float]:
        """Where a move ends and what it pays."""
        there = LAYOUT.neighbour(cell, DIRECTIONS[action])
        return (self._start, FALL_REWARD) if there in self._depth else (there, -1.0)

    def model(self) -> TabularMDP:
        """The world as tables."""
        transition, reward = np.zeros((48, 4, 48)), np.zeros((48, 4))
        for cell in range(48):
            for action in range(4):
                there, reward[cell, action] = self._move(cell, action)
                transition[cell, action, there] = 1.0
        return TabularMDP(transition, reward, np.arange(48) == self._goal)

    def online_return(self, epsilon: float) -> float:
        """Mean return of Q-learning's final policy while it explores, undiscounted.

        It walks the shortest way (right rather than down where both are equally
        short) and takes a random action with probability ε: -45.80 at ε = 0.1.
        """
        model = self.model()
        policy = greedy_policy(model.solve(1.0).q_values, epsilon)
        return float(model.evaluate(policy, 1.0).values[self._start])

    def soft_optimum(self, epsilon: float) -> Solution:
        """Values of the best policy among those that explore with ε, undiscounted.

        That is where SARSA and Expected SARSA end: -20.71 from the start at ε = 0.1.
        """
        return self.model().solve(1.0, epsilon)

    def pose(self, observation: np.ndarray) -> None:
        """Stand as the observation shows, for one picture."""
        self._cell = int(observation.argmax())

    def _new_painter(self) -> Any:
        from engine.environments.worlds.cliff_drawing import CliffPainter

        return CliffPainter(LAYOUT)

    def _picture(self, painter: Any) -> np.ndarray:
        return np.asarray(painter.paint(self._cell, self._facing, self._fell_at))
