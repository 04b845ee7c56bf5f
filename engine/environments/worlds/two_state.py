"""TwoState: w and 2w, the smallest world in which Q-learning diverges."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from engine.environments.worlds.divergence import growth
from engine.environments.worlds.tabular import TabularMDP
from engine.environments.worlds.world import Step, TabularWorld, number, switch

FIRST, SECOND, END = range(3)


class TwoState(TabularWorld):
    """Two states whose values are w and 2w; the truth is w = 0.

    ## Description
    The example of Tsitsiklis and Van Roy, *Feature-based methods for large scale
    dynamic programming* (1996); Sutton and Barto, *Reinforcement Learning*, 2nd
    edition, section 11.2 and example 11.1. When both states are updated equally
    often, as under random behaviour (ε = 1), a linear network (no hidden layer)
    diverges for each discount above 5 / (6 - 4 `end`): each update of the first
    state raises the second twice as much. Greedy behaviour stays in the second state
    and shrinks w.

    ## Action space
    `Discrete(2)`: on leads to the second state, back to the first, from either one.

    ## Observation space
    `Box(0, 2, (1,))`: the feature, 1 in the first state, 2 in the second, 0 at the
    end. With `features=False`, `Discrete(3)`.

    ## Rewards
    0.

    ## Starting state
    One of the two, equally likely.

    ## Episode end
    - Termination: with probability `end` when the action is on in the second state.
    - Truncation: 50 steps have been made (by the time limit of the registration).

    ## Arguments
    - `end`: probability of the end, 0 to 1; ε in the book.
    - `features`: whether the feature is observed, or else the state.

    ## Version history
    - v0: first version.
    """

    action_names = ("on", "back")
    state_names = ("first", "second", "end")
    observation_names = ("feature",)

    def __init__(
        self,
        end: float = 0.0,
        features: bool = True,
        render_mode: str | None = None,
    ) -> None:
        self.end = number("end", end, 0, 1)
        self.shows_features = switch("features", features)
        self.render_mode = render_mode
        self.observation_space: Any = spaces.Discrete(3)
        if self.shows_features:
            self.observation_space = spaces.Box(0.0, 2.0, (1,), np.float32)
        self.action_space: Any = spaces.Discrete(2)
        self._state, self._before = FIRST, -1

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin in either state."""
        super().reset(seed=seed)
        self._state, self._before = int(self.np_random.integers(2)), -1
        return self._observation(), {}

    def step(self, action: int) -> Step:
        """Go on, or back."""
        self._before = self._state
        may_end = self._state == SECOND and action == 0 and self.end > 0
        self._state = FIRST if action else SECOND
        if may_end and self.np_random.random() < self.end:
            self._state = END
        return self._observation(), 0.0, self._state == END, False, {}

    def _observation(self) -> Any:
        if not self.shows_features:
            return self._state
        return np.array([(1.0, 2.0, 0.0)[self._state]], np.float32)

    def model(self) -> TabularMDP:
        """The world as tables."""
        transition = np.zeros((3, 2, 3))
        transition[:END, 1, FIRST] = transition[FIRST, 0, SECOND] = 1.0
        transition[SECOND, 0, [SECOND, END]] = 1 - self.end, self.end
        transition[END, :, END] = 1.0
        terminated = np.array([False, False, True])
        return TabularMDP(transition, np.zeros((3, 2)), terminated)

    def growth(self, discount: float) -> float:
        """How fast w grows when both states are updated equally often.

        It is ((6 - 4 end) γ - 5) / 2.
        """
        always_on = self.model().transition[:END, 0, :END]
        return growth(np.array([[1.0], [2.0]]), always_on, np.full(2, 0.5), discount)

    def pose(self, observation: np.ndarray) -> None:
        """Stand as the observation shows, for one picture."""
        if self.shows_features:
            self._state = (END, FIRST, SECOND)[round(float(observation[0]))]
        else:
            self._state = int(observation.argmax())

    def _new_painter(self) -> Any:
        from engine.environments.worlds.star_drawing import TwoStatePainter

        return TwoStatePainter(can_end=self.end > 0)

    def _picture(self, painter: Any) -> np.ndarray:
        return np.asarray(painter.paint(self._state, self._before))
