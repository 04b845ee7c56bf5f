"""Exact solutions of small worlds whose dynamics are written down as tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

MOST_SWEEPS = 100_000
_CONVERGED = 1e-12
_TIE = 1e-9

Combine = Callable[[np.ndarray], np.ndarray]
"""Turns q_values [S, A] into the values [S] of the policy that chooses by them."""


class Solution(NamedTuple):
    """Values of a policy, the best one or a given one.

    Attributes:
      values: V of each state, float64 [S]; 0 where the episode has ended.
      q_values: Q of each state and action, float64 [S, A].
    """

    values: np.ndarray
    q_values: np.ndarray


@dataclass(frozen=True, eq=False)
class TabularMDP:
    """A Markov decision process as tables.

    Attributes:
      transition: P(next state | state, action), float64 [S, A, S].
      reward: Expected reward of each state and action, float64 [S, A].
      terminated: States in which the episode is over, bool [S].
    """

    transition: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray

    def __post_init__(self) -> None:
        states, actions = self.reward.shape
        shapes = (self.transition.shape, self.terminated.shape)
        if shapes != ((states, actions, states), (states,)):
            raise ValueError(
                f"With rewards of {states} states and {actions} actions the tables "
                f"must be [S, A, S] and [S], not {shapes[0]} and {shapes[1]}."
            )

    def solve(self, discount: float, epsilon: float = 0.0) -> Solution:
        """V* and Q*, or the best that a policy can do which explores with epsilon.

            V(s) = (1 - ε) max_a Q(s, a) + ε mean_a Q(s, a)

        See Sutton and Barto, *Reinforcement Learning*, 2nd edition, equation 4.10
        and, for ε > 0 (what SARSA finds), section 5.4.

        Raises:
          ValueError: If there is no finite solution.
        """
        return self._swept(lambda q: _soft_max(q, epsilon), discount)

    def evaluate(self, policy: np.ndarray, discount: float) -> Solution:
        """V and Q of a policy, probabilities [S, A] (the same book, equation 4.5).

        Raises:
          ValueError: If they are not finite.
        """
        return self._swept(lambda q: (policy * q).sum(axis=1), discount)

    def solve_within(self, steps: int, discount: float) -> Solution:
        """V* and Q* of the first step where the episode ends after so many steps."""
        solution = Solution(np.zeros(len(self.reward)), np.zeros_like(self.reward))
        for _ in range(steps):
            solution = self._backup(solution.values, _greedy_value, discount)
        return solution

    def _swept(self, combine: Combine, discount: float) -> Solution:
        """The fixed point of the backups."""
        values = np.zeros(len(self.reward))
        for _ in range(MOST_SWEEPS):
            improved = self._backup(values, combine, discount)
            change = np.abs(improved.values - values).max()
            if change < _CONVERGED * max(1.0, np.abs(values).max()):
                return improved
            values = improved.values
        raise ValueError(
            f"This world has no finite solution at discount {discount:g}: lower the "
            "discount, or see that every state can end and that going on costs."
        )

    def _backup(
        self, values: np.ndarray, combine: Combine, discount: float
    ) -> Solution:
        goes_on = ~self.terminated[:, None]
        q_values = (self.reward + discount * (self.transition @ values)) * goes_on
        return Solution(combine(q_values), q_values)


def greedy_policy(
    q_values: np.ndarray, epsilon: float = 0.0, *, share_ties: bool = False
) -> np.ndarray:
    """Probabilities [S, A] of the ε-greedy policy.

    Args:
      q_values: [S, A].
      epsilon: Probability of an action that is drawn from all.
      share_ties: Whether equally good actions are drawn equally often; else it is
        the first of them.
    """
    best = q_values >= q_values.max(axis=1, keepdims=True) - _TIE
    if not share_ties:
        best = np.eye(q_values.shape[1], dtype=bool)[best.argmax(axis=1)]
    chosen = best / best.sum(axis=1, keepdims=True)
    return np.asarray((1 - epsilon) * chosen + epsilon / q_values.shape[1])


def _greedy_value(q_values: np.ndarray) -> np.ndarray:
    return np.asarray(q_values.max(axis=1))


def _soft_max(q_values: np.ndarray, epsilon: float) -> np.ndarray:
    best, mean = q_values.max(axis=1), q_values.mean(axis=1)
    return np.asarray((1 - epsilon) * best + epsilon * mean)
