"""Worlds whose values are known in closed form, and worlds that misbehave."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces


class Corridor(gymnasium.Env[int, int]):
    """Cells in a row; reward 1 for stepping off the right end, which terminates.

    An episode starts anywhere. V(cell) = γ^(steps to the end - 1).
    """

    def __init__(self, length: int = 5) -> None:
        self.observation_space = spaces.Discrete(length)
        self.action_space = spaces.Discrete(2)
        self._length, self._cell = length, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._cell = int(self.np_random.integers(self._length))
        return self._cell, {}

    def step(self, action: int) -> Any:
        self._cell = max(0, self._cell + (1 if action == 1 else -1))
        if self._cell == self._length:
            return self._cell - 1, 1.0, True, False, {}
        return self._cell, 0.0, False, False, {}


class Ring(gymnasium.Env[int, int]):
    """Four cells in a ring and a reward of 1 for ever; cut off after eight steps.

    Args:
      honest: False reports the time limit as a termination, which is wrong.
    """

    def __init__(self, honest: bool = True) -> None:
        self.observation_space = spaces.Discrete(4)
        self.action_space = spaces.Discrete(2)
        self._honest, self._cell, self._steps = honest, 0, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._cell, self._steps = 0, 0
        return 0, {}

    def step(self, action: int) -> Any:
        self._cell, self._steps = (self._cell + 1) % 4, self._steps + 1
        over = self._steps == 8
        return self._cell, 1.0, over and not self._honest, over and self._honest, {}


class RandomMap(gymnasium.Env[int, int]):
    """A fixed random map: each action of each state leads somewhere for something."""

    STATES, ACTIONS = 6, 3

    def __init__(self) -> None:
        self.observation_space = spaces.Discrete(self.STATES)
        self.action_space = spaces.Discrete(self.ACTIONS)
        rng = np.random.default_rng(7)
        shape = (self.STATES, self.ACTIONS)
        self.next_state = rng.integers(0, self.STATES, shape)
        self.reward = rng.normal(size=shape).round(2)
        self.ends = rng.random(shape) < 0.15
        self._state = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self._state = int(self.np_random.integers(self.STATES))
        return self._state, {}

    def step(self, action: int) -> Any:
        at = (self._state, int(action))
        self._state = int(self.next_state[at])
        return self._state, float(self.reward[at]), bool(self.ends[at]), False, {}

    def solve(self, discount: float) -> np.ndarray:
        """Q by value iteration, float64 [states, actions]."""
        q = np.zeros(self.reward.shape)
        for _ in range(2000):
            value = q.max(1)[self.next_state]
            q = self.reward + discount * np.where(self.ends, 0.0, value)
        return q


class Misbehaving(gymnasium.Env[np.ndarray, int]):
    """Does one thing wrong at its twelfth step (or at reset, or always)."""

    def __init__(self, fault: str = "none") -> None:
        self.observation_space = spaces.Box(-1e3, 1e3, (2,), np.float32)
        self.action_space = spaces.Discrete(2)
        self._fault, self._steps = fault, 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        if self._fault == "reset":
            raise OSError("the simulator is gone")
        self._steps = 0
        return self._observation(), {}

    def step(self, action: int) -> Any:
        self._steps += 1
        reward, observation = 1.0, self._observation()
        if self._steps == 12:
            reward, observation = self._wrong(observation)
        return observation, reward, self._steps == 20, False, {}

    def _observation(self) -> np.ndarray:
        noise = self.np_random.random()
        if self._fault == "forgetful":
            # An outside source of chance, as an unseeded simulator has.
            noise = np.random.default_rng().random()
        return np.array([self._steps, noise], np.float32)

    def _wrong(self, observation: np.ndarray) -> tuple[float, np.ndarray]:
        faults: dict[str, tuple[float, np.ndarray]] = {
            "reward nan": (math.nan, observation),
            "reward inf": (math.inf, observation),
            "observation nan": (1.0, np.array([math.nan, 0.0], np.float32)),
            "observation inf": (1.0, np.array([0.0, -math.inf], np.float32)),
            "observation shape": (1.0, np.zeros(3, np.float32)),
            "observation huge": (1.0, np.full(2, 3e38, np.float32)),
        }
        if self._fault == "step":
            raise ZeroDivisionError("division by zero")
        return faults.get(self._fault, (1.0, observation))


def register() -> None:
    """Make these worlds known to gymnasium under ``RLLabTest/``."""
    for world in (Corridor, Ring, RandomMap, Misbehaving):
        id = f"RLLabTest/{world.__name__}-v0"
        if id not in gymnasium.registry:
            gymnasium.register(id, entry_point=world)
