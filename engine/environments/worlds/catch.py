"""Catch: a ball falls, a paddle moves; the only reward comes at the end."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from engine.environments.worlds.tabular import TabularMDP
from engine.environments.worlds.world import Step, TabularWorld, whole

_MOVES = (-1, 0, 1)


class Catch(TabularWorld):
    """Be under the ball when it comes down.

    ## Description
    Catch of Osband et al., *Behaviour Suite for Reinforcement Learning* (2020),
    https://arxiv.org/abs/1908.03568, after Mnih et al. (2014). A first test of
    credit over time: the reward comes once, when the ball has fallen all the way,
    and every ball can be caught.

    ## Action space
    `Discrete(3)`: left, stay, right.

    ## Observation space
    `Box(0, 1, (rows * columns,))`: the board row by row from the top left; 1 where
    the ball or the paddle is. The paddle is in the last row.

    ## Rewards
    1 for a ball that is caught, -1 for one that is missed, 0 before.

    ## Starting state
    The ball in any column of the top row, equally likely; the paddle in the middle.

    ## Episode end
    - Termination: the ball reaches the last row, after `rows - 1` steps.

    ## Arguments
    - `rows`: height of the board, 3 to 30.
    - `columns`: width of the board, 2 to 15.

    ## Version history
    - v0: first version.
    """

    action_names = ("left", "stay", "right")
    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self, rows: int = 10, columns: int = 5, render_mode: str | None = None
    ) -> None:
        self.rows = whole("rows", rows, 3, 30)
        self.columns = whole("columns", columns, 2, 15)
        self.render_mode = render_mode
        size = (self.rows * self.columns,)
        self.observation_space: Any = spaces.Box(0.0, 1.0, size, np.float32)
        self.action_space: Any = spaces.Discrete(3)
        self._row, self._ball, self._paddle = 0, 0, self.columns // 2

    @property
    def observation_names(self) -> tuple[str, ...]:
        """Which cell of the board each number shows."""
        cells = (divmod(cell, self.columns) for cell in range(self.rows * self.columns))
        return tuple(f"row {row}, column {column}" for row, column in cells)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """A new ball."""
        super().reset(seed=seed)
        self._row, self._paddle = 0, self.columns // 2
        self._ball = int(self.np_random.integers(self.columns))
        return self._board(), {}

    def step(self, action: int) -> Step:
        """Move the paddle while the ball falls by one row."""
        self._paddle = self._moved(self._paddle, int(action))
        self._row += 1
        ended = self._row == self.rows - 1
        reward = self._outcome(self._ball, self._paddle) if ended else 0.0
        return self._board(), reward, ended, False, {}

    def _moved(self, paddle: int, action: int) -> int:
        return min(max(paddle + _MOVES[action], 0), self.columns - 1)

    def _outcome(self, ball: int, paddle: int) -> float:
        return 1.0 if ball == paddle else -1.0

    def _board(self) -> np.ndarray:
        board = np.zeros((self.rows, self.columns), np.float32)
        board[self._row, self._ball] = 1.0
        board[-1, self._paddle] = 1.0
        return board.ravel()

    def state(self, row: int, ball: int, paddle: int) -> int:
        """Number of a state in :meth:`model`."""
        return (row * self.columns + ball) * self.columns + paddle

    def model(self) -> TabularMDP:
        """The world as tables; :meth:`state` numbers the states."""
        shape = (self.rows, self.columns, self.columns)
        count = int(np.prod(shape))
        transition, reward = np.zeros((count, 3, count)), np.zeros((count, 3))
        terminated = np.arange(count) >= self.state(self.rows - 1, 0, 0)
        for row, ball, paddle in np.ndindex(self.rows - 1, self.columns, self.columns):
            here = self.state(row, ball, paddle)
            for action in range(3):
                there = self._moved(paddle, action)
                transition[here, action, self.state(row + 1, ball, there)] = 1.0
                if row == self.rows - 2:
                    reward[here, action] = self._outcome(ball, there)
        return TabularMDP(transition, reward, terminated)

    def pose(self, observation: np.ndarray) -> None:
        """Stand as the observation shows, for one picture."""
        board = observation.reshape(self.rows, self.columns)
        rows, columns = np.nonzero(board)
        self._row, self._ball = int(rows[0]), int(columns[0])
        # On the last row ball and paddle look alike: the right one is the paddle.
        self._paddle = int(columns[-1])

    def _new_painter(self) -> Any:
        from engine.environments.worlds.catch_drawing import CatchPainter

        return CatchPainter(self.rows, self.columns)

    def _picture(self, painter: Any) -> np.ndarray:
        return np.asarray(painter.paint(self._row, self._ball, self._paddle))
