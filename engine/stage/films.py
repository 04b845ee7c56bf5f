"""Pictures of recorded episodes, drawn when they are wanted."""

from __future__ import annotations

import logging
import zlib
from collections import OrderedDict
from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import numpy as np

from engine.contract.options import EnvironmentOptions
from engine.environments import observation_crc
from engine.stage.cache import ByteCache
from engine.stage.identity import content_of
from engine.stage.jobs import Pace
from engine.stage.posing import Poser
from engine.stage.replays import MOST_STANDINGS, STRIDE, Replay, Standings, reach
from engine.stage.world import World

FRAME_BYTES = 96 * 2**20
"""For compressed frames; a 500-step LunarLander episode takes about 3 MB."""

STANDING_BYTES = 32 * 2**20
ONE_STANDING = 12_000
"""Bytes of one, roughly and at most: observations of such worlds are small."""

SURVEY = "survey"
"""Owner of the job that surveys the episode that is looked at."""
SURVEY_TURNS = 50
"""It takes no more than so many turns, of a millisecond or a step."""
SURVEY_AFTER_S = 0.03
"""What was asked for is painted first: drawing and playing share the cores."""

OPEN_REPLAYS = 4
IDLE_WORLDS = 3

Compressed = tuple[bytes, tuple[int, ...]]

_log = logging.getLogger(__name__)


class FilmLibrary:
    """Recorded episodes that are played again when something of them is wanted.

    Frames, standings and environments are kept, within bounds.

    Attributes:
      under_survey: Key of the episode whose survey goes on, or did last.
    """

    def __init__(self) -> None:
        self._frames: ByteCache[Compressed] = ByteCache(FRAME_BYTES)
        self._standings: ByteCache[Standings] = ByteCache(STANDING_BYTES)
        self._open: OrderedDict[
            tuple[Hashable, bool], tuple[EnvironmentOptions, Replay]
        ] = OrderedDict()
        self._idle: list[tuple[EnvironmentOptions, bool, World]] = []
        self._surveyed: set[Hashable] = set()
        self.under_survey: Hashable = None
        self._poser: Poser | None = None

    def frames_job(
        self,
        key: Hashable,
        options: EnvironmentOptions,
        record: Mapping[str, Any],
        steps: Sequence[int],
    ) -> Generator[None, None, list[np.ndarray]]:
        """Frames of these steps, drawn in slices.

        Args:
          key: Names the episode; recorded anew with other actions it is another.
          options: The environment it was recorded in.
          record: Its seed, actions and fingerprints.
          steps: Ascending.

        Raises:
          ReplayMismatch: If the environment goes another way.
          WorldProblem: If it fails.
        """
        found: dict[int, np.ndarray] = {}
        key = (key, content_of(record))
        for t in steps:
            kept = self._frames.get((key, t))
            if kept is not None:
                found[t] = _expanded(kept)
        missing = [t for t in steps if t not in found]
        if len(missing) == 1 and not self._is_known(key):
            seen = self._as_seen(options, record, missing[0])
            found |= {missing.pop(): seen} if seen is not None else {}
        if missing:
            with self._lent(key, options, record, render=True) as replay:
                for t in missing:
                    yield from reach(replay, t, to_draw=True)
                    found[t] = replay.world.render()
                    self._keep(replay, key, t, found[t])
                    yield  # to draw takes a millisecond, and a seek may have come
        return [found[t] for t in steps]

    def _is_known(self, key: Hashable) -> bool:
        """Whether something of the way through this episode is known."""
        return (key, True) in self._open or bool(self._standings.get(key))

    def _as_seen(
        self, options: EnvironmentOptions, record: Mapping[str, Any], t: int
    ) -> np.ndarray | None:
        """A picture at once, of the observation that was recorded at this step.

        None where it is another one than its fingerprint says, or does not hold all
        that is drawn: then the way to the step has to be played.
        """
        seen, crc = record.get("observations"), record.get("observation_crc")
        if seen is None or crc is None or record["seed"] < 0:
            return None
        if not self._draws_as_seen(options):
            return None
        assert self._poser is not None
        if observation_crc(seen[t]) != int(crc[t]):
            return None
        try:
            return self._poser.recorded_picture(seen[t])
        except Exception as error:
            # A stranger's numbers need not be a state: played again, the episode says
            # what is wrong with it.
            _log.info("step %d could not be drawn as it was seen: %r", t, error)
            return None

    def _draws_as_seen(self, options: EnvironmentOptions) -> bool:
        """Whether observations hold all that this environment draws."""
        if self._poser is None or self._poser.options != options:
            if self._poser is not None:
                self._poser.close()
            self._poser = Poser(options)
        return self._poser.is_sure

    def survey(
        self, key: Hashable, options: EnvironmentOptions, record: Mapping[str, Any]
    ) -> Generator[float | None, None, None] | None:
        """A job that finds out where an episode stands on its way, for later jumps.

        It raises what playing the episode again raises. None where that is of no use,
        or was tried before; a picture of the episode has been drawn just now.
        """
        name = (key, content_of(record))
        drawn = self._open.get((name, True))
        if drawn is not None:
            useful = drawn[1].world.has_snapshots
        else:
            useful = self._draws_as_seen(options)
        if name in self._surveyed or not useful:
            return None
        self.under_survey = key
        return self._survey(name, options, record)

    def _survey(
        self, name: Hashable, options: EnvironmentOptions, record: Mapping[str, Any]
    ) -> Generator[float | None, None, None]:
        yield SURVEY_AFTER_S
        self._surveyed.add(name)
        try:
            with self._lent(name, options, record, render=False) as replay:
                yield from _to_its_end(replay)
        except GeneratorExit:
            self._surveyed.discard(name)  # when somebody is back, the rest is
            raise

    def lent(
        self, key: Hashable, options: EnvironmentOptions, record: Mapping[str, Any]
    ) -> AbstractContextManager[Replay]:
        """A replay of this episode, which nobody else has meanwhile."""
        key = (key, content_of(record))
        return self._lent(key, options, record, render=False)

    @contextmanager
    def _lent(
        self,
        key: Hashable,
        options: EnvironmentOptions,
        record: Mapping[str, Any],
        *,
        render: bool,
    ) -> Iterator[Replay]:
        kept = self._open.pop((key, render), None)
        replay = kept[1] if kept else self._new(key, options, record, render)
        with ExitStack() as half_way:
            # A replay that stopped half way is not gone on with.
            half_way.callback(replay.close)
            try:
                yield replay
            except GeneratorExit:
                # Who asked wants no more of it: it stands well where it is.
                half_way.pop_all()
                self._give_back(key, options, render, replay)
                raise
            half_way.pop_all()
        self._give_back(key, options, render, replay)

    def _new(
        self,
        key: Hashable,
        options: EnvironmentOptions,
        record: Mapping[str, Any],
        render: bool,
    ) -> Replay:
        world, standings = self._world(options, render), self._standings_of(key, record)
        return Replay(options, record, world=world, standings=standings)

    def close(self) -> None:
        """Let go of all environments and frames."""
        while self._open:
            self._open.popitem()[1][1].close()
        while self._idle:
            self._idle.pop()[2].close()
        if self._poser is not None:
            self._poser.close()
            self._poser = None
        self._frames.clear()
        self._standings.clear()
        self._surveyed.clear()

    def _keep(self, replay: Replay, key: Hashable, t: int, frame: np.ndarray) -> None:
        """Where a step can be stood at again, to draw it is as quick as to unpack."""
        if not replay.world.has_snapshots:
            packed = _compressed(frame)
            self._frames.put((key, t), packed, len(packed[0]))

    def _standings_of(self, key: Hashable, record: Mapping[str, Any]) -> Standings:
        found = self._standings.get(key)
        if found is None:
            found = {}
            count = min(len(record["actions"]) // STRIDE, 2 * MOST_STANDINGS) + 1
            self._standings.put(key, found, count * ONE_STANDING)
        return found

    def _give_back(
        self, key: Hashable, options: EnvironmentOptions, render: bool, replay: Replay
    ) -> None:
        other = self._open.pop((key, render), None)
        self._open[key, render] = (options, replay)
        if other is not None:
            other[1].close()
        while len(self._open) > OPEN_REPLAYS:
            (_, renders), (made_with, oldest) = self._open.popitem(last=False)
            self._idle.append((made_with, renders, oldest.world))
        while len(self._idle) > IDLE_WORLDS:
            self._idle.pop(0)[2].close()

    def _world(self, options: EnvironmentOptions, render: bool) -> World:
        """One that nobody uses, or a new one: to make it takes milliseconds."""
        for row in self._idle:
            if row[:2] == (options, render):
                self._idle.remove(row)
                return row[2]
        return World(options, render=render)


def _to_its_end(replay: Replay) -> Generator[None, None, None]:
    """Play on from where it stands, if that is of use to others, for a while."""
    if not replay.world.has_snapshots:
        return
    replay.approach(replay.last)
    pace, turns = Pace(), 0
    while replay.t < replay.last and turns < SURVEY_TURNS:
        replay.go_on()
        if pace.due():
            turns += 1
            yield None


def _compressed(frame: np.ndarray) -> Compressed:
    return zlib.compress(frame.tobytes(), 1), frame.shape


def _expanded(kept: Compressed) -> np.ndarray:
    return np.frombuffer(zlib.decompress(kept[0]), np.uint8).reshape(kept[1])
