"""One environment of the loop, with the episode that runs in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.contract.account import ENVIRONMENT, RECORDING, UNWATCHED, Watch
from engine.contract.arrays import State
from engine.contract.costs import LARGEST_FILM, LARGEST_OBSERVATION
from engine.contract.options import Configuration
from engine.environments import (
    FrameStacker,
    SteppedEnvironment,
    Unusable,
    make,
    observation_crc,
)
from engine.training.problems import (
    environment_failed,
    not_restored,
    not_usable,
    wrong_observation,
    wrong_reward,
)

LastValues = Callable[[np.ndarray], np.ndarray]
"""Q-values [A] of the observation in which an episode has ended."""


class Lane:
    """Steps one environment and keeps what a record of its episode needs.

    Attributes:
      frame: The newest single observation.
      observation: The newest one as the agent sees it, frame stack included.
      episode, seed, step0: Number and seed of the running episode, and the training
        step at which it began.
      length, episode_return: Of the running episode so far; rewards as given.
      film_bytes: What the pictures of the running episode take, kept or not.
    """

    def __init__(self, configuration: Configuration, index: int) -> None:
        level = configuration.recording.level
        self.index = index
        self._id = configuration.environment.id
        self._records = level != "scalars"
        self._films = level == "everything"
        self._environment: SteppedEnvironment = make(
            configuration.environment, render=self._films
        )
        self._stacker = FrameStacker(configuration.environment.frame_stack)
        self._floats = self._environment.frame_dtype.startswith("float")
        shape, dtype = self._environment.frame_shape, self._environment.frame_dtype
        self.frame: np.ndarray = np.zeros(shape, dtype)
        self.observation: np.ndarray = self.frame
        self.episode = self.seed = self.step0 = 0
        self.episode_return = 0.0
        self.film_bytes = 0
        self._actions: list[int] = []
        self._rewards: list[float] = []
        self._explored: list[bool] = []
        self._lives_lost: list[bool] = []
        self._q: list[np.ndarray] = []
        self._crcs: list[int] = []
        self._observations: list[np.ndarray] = []
        self._frames: list[np.ndarray] = []

    @property
    def length(self) -> int:
        """Steps of the running episode so far."""
        return len(self._actions)

    @property
    def life_lost(self) -> bool:
        """Whether the newest step ended the return, though not the episode."""
        return self._environment.life_lost

    @property
    def _when(self) -> str:
        """Where in the running episode the call was that has just failed."""
        step = self._environment.steps
        at = f"at step {step}" if step else "at the beginning"
        return f"{at} of the episode with seed {self.seed}"

    def begin(self, episode: int, seed: int, step0: int) -> np.ndarray:
        """Start an episode; its first single observation.

        Raises:
          TrainingProblem: If the environment fails.
        """
        self.episode, self.seed, self.step0 = episode, seed, step0
        self.episode_return = 0.0
        self.film_bytes = 0
        lists: list[list[Any]] = [
            self._actions,
            self._rewards,
            self._explored,
            self._lives_lost,
            self._q,
            self._crcs,
            self._observations,
            self._frames,
        ]
        for it in lists:
            it.clear()
        try:
            frame = self._environment.reset(seed)
        except Unusable as error:
            raise not_usable(self._id, self._when, error) from error
        except Exception as error:
            raise environment_failed(self._id, "reset", self._when, error) from error
        self.observation = self._stacker.reset(self._checked(frame))
        return frame

    def step(
        self, action: int, explored: bool, q: np.ndarray, watch: Watch = UNWATCHED
    ) -> tuple[np.ndarray, float, bool, bool]:
        """Act once: single observation, reward to learn from, terminated, truncated.

        Raises:
          TrainingProblem: If the environment fails, or what it returns is of no use.
        """
        try:
            frame, reward, terminated, truncated, raw = self._environment.step(action)
        except Unusable as error:
            raise not_usable(self._id, self._when, error) from error
        except Exception as error:
            raise environment_failed(self._id, "step", self._when, error) from error
        watch.lap(ENVIRONMENT)
        if not math.isfinite(raw):
            raise wrong_reward(self._id, self._when, raw)
        self._actions.append(action)
        self.episode_return += raw
        if self._records:
            self._rewards.append(raw)
            self._explored.append(explored)
            self._lives_lost.append(self.life_lost)
            self._q.append(q)
        self.observation = self._stacker.push(self._checked(frame))
        watch.lap(RECORDING)
        return frame, reward, terminated, truncated

    def record(self, terminated: bool, values: LastValues) -> dict[str, Any] | None:
        """The finished episode as an EpisodeRecord; None where none is kept."""
        if not self._records:
            return None
        last_q = values(self.observation)
        ended = np.zeros(self.length, np.bool_)
        ended[-1] = True
        record = {
            "kind": "training",
            "episode": self.episode,
            "environment": self.index,
            "seed": self.seed,
            "step0": self.step0,
            "actions": np.array(self._actions, np.int64),
            "rewards": np.array(self._rewards, np.float64),
            "terminations": ended & terminated,
            "truncations": ended & (not terminated),
            "explored": np.array(self._explored, np.bool_),
            "q_values": np.array([*self._q, last_q], np.float32),
            "observation_crc": np.array(self._crcs, np.uint32),
        }
        if any(self._lives_lost):
            record["life_lost"] = np.array(self._lives_lost, np.bool_)
        if self._observations:
            record["observations"] = np.array(self._observations)
        if self._frames:
            record["frames"] = np.array(self._frames)
        return record

    def state(self) -> State:
        """The running episode as seed and actions, and what cannot be played again."""
        return {
            "episode": self.episode,
            "seed": self.seed,
            "step0": self.step0,
            "actions": np.array(self._actions, np.int64),
            "explored": np.array(self._explored, np.bool_),
            "q_values": np.array(self._q, np.float32),
            "observation": self.frame.copy(),
        }

    def restore(self, state: State) -> None:
        """Play the running episode again, up to where :meth:`state` was taken.

        Raises:
          TrainingProblem: If it does not lead to the same observation.
        """
        self.begin(int(state["episode"]), int(state["seed"]), int(state["step0"]))
        for t, action in enumerate(state["actions"]):
            explored = bool(self._records and state["explored"][t])
            q = state["q_values"][t] if self._records else self.frame
            _, _, terminated, truncated = self.step(int(action), explored, q)
            if terminated or truncated:
                break
        same = np.array_equal(self.frame, state["observation"], equal_nan=False)
        if self.length != len(state["actions"]) or not same:
            raise not_restored(
                self._id,
                f"'{self._id}' does not repeat itself: the same seed "
                f"({self.seed}) and actions led elsewhere.",
            )

    def move(self, environment: SteppedEnvironment) -> None:
        """Go on in another environment of the same kind, where this one is now.

        Raises:
          TrainingProblem: If playing the episode again there leads elsewhere.
        """
        state = self.state()
        self._environment.close()
        self._environment = environment
        self.restore(state)

    def close(self) -> None:
        """Let go of the environment."""
        self._environment.close()

    def _checked(self, frame: np.ndarray) -> np.ndarray:
        """Refuse an observation that must not be stored, keep a record of others."""
        if self._floats and np.count_nonzero(np.isfinite(frame)) < frame.size:
            raise wrong_observation(self._id, self._when)
        self.frame = frame
        if self._records:
            self._crcs.append(observation_crc(frame))
            if frame.nbytes <= LARGEST_OBSERVATION:
                self._observations.append(frame)
        if self._films:
            self._film()
        return frame

    def _film(self) -> None:
        """Keep a picture, while all of them fit into memory."""
        try:
            picture = self._environment.render()
        except Exception as error:
            raise environment_failed(self._id, "render", self._when, error) from error
        self.film_bytes += picture.nbytes
        if self.film_bytes > LARGEST_FILM:
            self._frames.clear()
        else:
            self._frames.append(picture)
