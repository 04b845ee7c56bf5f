"""Maximization bias: the best of many noisy estimates looks better than it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from engine.environments.worlds.tabular import TabularMDP
from engine.environments.worlds.world import Step, TabularWorld, number, whole

A, B, END = range(3)


class MaximizationBias(TabularWorld):
    """Go right and nothing happens, or left to many arms that lose on average.

    ## Description
    Example 6.7 of Sutton and Barto, *Reinforcement Learning*, 2nd edition, figure
    6.5. Going left is always a mistake. Q-learning makes it often, because the
    largest of its noisy estimates in B is above 0 for a long time; double Q-learning
    does not. At ε = 0.1 the best share of left is 5 %.

    ## Action space
    `Discrete(actions)`. In A the even actions (0, 2, ...) go left and the odd ones
    right, so that a random action goes left half the time, as in the book. In B each
    action is an arm of its own, and all are alike.

    ## Observation space
    `Discrete(3)`: A, B, end.

    ## Rewards
    0 in A; in B drawn from a normal distribution of `mean` and `spread`.

    ## Episode end
    - Termination: the agent goes right in A, or takes any action in B.

    ## Arguments
    - `actions`: number of actions, even, 2 to 100.
    - `mean`: mean reward of each arm, -10 to 10.
    - `spread`: standard deviation of the reward of each arm, 0 to 10.

    ## Version history
    - v0: first version.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}  # noqa: RUF012
    state_names = ("A", "B", "end")

    def __init__(
        self,
        actions: int = 10,
        mean: float = -0.1,
        spread: float = 1.0,
        render_mode: str | None = None,
    ) -> None:
        count = whole("actions", actions, 2, 100)
        if count % 2:
            raise ValueError(f"actions is an even number, not {count}.")
        self.mean = number("mean", mean, -10, 10)
        self.spread = number("spread", spread, 0, 10)
        self.render_mode = render_mode
        self.action_names = tuple(
            f"{'right' if action % 2 else 'left'} / arm {action + 1}"
            for action in range(count)
        )
        self.observation_space: Any = spaces.Discrete(3)
        self.action_space: Any = spaces.Discrete(count)
        self._state, self._arm, self._reward = A, -1, 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Begin in A."""
        super().reset(seed=seed)
        self._state, self._arm, self._reward = A, -1, 0.0
        return A, {}

    def step(self, action: int) -> Step:
        """Choose a side, or an arm."""
        if self._state == A:
            self._state = END if action % 2 else B
        else:
            self._arm = int(action)
            self._reward = float(self.np_random.normal(self.mean, self.spread))
            self._state = END
        return self._state, self._reward, self._state == END, False, {}

    def model(self) -> TabularMDP:
        """The world as tables."""
        count = len(self.action_names)
        transition, reward = np.zeros((3, count, 3)), np.zeros((3, count))
        transition[A, 0::2, B] = 1.0
        transition[A, 1::2, END] = 1.0
        transition[[B, END], :, END] = 1.0
        reward[B] = self.mean
        return TabularMDP(transition, reward, np.array([False, False, True]))

    def pose(self, observation: np.ndarray) -> None:
        """Stand as the observation shows, for one picture."""
        self._state = int(observation.argmax())

    def _new_painter(self) -> Any:
        from engine.environments.worlds.bias_drawing import BiasPainter

        return BiasPainter(len(self.action_names), self.mean, self.spread)

    def _picture(self, painter: Any) -> np.ndarray:
        return np.asarray(painter.paint(self._state, self._arm, self._reward))
