"""Baird: seven states on which a linear network learns its way to infinity."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from engine.environments.worlds.divergence import growth
from engine.environments.worlds.tabular import TabularMDP
from engine.environments.worlds.world import Step, TabularWorld, switch

UPPER, LOWER = 6, 6
"""Number of upper states, and number of the lower one."""


class Baird(TabularWorld):
    """Nothing is ever paid, and yet the values grow without end.

    ## Description
    Baird's star (Baird, *Residual Algorithms*, 1995) as in Sutton and Barto,
    *Reinforcement Learning*, 2nd edition, figure 11.1. All values are 0 and the
    features can say so, but with bootstrapping, off-policy updates and a linear
    network (no hidden layer) together, the weights diverge: the deadly triad. Take
    one of the three away and it converges; `features=False` shows the states
    themselves, for a table. The behaviour must be random (ε = 1) and the gradient
    steps plain ones, as an optimizer that rescales them changes the dynamics.

    ## Action space
    `Discrete(7)`: six dashed actions, which are alike and lead to one of the six
    upper states, equally likely, and solid, which leads to the lower one. So a random
    behaviour takes the book's 6/7 of dashed actions. With `twins=False` there is one
    dashed action: a random behaviour then visits the lower state half the time, and
    Q-learning does not diverge.

    ## Observation space
    `Box(0, 2, (8,))`: upper state i has the features 2 at i and 1 at 8, the lower one
    1 at 7 and 2 at 8. With `features=False`, `Discrete(7)`.

    ## Rewards
    0.

    ## Starting state
    One of the seven, equally likely.

    ## Episode end
    - Truncation: 100 steps have been made (by the time limit of the registration).

    ## Arguments
    - `features`: whether the features are observed, or else the states.
    - `twins`: whether there are six dashed actions, or else one.

    ## Version history
    - v0: first version.
    """

    state_names = (*(f"upper {state}" for state in range(1, UPPER + 1)), "lower")
    observation_names = tuple(f"feature {weight}" for weight in range(1, 9))

    def __init__(
        self,
        features: bool = True,
        twins: bool = True,
        render_mode: str | None = None,
    ) -> None:
        self.shows_features = switch("features", features)
        self.dashed = UPPER if switch("twins", twins) else 1
        self.render_mode = render_mode
        dashed = [f"dashed {n}" for n in range(1, self.dashed + 1)]
        self.action_names = (*(dashed if twins else ["dashed"]), "solid")
        self.observation_space: Any = spaces.Discrete(7)
        if self.shows_features:
            self.observation_space = spaces.Box(0.0, 2.0, (8,), np.float32)
        self.action_space: Any = spaces.Discrete(self.dashed + 1)
        self._features = features_of_the_star().astype(np.float32)
        self._state, self._before = LOWER, -1

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin in any state."""
        super().reset(seed=seed)
        self._state, self._before = int(self.np_random.integers(7)), -1
        return self._observation(), {}

    def step(self, action: int) -> Step:
        """Go down, or to one of the upper states."""
        self._before = self._state
        solid = int(action) == self.dashed
        self._state = LOWER if solid else int(self.np_random.integers(UPPER))
        return self._observation(), 0.0, False, False, {}

    def _observation(self) -> Any:
        return (
            self._features[self._state].copy() if self.shows_features else self._state
        )

    def model(self) -> TabularMDP:
        """The world as tables."""
        transition = np.zeros((7, self.dashed + 1, 7))
        transition[:, :-1, :UPPER] = 1 / UPPER
        transition[:, -1, LOWER] = 1.0
        never = np.zeros(7, bool)
        return TabularMDP(transition, np.zeros(transition.shape[:2]), never)

    def growth(self, discount: float) -> float:
        """How fast TD learning of the solid policy diverges under random behaviour."""
        visits = self.model().transition.mean(axis=1)[0]
        always_down = self.model().transition[:, -1]
        return growth(features_of_the_star(), always_down, visits, discount)

    def pose(self, observation: np.ndarray) -> None:
        """Stand as the observation shows, for one picture."""
        shown = np.eye(7) if not self.shows_features else self._features
        self._state = int(np.abs(shown - observation).sum(axis=1).argmin())

    def _new_painter(self) -> Any:
        from engine.environments.worlds.star_drawing import StarPainter

        return StarPainter()

    def _picture(self, painter: Any) -> np.ndarray:
        return np.asarray(painter.paint(self._state, self._before))


def features_of_the_star() -> np.ndarray:
    """One row for each state, float64 [7, 8]."""
    features = np.zeros((7, 8))
    features[np.arange(UPPER), np.arange(UPPER)] = 2.0
    features[:UPPER, 7] = 1.0
    features[LOWER, 6:] = (1.0, 2.0)
    return features
