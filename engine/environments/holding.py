"""Holding one action for several frames, and beginnings that differ.

As published for Atari games: Mnih et al. (2015), https://doi.org/10.1038/nature14236,
methods, "Preprocessing" and extended data table 1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.contract.options import EnvironmentOptions
from engine.contract.randomness import generator
from engine.environments.making import GymEnv
from engine.environments.observations import Unusable, describe_value

NO_OPS = 9
"""Purpose of the generator that draws beginnings (see ``contract.randomness``)."""
NO_OP = 0
"""The action that does nothing, where there is one: the first."""


class Answer(NamedTuple):
    """What an environment returned from one step, or from several in a row.

    Attributes:
      reward: The sum, as the environment gave it.
      lives: How many the player has left; 0 where the environment does not say.
    """

    observation: Any
    reward: float
    terminated: bool
    truncated: bool
    lives: int


class HeldActions:
    """Steps an environment by as many frames as the options say.

    Nothing is carried over from one episode into the next.
    """

    def __init__(self, env: GymEnv, options: EnvironmentOptions) -> None:
        self._env = env
        self._first_action = int(getattr(env.action_space, "start", 0))
        self._frames = max(1, options.frame_skip)
        self._brighter = options.frame_max and self._frames > 1
        self._no_ops = options.no_op_start

    def reset(self, seed: int) -> tuple[Any, int]:
        """Begin the episode of this seed: its first observation, and the lives.

        Raises:
          Unusable: If the environment returns something else.
        """
        observation, lives = self._begin(seed)
        if not self._no_ops:
            return observation, lives
        count = int(generator(seed, NO_OPS).integers(1, self._no_ops + 1))
        for _ in range(count):
            answer = self._frame(NO_OP)
            observation, lives = answer.observation, answer.lives
            if answer.terminated or answer.truncated:
                # The next one of the environment's own sequence, which the seed fixes.
                observation, lives = self._begin(None)
        return observation, lives

    def _begin(self, seed: int | None) -> tuple[Any, int]:
        answer: Any = self._env.reset(seed=seed)
        if not isinstance(answer, tuple) or len(answer) != 2:
            what = describe_value(answer)
            raise Unusable(f"Its reset() returned {what}, not observation and info.")
        return answer[0], _lives(answer[1])

    def step(self, action: int) -> Answer:
        """Hold an action to the last of its frames, or to the end of the episode.

        Raises:
          Unusable: If the environment returns something else.
        """
        if self._frames == 1:
            return read_answer(self._env.step(action + self._first_action))
        total, before = 0.0, None
        for _ in range(self._frames):
            latest = self._frame(action)
            total += latest.reward
            seen = latest.observation
            if self._brighter and before is not None:
                seen = _brighter(before, np.asarray(seen))
            if latest.terminated or latest.truncated:
                break
            if self._brighter:
                before = np.array(latest.observation)
        return latest._replace(observation=seen, reward=total)

    def _frame(self, action: int) -> Answer:
        return read_answer(self._env.step(action + self._first_action))


def _brighter(before: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The larger of both at each pixel; one of another form is left to be refused."""
    if (before.shape, before.dtype) != (seen.shape, seen.dtype):
        return seen
    larger: np.ndarray = np.maximum(before, seen)
    return larger


def _lives(info: Any) -> int:
    if not isinstance(info, dict) or not info:
        return 0
    found = info.get("lives", 0)
    return int(found) if isinstance(found, (int, np.integer)) else 0


def read_answer(answer: Any) -> Answer:
    """What gymnasium's ``step`` returned, if it is that.

    Raises:
      Unusable: If it is not.
    """
    try:
        observation, given, terminated, truncated, info = answer
    except (TypeError, ValueError) as error:
        raise Unusable(
            f"Its step() returned {describe_value(answer)}, not observation, reward, "
            "terminated, truncated and info."
        ) from error
    if not isinstance(given, (int, float, np.generic)) and np.ndim(given) > 0:
        what = describe_value(given)
        raise Unusable(f"Its reward is {what}; a reward is one number.")
    try:
        ends = bool(terminated), bool(truncated)
        return Answer(observation, float(given), *ends, _lives(info))
    except (TypeError, ValueError) as error:
        raise Unusable(
            f"It returned the reward {given!r:.40}, terminated {terminated!r:.40} and "
            f"truncated {truncated!r:.40}: a number and two truth values are needed."
        ) from error
