"""NoisyTV: a screen that is always new, and a goal that is far away."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from engine.contract.grid_layouts import (
    DIRECTIONS,
    FREE,
    GOAL,
    START,
    WALL,
    Layout,
)
from engine.environments.worlds.tabular import TabularMDP
from engine.environments.worlds.world import Step, TabularWorld, switch, whole

SOFA, SCREEN, REMOTE = ",", "V", 4
"""Cells from which the screen is seen, the screen itself, and the fifth action."""

LAYOUT = Layout(
    (
        "S,,#.....",
        ",,,#.###.",
        ",,,..#...",
        "#V##.#.##",
        ".....#...",
        ".#######.",
        "....#G...",
    )
)


class NoisyTV(TabularWorld):
    """A maze with a goal at its end and a television beside its start.

    ## Description
    The noisy television of Burda et al., *Large-Scale Study of Curiosity-Driven
    Learning* (2019), https://arxiv.org/abs/1808.04355, section 5, in small. The
    remote control fills the screen with random dots. Whoever seeks what is new
    (counts of observations, prediction error) stays and watches; whoever counts
    cells, or `tv=False`, shows what the same bonus does without the trap. The only
    reward is 25 steps away.

    ## Action space
    `Discrete(5)`: up, right, down, left, remote. The remote works in the room with
    the screen; elsewhere it does nothing.

    ## Observation space
    `Box(0, 1, (41 + dots * dots,))`: a 1 for the cell that the agent stands in (free
    cells row by row), then the dots of the screen; they are 0 where it is not seen.

    ## Rewards
    1 for entering the goal, 0 else.

    ## Episode end
    - Termination: the agent enters the goal.
    - Truncation: 200 steps have been made (by the time limit of the registration).

    ## Arguments
    - `tv`: whether the screen works.
    - `dots`: side of the screen in dots, 1 to 8.

    ## Version history
    - v0: first version.
    """

    action_names = ("up", "right", "down", "left", "remote")
    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self, tv: bool = True, dots: int = 4, render_mode: str | None = None
    ) -> None:
        self.tv = switch("tv", tv)
        self.dots = whole("dots", dots, 1, 8)
        self.render_mode = render_mode
        self._map = Layout(tuple(row.replace(SCREEN, WALL) for row in LAYOUT.rows))
        self._cells = LAYOUT.cells(FREE + START + GOAL + SOFA)
        self._number = {cell: number for number, cell in enumerate(self._cells)}
        self._seats = frozenset(LAYOUT.cells(SOFA + START))
        self._start, self._goal = LAYOUT.cells(START)[0], LAYOUT.cells(GOAL)[0]
        size = (len(self._cells) + self.dots**2,)
        self.observation_space: Any = spaces.Box(0.0, 1.0, size, np.float32)
        self.action_space: Any = spaces.Discrete(5)
        self._cell, self._facing = self._start, 1
        self._screen = np.zeros(self.dots**2, np.float32)

    @property
    def observation_names(self) -> tuple[str, ...]:
        """Which cell or dot each number shows."""
        places = LAYOUT.places()
        dots = (divmod(dot, self.dots) for dot in range(self.dots**2))
        return (
            *(places[cell] for cell in self._cells),
            *(f"screen row {row}, column {column}" for row, column in dots),
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Put the agent on the start and switch the screen off."""
        super().reset(seed=seed)
        self._cell, self._facing = self._start, 1
        self._screen = np.zeros(self.dots**2, np.float32)
        return self._observation(), {}

    def step(self, action: int) -> Step:
        """Move, or press the remote."""
        if action != REMOTE:
            self._facing = int(action)
        elif self.tv and self._cell in self._seats:
            self._screen = self.np_random.integers(
                2, size=self.dots**2, dtype=np.uint8
            ).astype(np.float32)
        self._cell = self._next(self._cell, int(action))
        ended = self._cell == self._goal
        return self._observation(), float(ended), ended, False, {}

    def _next(self, cell: int, action: int) -> int:
        if action == REMOTE:
            return cell
        return self._map.neighbour(cell, DIRECTIONS[action])

    def _observation(self) -> np.ndarray:
        seen = np.zeros(len(self._cells) + self.dots**2, np.float32)
        seen[self._number[self._cell]] = 1.0
        if self._cell in self._seats:
            seen[len(self._cells) :] = self._screen
        return seen

    def model(self) -> TabularMDP:
        """The maze as tables, one state for each free cell: the screen pays nothing."""
        count = len(self._cells)
        transition = np.zeros((count, 5, count))
        for state, cell in enumerate(self._cells):
            for action in range(5):
                there = self._number[self._next(cell, action)]
                transition[state, action, there] = 1.0
        goal = np.arange(count) == self._number[self._goal]
        return TabularMDP(transition, transition @ goal.astype(float), goal)

    def pose(self, observation: np.ndarray) -> None:
        """Stand as the observation shows, for one picture."""
        self._cell = self._cells[int(observation[: len(self._cells)].argmax())]
        self._screen = observation[len(self._cells) :]

    def _new_painter(self) -> Any:
        from engine.environments.worlds.tv_drawing import TVPainter

        return TVPainter(LAYOUT, self.dots)

    def _picture(self, painter: Any) -> np.ndarray:
        return np.asarray(painter.paint(self._cell, self._facing, self._screen))
