"""Tiger: listen until you are sure enough, then open a door."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from engine.environments.worlds.tabular import TabularMDP
from engine.environments.worlds.world import Step, World, number, whole

LISTEN, OPEN_LEFT, OPEN_RIGHT = range(3)
SILENCE, GROWL_LEFT, GROWL_RIGHT = range(3)
LISTEN_REWARD, TIGER_REWARD, ESCAPE_REWARD = -1.0, -100.0, 10.0
_SURE = 1e-9
"""Beliefs nearer than this to 0 and 1 are not told apart."""


class BeliefSolution(NamedTuple):
    """The best that can be done from each belief that listening can lead to.

    Attributes:
      beliefs: Probability that the tiger is on the left, rising, float64 [n].
      values: V* of each, float64 [n].
      q_values: Q* of listen, open left and open right, float64 [n, 3].
    """

    beliefs: np.ndarray
    values: np.ndarray
    q_values: np.ndarray

    @property
    def start(self) -> int:
        """Row of the first belief, one half."""
        return len(self.values) // 2


class Tiger(World):
    """Behind one of two doors waits a tiger; which one can only be heard.

    ## Description
    The tiger problem of Kaelbling, Littman and Cassandra, *Planning and acting in
    partially observable stochastic domains* (1998), section 5. What was heard so
    far matters only through the belief that it leaves, so the best behaviour can be
    computed exactly (:meth:`solve`): at an accuracy of 0.85 and without discount,
    listen until one side was heard three times more often than the other, worth
    5.160. An agent without memory hears only the last growl.

    ## Action space
    `Discrete(3)`: listen, open left, open right.

    ## Observation space
    `Discrete(3)`: silence (at first, and after a door was opened), growl left, growl
    right.

    ## Rewards
    -1 for listening, -100 for opening the tiger's door, 10 for the other.

    ## Episode end
    - Termination: a door was opened; with a `horizon`, after that many steps, and
      the tiger is hidden anew each time a door was opened.
    - Truncation: 100 steps have been made (by the time limit of the registration).

    ## Arguments
    - `accuracy`: probability that the growl comes from the tiger's side, 0.55 to 0.99.
    - `horizon`: number of steps, 1 to 100, or 0 to end with the first open door.

    ## Version history
    - v0: first version.
    """

    action_names = ("listen", "open left", "open right")
    state_names = ("silence", "growl left", "growl right")
    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}  # noqa: RUF012

    def __init__(
        self, accuracy: float = 0.85, horizon: int = 0, render_mode: str | None = None
    ) -> None:
        self.accuracy = number("accuracy", accuracy, 0.55, 0.99)
        self.horizon = whole("horizon", horizon, 0, 100)
        self.render_mode = render_mode
        self.observation_space: Any = spaces.Discrete(3)
        self.action_space: Any = spaces.Discrete(3)
        self._tiger, self._shown, self._heard = OPEN_LEFT, OPEN_LEFT, SILENCE
        self._lead, self._steps, self._opened = 0, 0, LISTEN

    @property
    def belief(self) -> float:
        """Probability that the tiger is on the left, after all that was heard."""
        return float(_belief(self._lead, self.accuracy))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Hide the tiger."""
        super().reset(seed=seed)
        self._steps, self._opened, self._heard = 0, LISTEN, SILENCE
        self._hide()
        self._shown = self._tiger
        return SILENCE, {}

    def _hide(self) -> None:
        self._tiger = OPEN_RIGHT if self.np_random.integers(2) else OPEN_LEFT
        self._lead = 0

    def step(self, action: int) -> Step:
        """Listen, or open a door."""
        self._steps += 1
        self._opened, self._shown = int(action), self._tiger
        reward = LISTEN_REWARD
        if action == LISTEN:
            self._listen()
        else:
            reward = TIGER_REWARD if action == self._tiger else ESCAPE_REWARD
            self._heard = SILENCE
            if self.horizon:
                self._hide()
        ended = self._steps == self.horizon if self.horizon else action != LISTEN
        return self._heard, reward, ended, False, {}

    def _listen(self) -> None:
        true = self.np_random.random() < self.accuracy
        left = (self._tiger == OPEN_LEFT) == true
        self._heard = GROWL_LEFT if left else GROWL_RIGHT
        self._lead += 1 if left else -1

    def solve(self, discount: float) -> BeliefSolution:
        """V* and Q* of each belief, exactly.

        With a horizon they are those of the first step; the time limit is left aside.

        Raises:
          ValueError: If there is no finite solution.
        """
        if self.horizon:
            solution = self.model().solve_within(self.horizon, discount)
        else:
            solution = self.model().solve(discount)
        return BeliefSolution(
            self._beliefs(), solution.values[:-1], solution.q_values[:-1]
        )

    def _beliefs(self) -> np.ndarray:
        """Belief after each lead of growls on the left over those on the right."""
        odds = math.log(self.accuracy / (1 - self.accuracy))
        most = max(math.ceil(-math.log(_SURE) / odds), self.horizon)
        return np.asarray(_belief(np.arange(-most, most + 1), self.accuracy))

    def model(self) -> TabularMDP:
        """The process of beliefs as tables; the last state is the end."""
        beliefs = self._beliefs()
        count = len(beliefs) + 1
        here = np.arange(count - 1)
        transition = np.zeros((count, 3, count))
        left = beliefs * self.accuracy + (1 - beliefs) * (1 - self.accuracy)
        transition[here, LISTEN, np.minimum(here + 1, count - 2)] += left
        transition[here, LISTEN, np.maximum(here - 1, 0)] += 1 - left
        opened = len(beliefs) // 2 if self.horizon else count - 1
        transition[:-1, OPEN_LEFT:, opened] = 1.0
        transition[-1, :, -1] = 1.0
        reward = np.zeros((count, 3))
        reward[:-1, LISTEN] = LISTEN_REWARD
        for door, tiger in ((OPEN_LEFT, beliefs), (OPEN_RIGHT, 1 - beliefs)):
            reward[:-1, door] = tiger * TIGER_REWARD + (1 - tiger) * ESCAPE_REWARD
        return TabularMDP(transition, reward, np.arange(count) == count - 1)

    def _new_painter(self) -> Any:
        from engine.environments.worlds.tiger_drawing import TigerPainter

        return TigerPainter()

    def _picture(self, painter: Any) -> np.ndarray:
        tiger_left = self._shown == OPEN_LEFT
        return np.asarray(
            painter.paint(tiger_left, self._opened, self._heard, self.belief)
        )


def _belief(lead: Any, accuracy: float) -> Any:
    """Bayes' rule after ``lead`` more growls on the left than on the right."""
    return 1 / (1 + ((1 - accuracy) / accuracy) ** lead)
