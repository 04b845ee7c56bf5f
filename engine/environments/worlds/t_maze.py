"""TMaze: what was seen first decides what to do last."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from engine.environments.worlds.tabular import TabularMDP
from engine.environments.worlds.world import Step, TabularWorld, number, switch, whole

UP, RIGHT, DOWN, LEFT = range(4)


class TMaze(TabularWorld):
    """Remember the sign at the entrance until the fork at the end of the corridor.

    ## Description
    The T-maze of Bakker, *Reinforcement Learning with Long Short-Term Memory* (2001),
    and, with `walking=False`, the memory length of Osband et al., *Behaviour Suite
    for Reinforcement Learning* (2020), https://arxiv.org/abs/1908.03568, in which
    the agent is carried along and only its last action counts. An agent without
    memory, or with a frame stack shorter than the corridor, earns 0 on average.

    ## Action space
    Walking `Discrete(4)`: up, right, down, left; carried `Discrete(2)`: up, down.

    ## Observation space
    `Box(-1, 1, (2,))`: the sign, 1 for up and -1 for down, shown in the first
    observation alone; and the way that is left to the fork, 1 at the entrance and 0
    at the fork. With noise the sign is followed by random numbers instead of 0.

    ## Rewards
    1 for the arm that the sign pointed to, -1 for the other one, 0 before.

    ## Episode end
    - Termination: the agent enters an arm.
    - Truncation: 200 steps have been made (by the time limit of the registration).

    ## Arguments
    - `length`: steps from the entrance to the fork, 1 to 60.
    - `walking`: whether the agent walks by itself.
    - `noise`: the random numbers lie between -noise and noise, 0 to 1.

    ## Version history
    - v0: first version.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 6}  # noqa: RUF012
    observation_names = ("sign", "way left")

    def __init__(
        self,
        length: int = 10,
        walking: bool = True,
        noise: float = 0.0,
        render_mode: str | None = None,
    ) -> None:
        self.length = whole("length", length, 1, 60)
        self.walking = switch("walking", walking)
        self.noise = number("noise", noise, 0, 1)
        self.render_mode = render_mode
        names = ("up", "right", "down", "left") if self.walking else ("up", "down")
        self.action_names = names
        self.observation_space: Any = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.action_space: Any = spaces.Discrete(len(names))
        self._cue, self._place, self._arm, self._facing = UP, 0, -1, RIGHT
        self._seen = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Show a new sign at the entrance."""
        super().reset(seed=seed)
        self._cue = UP if self.np_random.integers(2) else DOWN
        self._place, self._arm, self._facing = 0, -1, RIGHT
        self._seen = 1.0 if self._cue == UP else -1.0
        return self._observation(), {}

    def step(self, action: int) -> Step:
        """Walk or be carried one cell on, or enter an arm."""
        way = int(action) if self.walking else (UP, DOWN)[action]
        if self._place == self.length and way in (UP, DOWN):
            self._arm = way
        else:
            self._place = self._next(self._place, way)
        self._facing = way if self.walking or self._arm >= 0 else RIGHT
        self._seen = 0.0
        if self.noise:
            self._seen = float(self.np_random.uniform(-self.noise, self.noise))
        return self._observation(), self._reward(), self._arm >= 0, False, {}

    def _next(self, place: int, way: int) -> int:
        if not self.walking:
            return place + 1
        ahead = {RIGHT: 1, LEFT: -1}.get(way, 0)
        return min(max(place + ahead, 0), self.length)

    def _reward(self) -> float:
        if self._arm < 0:
            return 0.0
        return 1.0 if self._arm == self._cue else -1.0

    def _observation(self) -> np.ndarray:
        way_left = 1 - self._place / self.length
        return np.array([self._seen, way_left], np.float32)

    def state(self, cue: int, place: int) -> int:
        """Number of a state in :meth:`model`: the sign, 0 up or 1 down, and a cell."""
        return cue * (self.length + 1) + place

    def model(self) -> TabularMDP:
        """The world for who remembers the sign, as tables; the last state is the end.

        The value of its first states is the best that memory can do.
        """
        count, actions = 2 * (self.length + 1) + 1, len(self.action_names)
        transition = np.zeros((count, actions, count))
        reward = np.zeros((count, actions))
        for cue, place, action in np.ndindex(2, self.length + 1, actions):
            way = action if self.walking else (UP, DOWN)[action]
            here, there = self.state(cue, place), count - 1
            if place == self.length and way in (UP, DOWN):
                reward[here, action] = 1.0 if (UP, DOWN)[cue] == way else -1.0
            else:
                there = self.state(cue, self._next(place, way))
            transition[here, action, there] = 1.0
        return TabularMDP(transition, reward, np.arange(count) == count - 1)

    def _new_painter(self) -> Any:
        from engine.environments.worlds.t_maze_drawing import TMazePainter

        return TMazePainter(self.length)

    def _picture(self, painter: Any) -> np.ndarray:
        row = 1 if self._arm < 0 else self._arm
        place = (row, self._place)
        return np.asarray(painter.paint(place, self._facing, self._cue, self._seen))
