"""Worlds that do one thing wrong, once, in the process that they are told.

Imported by the engine's processes (RLLAB_IMPORT). MARK_FOLDER is where a world leaves
the moment of its deed, and the process that it has started.
"""

from __future__ import annotations

import ctypes
import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

ID = "RLLabFault/Misbehaving-v0"
MARK_FOLDER = "RLLAB_FAULT_MARKS"
AT = 700
"""Step of this process, counted over all episodes."""


def mark(name: str, text: str = "") -> None:
    """Leave a note, with the time."""
    folder = os.environ.get(MARK_FOLDER)
    if folder:
        (Path(folder) / name).write_text(text or repr(time.monotonic()))


class Misbehaving(gymnasium.Env[np.ndarray, int]):
    """A walk of 20 steps; ``deed`` names a method of this class."""

    metadata = {"render_modes": []}  # noqa: RUF012 - as gymnasium declares it
    taken = 0

    def __init__(
        self, deed: str = "none", process: str = "trainer", at: int = AT
    ) -> None:
        self.observation_space = spaces.Box(-30, 30, (2,), np.float32)
        self.action_space = spaces.Discrete(2)
        own = any(it in sys.argv[0] for it in (f"{process}_process", "spare_process"))
        self._deed = deed if own or process == "any" else "none"
        self._at, self._steps, self._reset_due = at, 0, False
        self._row = np.zeros(2, np.float32)
        if self._deed == "hang_when_made" and Misbehaving.taken == 0:
            Misbehaving.taken = 1
            mark("deed")
            time.sleep(3600)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        if self._reset_due:
            self._reset_due = False
            mark("deed")
            if self._deed == "hang_in_reset":
                time.sleep(3600)
            if self._deed == "raise_in_reset":
                raise OSError("the simulator is gone")
        self._steps = 0
        return self._observation(), {}

    def step(self, action: int) -> Any:
        Misbehaving.taken += 1
        self._steps += 1
        answer = (self._observation(), 1.0, self._steps == 20, False, {})
        deed = getattr(self, self._deed, None) or self._number_deed()
        if Misbehaving.taken < self._at or deed is None:
            self._reset_due |= Misbehaving.taken >= self._at
            return answer
        if Misbehaving.taken == self._at:
            mark("deed")
        return deed(*answer)

    def _observation(self) -> np.ndarray:
        return np.array([self._steps, self.np_random.random()], np.float32)

    def _number_deed(self) -> Any:
        """``observation nan``, ``reward -inf``, ...; None for other names."""
        what, _, value = self._deed.partition(" ")
        if what == "observation":
            row = np.array([0.0, float(value)], np.float32)
            return lambda _, *others: (row, *others)
        if what == "reward":
            return lambda seen, _, *others: (seen, float(value), *others)
        return None

    # ------------------------------------------------------------------- deeds

    def sys_exit(self, *answer: Any) -> Any:
        sys.exit("I have had enough")

    def os_exit(self, *answer: Any) -> Any:
        os._exit(7)

    def segfault(self, *answer: Any) -> Any:
        ctypes.string_at(0)

    def killed(self, *answer: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    def hang_in_step(self, *answer: Any) -> Any:
        time.sleep(3600)

    def raise_in_step(self, *answer: Any) -> Any:
        raise ZeroDivisionError("division by zero")

    def wrong_shape(self, observation: Any, *others: Any) -> Any:
        return np.zeros(3, np.float32), *others

    def wrong_type(self, observation: Any, *others: Any) -> Any:
        return np.array(["left", "right"]), *others

    def nan_observation(self, observation: Any, *others: Any) -> Any:
        return np.array([math.nan, 0.0], np.float32), *others

    def inf_reward(self, observation: Any, reward: float, *others: Any) -> Any:
        return observation, math.inf, *others

    def reward_of_many(self, observation: Any, reward: float, *others: Any) -> Any:
        return observation, np.ones(3), *others

    def four_values(self, observation: Any, reward: float, *others: Any) -> Any:
        return observation, reward, bool(others[0]), {}

    def forks(self, *answer: Any) -> Any:
        if Misbehaving.taken == self._at:
            child = os.fork()
            if child == 0:
                os.setsid()
                time.sleep(3600)
            mark("child", str(child))
        return answer

    def forks_and_comes_back_twice(self, *answer: Any) -> Any:
        if Misbehaving.taken == self._at:
            child = os.fork()
            if child:
                mark("child", str(child))
        return answer

    def prints(self, *answer: Any) -> Any:
        if Misbehaving.taken < self._at + 40:
            sys.stdout.write("a line that nobody has asked for\n" * 10_000)
            sys.stderr.flush()
        return answer

    def sleeps(self, *answer: Any) -> Any:
        time.sleep(0.2)
        return answer

    def changes_its_actions(self, *answer: Any) -> Any:
        self.action_space = spaces.Discrete(7)
        self.observation_space = spaces.Box(0, 1, (9,), np.float32)
        return answer

    def changes_what_it_returned(self, *answer: Any) -> Any:
        self._row[:] = answer[0]
        before, self._row = self._row, self._row
        before[:] = math.nan
        self._row[:] = answer[0]
        return self._row, *answer[1:]


if ID not in gymnasium.registry:
    gymnasium.register(ID, entry_point=Misbehaving)
