"""An environment with its frame stack, whose failures come as one sentence."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

from engine.contract.messages import Problem
from engine.contract.options import EnvironmentOptions
from engine.environments import FrameStacker, make
from engine.environments.restoring import chance_state, draw_anew, shows_chance
from engine.environments.snapshots import Snapshot

Result = TypeVar("Result")
_log = logging.getLogger(__name__)

LIMIT_WHERE_NONE = 10_000
"""Steps after which episodes of an environment without a time limit are cut."""


class WorldProblem(ValueError):
    """The environment raised, or returned what is no number.

    Attributes:
      problem: What the window shows.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence())
        self.problem = problem


class Outcome(NamedTuple):
    """What one step brought; ``reward`` is the environment's own, never clipped."""

    observation: np.ndarray
    reward: float
    terminated: bool
    truncated: bool


class Standing(NamedTuple):
    """Where a world stands, to be put back into another one.

    Attributes:
      frames: The observations of its stack.
    """

    inside: Snapshot
    frames: tuple[np.ndarray, ...]
    steps: int


class World:
    """One environment of the stage's own.

    Attributes:
      card: What it offers.
      frame_rate: Frames per second at normal speed.
      single: The newest observation without its stack.
    """

    def __init__(self, options: EnvironmentOptions, *, render: bool = False) -> None:
        self._environment = make(options, render=render)
        self._stack = FrameStacker(options.frame_stack)
        self.card = self._environment.card
        self.frame_rate = self._environment.frame_rate
        self.single = np.zeros(0)
        self._limit = 0 if self.card.max_episode_steps else LIMIT_WHERE_NONE
        self._steps = 0
        self._begun = False

    def reset(self, seed: int) -> np.ndarray:
        """Begin the episode of this seed; the observation as the agent sees it."""
        self.single = self._guarded("reset", lambda: self._environment.reset(seed))
        self._check("reset", self.single)
        self._steps, self._begun = 0, True
        return self._stack.reset(self.single)

    def step(self, action: int) -> Outcome:
        """Act once.

        Raises:
          WorldProblem: If the environment fails.
        """
        self.single, _, terminated, truncated, reward = self._guarded(
            "step", lambda: self._environment.step(action)
        )
        self._check("step", self.single, reward)
        self._steps += 1
        if self._limit and self._steps >= self._limit and not terminated:
            truncated = True
        return Outcome(self._stack.push(self.single), reward, terminated, truncated)

    @property
    def life_lost(self) -> bool:
        """Whether the newest step ended the return; see ``LabEnvironment``."""
        return self._environment.life_lost

    @property
    def chance(self) -> object:
        """What tells the random numbers to come; None where it is not known."""
        return chance_state(self._environment)

    @property
    def shows_chance(self) -> bool:
        """Whether that is all of its chance; see ``restoring.shows_chance``."""
        return shows_chance(self._environment)

    def draw_anew(self, number: int) -> bool:
        """Let chance go another way from here on; see ``restoring.draw_anew``."""
        return draw_anew(self._environment, number)

    @property
    def has_snapshots(self) -> bool:
        """Whether :meth:`standing` can be asked."""
        return self._environment.has_snapshots

    def standing(self) -> Standing:
        """All that it is now, where it ``has_snapshots``."""
        inside = self._environment.snapshot()
        return Standing(inside, self._stack.frames, self._steps)

    def put_back(self, standing: Standing) -> np.ndarray:
        """Stand where another one stood; the observation as the agent sees it."""
        if not self._begun:
            self.reset(standing.inside.seed)
        self._environment.put_back(standing.inside)
        self.single, self._steps = standing.frames[-1], standing.steps
        return self._stack.put_back(standing.frames)

    def render(self) -> np.ndarray:
        """The present state as a picture, uint8 [H, W, 3]."""
        return self._guarded("render", self._environment.render)

    def close(self) -> None:
        """Let go of what the environment holds."""
        try:
            self._environment.close()
        except Exception as error:
            # Other people's code again; nothing depends on how it ends.
            _log.info("%s failed in close(): %r", self.card.id, error)

    def _guarded(self, name: str, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except Exception as error:
            # Environments are other people's code: whatever it raises is told in
            # a sentence, and the stage lives on.
            lines = traceback.format_exception(error)
            raise WorldProblem(
                Problem(
                    id="stage.environment.failed",
                    what=f"The environment '{self.card.id}' failed in {name}(): "
                    f"{type(error).__name__}: {error}.",
                    fix="Choose another environment or mend it, then press Train.",
                    details="".join(lines)[-4000:],
                )
            ) from error

    def _check(self, name: str, observation: np.ndarray, reward: float = 0.0) -> None:
        whole = observation.dtype.kind in "iub" or np.isfinite(observation).all()
        if whole and math.isfinite(reward):
            return
        what = "a reward" if np.isfinite(observation).all() else "an observation"
        raise WorldProblem(
            Problem(
                id="stage.environment.failed",
                what=f"The environment '{self.card.id}' returned {what} from "
                f"{name}() that is no finite number.",
                fix="Choose another environment or mend it, then press Train.",
                details=f"observation: {observation!r}\nreward: {reward!r}"[:4000],
            )
        )
