"""A person plays on from a step of a recorded episode; the network says its opinion."""

from __future__ import annotations

from collections.abc import Generator, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.stage.branching import Root
from engine.stage.episodes import Judge, Weights
from engine.stage.judging import Values, one_step_td_errors
from engine.stage.minds import Mind
from engine.stage.replays import WARM_UP, Replay

Said = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is judged with."""

    mind: Mind
    weights: Weights


class Hand:
    """An environment that stands at the root, and goes on as somebody says.

    Attributes:
      actions, rewards: Since the root.
      ended: Whether the episode is over: terminated, truncated.
      said: Of the present state, as ``Judge.values`` says it, [1, ...] each.
      td_error: Of the last action; NaN before the first.
    """

    def __init__(self, root: Root, opinion: Opinion) -> None:
        self._root, self._opinion = root, opinion
        self._replay = Replay(root.options, root.record, render=True)
        self.actions: list[int] = []
        self.rewards: list[float] = []
        self.ended = (False, False)
        self.said: Said = {}
        self.td_error = float("nan")

    def stand(self) -> Generator[None, Any, None]:
        """Go to the root, verified at each step; raises ``CannotReplay``."""
        root, mind = self._root, self._opinion.mind
        remembers = mind.recollection(1) is not None
        past: list[np.ndarray] = []
        while self._replay.t < root.t:
            t = self._replay.go_on()
            if root.t - WARM_UP <= t < root.t:
                self._replay.world.render()
            if remembers and t < root.t:
                past.append(self._replay.observation)
            yield
        before = np.asarray(root.record["actions"][: root.t], np.int64)
        start = 0 if remembers else root.t
        self._judge = Judge(mind, self._opinion.weights, before, start)
        if past:
            yield from self._judge.values(np.stack(past))
        self.observation = self._replay.observation
        self.said = yield from self._judge.values(self.observation[None])

    def act(self, action: int) -> Generator[None, Any, None]:
        """One step; raises ``WorldProblem``."""
        outcome = self._replay.world.step(action)
        self.observation = outcome.observation
        self.actions.append(action)
        self.rewards.append(outcome.reward)
        self.ended = (outcome.terminated, outcome.truncated)
        before = self.said
        self._judge.acted(action)
        self.said = yield from self._judge.values(self.observation[None])
        self.td_error = self._surprise(before, action, outcome.reward)

    def _surprise(self, before: Said, action: int, reward: float) -> float:
        both = {
            name: np.concatenate([before[name], self.said[name]]) for name in before
        }
        found = one_step_td_errors(
            self._opinion.mind.configuration,
            Values(both["q"], both["liking"]),
            Values(both["bootstrap"], both["bootstrap_liking"]),
            np.array([action], np.int64),
            np.array([reward]),
            np.array([self.ended[0] or self._replay.world.life_lost]),
            self._opinion.weights.step,
        )
        return float(found[0])

    def picture(self) -> np.ndarray:
        """The present state, uint8 [H, W, 3]."""
        return self._replay.world.render()

    def close(self) -> None:
        """Let go of the environment."""
        self._replay.close()


class HandShelf:
    """The hand that was played last, so that a key is one step and no replay."""

    def __init__(self) -> None:
        self._key: Hashable = None
        self._hand: Hand | None = None

    def take(self, key: Hashable, actions: list[int]) -> Hand | None:
        """The one whose actions these begin with; whoever takes it puts it back."""
        hand, self._hand = self._hand, None
        if hand is None:
            return None
        fits = hand.actions == actions[: len(hand.actions)]
        if key == self._key and fits:
            return hand
        hand.close()
        return None

    def put(self, key: Hashable, hand: Hand) -> None:
        """Keep it for the next key."""
        self.close()
        self._key, self._hand = key, hand

    def close(self) -> None:
        """Let go of it."""
        if self._hand is not None:
            self._hand.close()
        self._hand = None
