"""What a model of an environment says, and a model that is a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from engine.contract.arrays import State


class Steps(NamedTuple):
    """Single steps, real or made up; ``B`` of them.

    Attributes:
      observation, next_observation: float32 [B, ...].
      action: int64 [B].
      reward: float32 [B].
      ends: How likely the step terminates the episode, float32 [B].
    """

    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    ends: np.ndarray
    next_observation: np.ndarray


@dataclass(slots=True)
class Outcome:
    """One thing that followed an action: a state, its end or not, its mean reward."""

    state: int
    terminated: bool
    count: int
    reward: float


class TableModel:
    """What followed each action in each state; observations are one-hot.

    A *pair* is the number ``state * actions + action``.

    Args:
      states: How many there are at most.
      actions: Number of actions.
      remembers: Every outcome with its count, or the last one only.
    """

    def __init__(
        self, states: int, actions: int, remembers: Literal["last", "counts"]
    ) -> None:
        self._states, self._actions = states, actions
        self._last_only = remembers == "last"
        self.pairs: list[int] = []
        self._outcomes: dict[int, list[Outcome]] = {}
        self._before: dict[int, dict[int, None]] = {}

    def observe(
        self, state: int, action: int, reward: float, terminated: bool, then: int
    ) -> tuple[int, bool]:
        """A real step: its pair, and whether the table expected where it led.

        What is expected is the outcome that came most often, of several the first.
        """
        pair = state * self._actions + action
        known = self._outcomes.get(pair)
        if known is None:
            self.pairs.append(pair)
            known = self._outcomes[pair] = []
        likely = max(known, key=lambda it: it.count, default=None)
        expected = likely is not None
        if likely is not None:
            expected = (likely.state, likely.terminated) == (then, terminated)
        self._add(pair, known, Outcome(then, terminated, 1, reward))
        return pair, expected

    def _add(self, pair: int, known: list[Outcome], new: Outcome) -> None:
        if self._last_only:
            for old in known:
                self._before[old.state].pop(pair)
            known[:] = []
        for it in known:
            if (it.state, it.terminated) == (new.state, new.terminated):
                it.count += 1
                it.reward += (new.reward - it.reward) / it.count
                return
        known.append(new)
        self._before.setdefault(new.state, {})[pair] = None

    def imagine(self, rng: np.random.Generator, count: int) -> Steps:
        """Steps whose state and action were seen, each as likely as any other.

        What follows is drawn as often as it came.
        """
        numbers = rng.integers(0, len(self.pairs), count).tolist()
        pairs = [self.pairs[it] for it in numbers]
        places = rng.random(count).tolist()
        drawn = [
            _draw(self._outcomes[it], at) for it, at in zip(pairs, places, strict=True)
        ]
        return self._steps(pairs, drawn)

    def everything(self, pairs: list[int]) -> tuple[Steps, np.ndarray, np.ndarray]:
        """All that may follow these pairs.

        Returns:
          One step for each outcome [R], how likely each is, float64 [R], and the
          index in ``pairs`` that it belongs to, int64 [R].
        """
        rows = [
            (at, it) for at, pair in enumerate(pairs) for it in self._outcomes[pair]
        ]
        owner = np.array([at for at, _ in rows], np.int64)
        counts = np.array([it.count for _, it in rows], np.float64)
        totals = np.bincount(owner, counts, len(pairs))
        steps = self._steps([pairs[at] for at, _ in rows], [it for _, it in rows])
        return steps, counts / totals[owner], owner

    def leading_to(self, state: int) -> list[int]:
        """Pairs that may lead to a state, in the order in which they first did."""
        return list(self._before.get(state, ()))

    def _steps(self, pairs: list[int], outcomes: list[Outcome]) -> Steps:
        states, actions = np.divmod(np.array(pairs, np.int64), self._actions)
        return Steps(
            observation=self._rows(states),
            action=actions,
            reward=np.array([it.reward for it in outcomes], np.float32),
            ends=np.array([it.terminated for it in outcomes], np.float32),
            next_observation=self._rows(np.array([it.state for it in outcomes])),
        )

    def _rows(self, states: np.ndarray) -> np.ndarray:
        rows = np.zeros((len(states), self._states), np.float32)
        rows[np.arange(len(states)), states] = 1.0
        return rows

    def state(self) -> State:
        """The table as columns, one row for each outcome."""
        rows = [(pair, it) for pair in self.pairs for it in self._outcomes[pair]]
        return {
            "pair": np.array([pair for pair, _ in rows], np.int64),
            "next": np.array([it.state for _, it in rows], np.int64),
            "terminated": np.array([it.terminated for _, it in rows], np.bool_),
            "count": np.array([it.count for _, it in rows], np.int64),
            "reward": np.array([it.reward for _, it in rows], np.float64),
            "before": self._before_columns(),
        }

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        self._outcomes = {}
        names = ("next", "terminated", "count", "reward")
        columns = [np.asarray(state[name]).tolist() for name in names]
        pairs = np.asarray(state["pair"]).tolist()
        for pair, *outcome in zip(pairs, *columns, strict=True):
            self._outcomes.setdefault(pair, []).append(Outcome(*outcome))
        self.pairs, self._before = list(self._outcomes), {}
        for then, pair in np.asarray(state["before"]).tolist():
            self._before.setdefault(then, {})[pair] = None

    def _before_columns(self) -> np.ndarray:
        """States and the pairs that lead there, in their order, int64 [n, 2]."""
        known = sorted(self._before.items())
        rows = [(then, pair) for then, pairs in known for pair in pairs]
        return np.array(rows, np.int64).reshape(-1, 2)


def _draw(outcomes: list[Outcome], place: float) -> Outcome:
    """The outcome at this place, 0 to 1, of all that were counted."""
    left = place * sum(it.count for it in outcomes)
    for it in outcomes:
        left -= it.count
        if left < 0:
            return it
    return outcomes[-1]
