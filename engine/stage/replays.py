"""Recorded episodes played again: verified at each step, and drawn."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Generator, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.contract.options import EnvironmentOptions
from engine.environments import ReplayMismatch, observation_crc
from engine.stage.cache import ByteCache
from engine.stage.world import World

FRAME_BYTES = 96 * 2**20
"""For compressed frames; a 500-step CartPole episode takes about 3 MB."""

OPEN_REPLAYS = 2

WARM_UP = 8
"""Pictures drawn and thrown away before the first that is wanted: some worlds
(LunarLander's sparks) draw what has faded only while they are drawn."""

Compressed = tuple[bytes, tuple[int, ...]]


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
    """

    def __init__(
        self,
        options: EnvironmentOptions,
        record: Mapping[str, Any],
        *,
        render: bool = False,
    ) -> None:
        self.world = World(options, render=render)
        self.expected = Expected(record)
        self.last = len(record["actions"])
        self._seed, self._actions = int(record["seed"]), record["actions"]
        self._anew_at, self._anew = record.get("drawn_anew", (-1, 0))
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
        return self.t

    def rewind(self) -> None:
        """The next step is the first."""
        self.t = -1

    def close(self) -> None:
        """Let go of the environment."""
        self.world.close()


class FilmLibrary:
    """Frames of recorded episodes, drawn when they are wanted and then kept."""

    def __init__(self) -> None:
        self._frames: ByteCache[Compressed] = ByteCache(FRAME_BYTES)
        self._open: OrderedDict[Hashable, Replay] = OrderedDict()

    def frames_job(
        self,
        key: Hashable,
        options: EnvironmentOptions,
        record: Mapping[str, Any],
        steps: Sequence[int],
    ) -> Generator[None, None, list[np.ndarray]]:
        """Frames of these steps, drawn in slices of one step.

        Args:
          key: Names the episode in the cache.
          options: The environment it was recorded in.
          record: Its seed, actions and fingerprints.
          steps: Ascending.

        Raises:
          ReplayMismatch: If the environment goes another way.
          WorldProblem: If it fails.
        """
        found: dict[int, np.ndarray] = {}
        for t in steps:
            kept = self._frames.get((key, t))
            if kept is not None:
                found[t] = _expanded(kept)
        missing = [t for t in steps if t not in found]
        if missing:
            replay = self._replay(key, options, record, missing[0])
            try:
                yield from self._draw(replay, key, missing, found)
            except Exception:
                # Whatever it was is raised again; a replay that stopped half way is
                # not gone on with.
                self._drop(key)
                raise
        return [found[t] for t in steps]

    def close(self) -> None:
        """Let go of all environments and frames."""
        for key in list(self._open):
            self._drop(key)
        self._frames.clear()

    def _draw(
        self,
        replay: Replay,
        key: Hashable,
        missing: list[int],
        found: dict[int, np.ndarray],
    ) -> Generator[None, None, None]:
        wanted = set(missing)
        ahead = iter(missing)
        coming = next(ahead)
        while replay.t < missing[-1]:
            t = replay.go_on()
            if t >= coming - WARM_UP:
                frame = replay.world.render()
                if t in wanted:
                    found[t] = frame
                    packed = _compressed(frame)
                    self._frames.put((key, t), packed, len(packed[0]))
                    coming = next(ahead, t)
            yield

    def _replay(
        self,
        key: Hashable,
        options: EnvironmentOptions,
        record: Mapping[str, Any],
        first: int,
    ) -> Replay:
        """An open replay that stands before the first missing step."""
        replay = self._open.pop(key, None)
        if replay is None:
            replay = Replay(options, record, render=True)
        if replay.t >= first:
            replay.rewind()
        self._open[key] = replay
        while len(self._open) > OPEN_REPLAYS:
            self._drop(next(iter(self._open)))
        return replay

    def _drop(self, key: Hashable) -> None:
        replay = self._open.pop(key, None)
        if replay is not None:
            replay.close()


def _compressed(frame: np.ndarray) -> Compressed:
    return zlib.compress(frame.tobytes(), 1), frame.shape


def _expanded(kept: Compressed) -> np.ndarray:
    return np.frombuffer(zlib.decompress(kept[0]), np.uint8).reshape(kept[1])
