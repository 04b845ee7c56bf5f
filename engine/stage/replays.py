"""Recorded episodes played again, verified at each step."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import numpy as np

from engine.contract.options import EnvironmentOptions
from engine.environments import ReplayMismatch, observation_crc
from engine.stage.jobs import Pace
from engine.stage.world import Standing, World

STRIDE = 32
MOST_STANDINGS = 128
"""Every so many steps one is kept, in long episodes fewer."""

WARM_UP = 8
"""Pictures drawn and thrown away before the first that is wanted: some worlds
(LunarLander's sparks) draw what has faded only while they are drawn."""

Standings = dict[int, Standing]
"""Where an episode stood on the way, by step."""


class Expected:
    """What a recording says its observations were, step by step.

    Attributes:
      known: False where the recording says nothing that could be compared.
    """

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._crc = record.get("observation_crc")
        self._observations = record.get("observations")
        self.known = self._crc is not None or self._observations is not None

    def check(self, environment: str, t: int, observation: np.ndarray) -> None:
        """Compare the observation of step ``t``.

        Raises:
          ReplayMismatch: If it is another one.
        """
        if self._crc is not None:
            same = observation_crc(observation) == int(self._crc[t])
        elif self._observations is not None:
            same = np.array_equal(self._observations[t], observation)
        else:
            return
        if not same:
            raise ReplayMismatch(
                f"{environment} does not go the way it was recorded: step {t} "
                "differs, so the installed version is another one."
            )


class Replay:
    """One recorded episode in an environment of its own, standing at step ``t``.

    The record of a branch says in ``drawn_anew`` at which step chance was given
    which number; see ``World.draw_anew``.

    Args:
      options: The environment.
      record: Seed, actions and fingerprints.
      render: Whether it has to draw.
      world: One to play in, of these options; else it makes its own.
      standings: Where the episode stood, for others and for later; filled on the way.
    """

    def __init__(
        self,
        options: EnvironmentOptions,
        record: Mapping[str, Any],
        *,
        render: bool = False,
        world: World | None = None,
        standings: Standings | None = None,
    ) -> None:
        self.world = world or World(options, render=render)
        self.expected = Expected(record)
        self.last = len(record["actions"])
        self._seed, self._actions = int(record["seed"]), record["actions"]
        self._anew_at, self._anew = record.get("drawn_anew", (-1, 0))
        keeps = standings is not None and self.world.has_snapshots
        self._standings = standings if keeps else None
        self._stride = max(STRIDE, self.last // MOST_STANDINGS)
        self.t = -1
        self.observation = np.zeros(0)

    def go_on(self) -> int:
        """The next step, from the first after the last; returns its number.

        Raises:
          ReplayMismatch: If it is not the recorded one, or no seed is known.
        """
        if self._seed < 0:
            raise ReplayMismatch(
                "The recording names no seed, so the episode cannot be played again."
            )
        if self.t < 0 or self.t >= self.last:
            self.observation = self.world.reset(self._seed)
            self.t = 0
        else:
            action = int(self._actions[self.t])
            self.observation = self.world.step(action).observation
            self.t += 1
        self.expected.check(self.world.card.id, self.t, self.world.single)
        if self.t == self._anew_at:
            self.world.draw_anew(self._anew)
        if self._standings is not None and self.t % self._stride == 0:
            self._standings[self.t] = self.world.standing()
        return self.t

    def approach(self, t: int) -> None:
        """Stand as near before ``t`` as is known without playing, or at it.

        A world that draws what it is no function of is never at it already.
        """
        if self._standings is None:
            self.t = self.t if self.t < t else -1
            return
        near = max((it for it in self._standings if it <= t), default=-1)
        if near <= self.t <= t:
            return
        self.t = near
        if near >= 0:
            self.observation = self.world.put_back(self._standings[near])

    def close(self) -> None:
        """Let go of the environment."""
        self.world.close()


def reach(
    replay: Replay, t: int, *, to_draw: bool = False
) -> Generator[None, None, None]:
    """Go to a step of the episode, in slices."""
    replay.approach(t)
    warm_up = WARM_UP if to_draw and not replay.world.has_snapshots else 0
    pace = Pace()
    while replay.t < t:
        if t - warm_up <= replay.go_on() < t:
            replay.world.render()
        if pace.due():
            yield


def onwards(replay: Replay) -> Generator[np.ndarray, None, None]:
    """Observations from the present step to the last one, as the agent saw them."""
    yield replay.observation
    while replay.t < replay.last:
        replay.go_on()
        yield replay.observation
