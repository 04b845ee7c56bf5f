"""Corridor: many actions that do the same, for which dueling networks were made."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from engine.contract.grid_layouts import (
    DIRECTIONS,
    FREE,
    START,
    WALL,
    Layout,
)
from engine.environments.worlds.tabular import TabularMDP
from engine.environments.worlds.world import Step, TabularWorld, whole

SMALL, LARGE = "g", "G"
REWARDS = {SMALL: 0.1, LARGE: 1.0}
ACTION_COUNTS = (5, 10, 20)


class Corridor(TabularWorld):
    """Three corridors, a small reward near the start, a large one at the far end.

    ## Description
    After Wang et al. (2016), *Dueling network architectures*,
    https://arxiv.org/abs/1511.06581, section 4.1 and figure 2. Only four actions
    move; the others do nothing, like the fifth. A network that has a value head
    learns what a state is worth from every action; one without it has to learn it
    for each action anew, so the two differ more with 20 actions than with 5. The
    layout is ours and smaller: the paper's corridors have 10, 50 and 10 cells.

    ## Action space
    `Discrete(actions)`: up, right, down, left, and no-ops for all others.

    ## Observation space
    `Discrete`: the number of the free cell, counted row by row from the top left.

    ## Rewards
    0.1 for entering the end above the start, 1 for entering the end at the top right,
    0 for all other steps.

    ## Episode end
    - Termination: the agent enters one of the two ends.
    - Truncation: 500 steps have been made (by the time limit of the registration).

    ## Arguments
    - `actions`: 5, 10 or 20.
    - `length`: cells between the two upright corridors, 1 to 38.
    - `height`: cells of the upright corridors, 3 to 15.

    ## Version history
    - v0: first version.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self,
        actions: int = 5,
        length: int = 9,
        height: int = 5,
        render_mode: str | None = None,
    ) -> None:
        if isinstance(actions, bool) or actions not in ACTION_COUNTS:
            raise ValueError(f"actions is 5, 10 or 20, not {actions!r}.")
        self.render_mode = render_mode
        self.layout = _layout(whole("length", length, 1, 38), _height(height))
        self._cells = self.layout.cells(FREE + START + SMALL + LARGE)
        self._number = {cell: number for number, cell in enumerate(self._cells)}
        self._pays = {
            cell: REWARDS[kind] for kind in REWARDS for cell in self.layout.cells(kind)
        }
        self.action_names = _action_names(actions)
        self.observation_space: Any = spaces.Discrete(len(self._cells))
        self.action_space: Any = spaces.Discrete(actions)
        self._start = self.layout.cells(START)[0]
        self._cell, self._facing = self._start, 0

    @property
    def state_names(self) -> tuple[str, ...]:
        """Where each free cell is, in words."""
        places = self.layout.places()
        return tuple(places[cell] for cell in self._cells)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Put the agent on the start."""
        super().reset(seed=seed)
        self._cell, self._facing = self._start, 0
        return self._number[self._cell], {}

    def step(self, action: int) -> Step:
        """Move, or do nothing."""
        if action < len(DIRECTIONS):
            self._facing = int(action)
        self._cell = self._next(self._cell, int(action))
        reward = self._pays.get(self._cell, 0.0)
        return self._number[self._cell], reward, self._cell in self._pays, False, {}

    def _next(self, cell: int, action: int) -> int:
        if action >= len(DIRECTIONS):
            return cell
        return self.layout.neighbour(cell, DIRECTIONS[action])

    def model(self) -> TabularMDP:
        """The world as tables, one state for each free cell."""
        states, actions = len(self._cells), len(self.action_names)
        transition = np.zeros((states, actions, states))
        pays = np.array([self._pays.get(cell, 0.0) for cell in self._cells])
        for state, cell in enumerate(self._cells):
            for action in range(actions):
                there = self._number[self._next(cell, action)]
                transition[state, action, there] = 1.0
        return TabularMDP(transition, transition @ pays, pays > 0)

    def pose(self, observation: np.ndarray) -> None:
        """Stand as the observation shows, for one picture."""
        self._cell = self._cells[int(observation.argmax())]

    def _new_painter(self) -> Any:
        from engine.environments.worlds.corridor_drawing import corridor_painter

        return corridor_painter(self.layout, REWARDS)

    def _picture(self, painter: Any) -> np.ndarray:
        return np.asarray(painter.paint(self._cell, self._facing))


def _height(height: Any) -> int:
    return whole("height", height, 3, 15)


def _layout(length: int, height: int) -> Layout:
    """Two upright corridors with a level one between their middles."""
    rows = []
    for row in range(height):
        between = FREE if row == height // 2 else WALL
        left = SMALL if row == 0 else START if row == height - 1 else FREE
        rows.append(left + between * length + (LARGE if row == 0 else FREE))
    return Layout(tuple(rows))


def _action_names(actions: int) -> tuple[str, ...]:
    moves = ("up", "right", "down", "left")
    if actions == len(moves) + 1:
        return (*moves, "no-op")
    return moves + tuple(f"no-op {n}" for n in range(1, actions - len(moves) + 1))
