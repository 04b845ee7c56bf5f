"""The environment as the lab's loops see it."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.contract.foreign_call import MAKE, NOTE, RENDER, RESET, STEP
from engine.contract.options import EnvironmentOptions
from engine.environments.cards import describe
from engine.environments.holding import Answer, HeldActions, read_answer
from engine.environments.making import open_world, time_limit
from engine.environments.observations import (
    Unsuitable,
    check_shape,
    observation_form,
)
from engine.environments.pictures import enlarged, plain_picture, planes_picture
from engine.environments.snapshots import (
    Snapshot,
    has_snapshots,
    picture,
    put_back,
    taken,
)

_log = logging.getLogger(__name__)

Step = tuple[np.ndarray, float, bool, bool, float]
"""What :meth:`LabEnvironment.step` returns."""


class UnsuitableEnvironment(ValueError):
    """No agent of the lab can learn here; the sentence says why and what helps."""


class ReplayMismatch(ValueError):
    """An episode that is played again does not go the way it was recorded."""


class EnvironmentEnded(RuntimeError):
    """An environment asked for the end of the program."""


class LabEnvironment:
    """One environment, prepared: single observations of fixed type and shape.

    An episode is determined by its seed and its actions alone: nothing is carried
    over from the episode before, so it can be played again at any time.

    Attributes:
      card: What it offers; its shape counts the frame stack, observations here
        are single frames.
      frame_shape, frame_dtype: Of one observation.
      frame_rate: Frames per second at normal speed.
      renders: Whether it was made to draw.
      life_lost: The newest step cost a life, and ``environment.life_loss_ends`` has
        the return end with it for learning; never at the end of the episode.
    """

    def __init__(self, options: EnvironmentOptions, *, render: bool = False) -> None:
        self.card: EnvironmentCard = describe(options)
        if not self.card.suits:
            advice = self.card.install and f" Install it with: {self.card.install}"
            raise UnsuitableEnvironment(self.card.reason + advice)
        NOTE.episode(options.id, 0)
        NOTE.enter(MAKE)
        try:
            self._env = open_world(options, render=render)
        except Unsuitable as problem:
            raise UnsuitableEnvironment(f"{options.id}: {problem}") from problem
        finally:
            NOTE.leave()
        self.renders = render
        self._draws_itself = render and self._env.render_mode == "rgb_array"
        form = observation_form(self._env.observation_space, options)
        self._encode = form.encode
        self.frame_shape, self.frame_dtype = form.shape, form.dtype
        self.frame_rate = self.card.frame_rate
        self._held = HeldActions(self._env, options)
        self._limit = time_limit(options)
        self._clips, self._counts_lives = options.clip_rewards, options.life_loss_ends
        self.life_lost = False
        self._picture: np.ndarray | None = None
        self._seed = self._steps = self._lives = 0
        self._latest = np.zeros(self.frame_shape, self.frame_dtype)

    @property
    def unwrapped(self) -> Any:
        """Gymnasium's environment itself, for what only one world offers."""
        return self._env.unwrapped

    @property
    def steps(self) -> int:
        """Of the running episode, with the one that is under way or has failed."""
        return self._steps

    def reset(self, seed: int) -> np.ndarray:
        """Begin the episode of this seed; its first observation.

        Raises:
          Unusable: If it returns what cannot be one.
        """
        self._seed, self._steps, self.life_lost = seed, 0, False
        NOTE.episode(self.card.id, seed)
        NOTE.enter(RESET)
        try:
            observation, self._lives = self._held.reset(seed)
        except SystemExit as error:
            raise _ended(error) from error
        finally:
            NOTE.leave()
        return self._taken_over(observation)

    def step(self, action: int) -> Step:
        """Act once.

        Returns:
          Observation, reward to learn from (its sign, if so asked), terminated,
          truncated (by the time limit, never together with terminated), and the
          reward as the environment gave it.

        Raises:
          Unusable: If it returns something else.
        """
        self._steps += 1
        NOTE.enter(STEP, self._steps)
        try:
            answer = self._held.step(int(action))
        except SystemExit as error:
            raise _ended(error) from error
        finally:
            NOTE.leave()
        return self._judged(answer)

    def accept(self, answer: Any) -> Step:
        """What :meth:`step` returns, of a step that was made for this one elsewhere.

        Args:
          answer: What gymnasium's ``step`` would have returned.

        Raises:
          Unusable: If it returns something else.
        """
        self._steps += 1
        return self._judged(read_answer(answer))

    def _judged(self, answer: Answer) -> Step:
        observation, raw_reward, ended, truncated, lives = answer
        reward = float(np.sign(raw_reward)) if self._clips else raw_reward
        if self._limit and self._steps >= self._limit:
            truncated = True
        if self._counts_lives:
            self.life_lost = lives < self._lives and not (ended or truncated)
            self._lives = lives
        encoded = self._taken_over(observation)
        return encoded, reward, ended, truncated and not ended, raw_reward

    @property
    def has_snapshots(self) -> bool:
        """Whether all that it is at a step can be copied, and put back later."""
        return has_snapshots(self._env.unwrapped)

    def snapshot(self) -> Snapshot:
        """All that it is now; only where it ``has_snapshots``."""
        world = self._env.unwrapped
        episode = self._seed, self._steps, self._latest, self._lives
        return Snapshot(taken(world), *episode, picture(world))

    def put_back(self, snapshot: Snapshot) -> None:
        """Be what another one of the same options was; it has been reset before."""
        put_back(self._env.unwrapped, snapshot.parts)
        self._seed, self._steps = snapshot.seed, snapshot.steps
        self._latest, self._lives = snapshot.latest, snapshot.lives
        self._picture = snapshot.picture
        NOTE.episode(self.card.id, self._seed)

    def _taken_over(self, observation: Any) -> np.ndarray:
        """A copy, encoded: what the environment changes later does not matter."""
        encoded = self._encode(observation)
        check_shape(encoded, self.frame_shape)
        self._latest, self._picture = encoded, None
        return encoded

    def render(self) -> np.ndarray:
        """The present state as a picture, uint8 [H, W, 3].

        Raises:
          RuntimeError: If the environment was not made with ``render=True``.
        """
        if not self.renders:
            raise RuntimeError("make(options, render=True) makes one that draws")
        if self._picture is not None:
            return enlarged(self._picture)
        if self._draws_itself:
            NOTE.enter(RENDER, self._steps)
            try:
                frame: Any = self._env.render()
            except SystemExit as error:
                raise _ended(error) from error
            finally:
                NOTE.leave()
            return enlarged(np.asarray(frame, np.uint8)[:, :, :3])
        if self.card.id.startswith("MinAtar/"):
            return planes_picture(self._latest)
        return plain_picture(self.card.id, self._latest)

    def close(self) -> None:
        """Let go of what the environment holds."""
        try:
            self._env.close()
        except Exception as error:
            # Other people's code; nothing depends on how it ends.
            _log.info("%s failed in close(): %r", self.card.id, error)


def _ended(error: SystemExit) -> EnvironmentEnded:
    return EnvironmentEnded(f"it asked for the end of the program ({error.code})")


def make(options: EnvironmentOptions, *, render: bool = False) -> LabEnvironment:
    """An environment, ready for ``reset``.

    Raises:
      UnknownEnvironment: If there is none of this name.
      UnsuitableEnvironment: If no agent of the lab can learn in it.
    """
    return LabEnvironment(options, render=render)


def observation_crc(observation: np.ndarray) -> int:
    """Fingerprint of a single observation, by which a replay is verified."""
    return zlib.crc32(np.ascontiguousarray(observation).data)


def observation_crcs(observations: np.ndarray) -> list[int]:
    """The same of each of many, [n, ...]."""
    return [zlib.crc32(it.tobytes()) for it in observations]


def replay_episode(
    options: EnvironmentOptions,
    seed: int,
    actions: Sequence[int] | np.ndarray,
    *,
    expected: Sequence[int] | np.ndarray | None = None,
) -> Iterator[tuple[int, np.ndarray]]:
    """Play a recorded episode again: yields (t, observation) for t = 0 to T.

    Each observation is compared with ``expected``, the ``observation_crc`` of each
    as it was recorded, where that is given.

    Raises:
      ReplayMismatch: At the first step that differs from the recording.
    """
    environment = make(options)
    try:
        yield from play_again(environment, seed, actions, expected=expected)
    finally:
        environment.close()


def play_again(
    environment: LabEnvironment,
    seed: int,
    actions: Sequence[int] | np.ndarray,
    *,
    expected: Sequence[int] | np.ndarray | None = None,
) -> Iterator[tuple[int, np.ndarray]]:
    """:func:`replay_episode` in an environment that is there already.

    Between two items the environment may be asked to render.
    """
    observation = environment.reset(seed)
    for t in range(len(actions) + 1):
        if t:
            observation = environment.step(int(actions[t - 1]))[0]
        if expected is not None and observation_crc(observation) != int(expected[t]):
            raise ReplayMismatch(
                f"{environment.card.id} does not go the way it was recorded: step "
                f"{t} of the episode with seed {seed} differs."
            )
        yield t, observation
