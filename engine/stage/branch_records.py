"""A branch as a recorded episode, so that every question can be asked about it.

Its record is that of the main line up to the step of the branch, and what followed
then. Its number is made from its content: the same branch always has the same one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from engine.contract.costs import LARGEST_OBSERVATION
from engine.contract.options import EnvironmentOptions
from engine.environments import ReplayMismatch, observation_crc
from engine.stage.branching import Line
from engine.stage.replays import Replay

BRANCH = "branch"
"""Kind of the record of a branch, beside ``training`` and ``evaluation``."""


def record_job(
    options: EnvironmentOptions,
    main: Mapping[str, Any],
    t: int,
    line: Line,
    judge_step: int,
) -> Generator[None, Any, dict[str, Any]]:
    """Play a branch again and write down what is seen.

    Args:
      options: The environment.
      main: Record of the episode that it leaves.
      t: Where it leaves it.
      line: All its actions, and the number of its random numbers.
      judge_step: Training step of the weights that went on.

    Raises:
      ReplayMismatch: If it ends before its last action, or the way to it differs.
      WorldProblem: If the environment fails.
    """
    script = dict(main)
    script.pop("observation_crc", None)
    script.pop("observations", None)
    prefix = np.asarray(main["actions"])[:t]
    script["actions"] = np.append(prefix, line.forced).astype(np.int64)
    if line.number:
        script["drawn_anew"] = (t, line.number)
    film = _Writer(main, t)
    yield from film.play(options, script)
    return _record(main, t, script, film, judge_step)


class _Writer:
    """Plays a script and keeps what is seen; the beginning has to be as recorded."""

    def __init__(self, main: Mapping[str, Any], t: int) -> None:
        self._main, self._t = main, t
        self.crc: list[int] = []
        self.observations: list[np.ndarray] = []
        self.rewards: list[float] = []
        self.lost: list[bool] = []
        self.ends = (False, False)
        self.verified = False

    def play(
        self, options: EnvironmentOptions, script: Mapping[str, Any]
    ) -> Generator[None, Any, None]:
        way = Replay(options, {**script, **_fingerprints(self._main, self._t)})
        self.verified = way.expected.known
        try:
            while way.t < self._t:
                if way.go_on():
                    self.lost.append(way.world.life_lost)
                self._see(way.world.single)
                yield
            self.rewards = list(self._main["rewards"][: self._t])
            for action in script["actions"][self._t :]:
                if any(self.ends):
                    raise ReplayMismatch("This branch ends earlier than it once did.")
                outcome = way.world.step(int(action))
                self._see(way.world.single)
                self.rewards.append(outcome.reward)
                self.lost.append(way.world.life_lost)
                self.ends = (outcome.terminated, outcome.truncated)
                yield
        finally:
            way.close()

    def _see(self, single: np.ndarray) -> None:
        self.crc.append(observation_crc(single))
        if single.nbytes <= LARGEST_OBSERVATION:
            self.observations.append(single)


def _fingerprints(main: Mapping[str, Any], t: int) -> dict[str, Any]:
    """What the beginning has to look like."""
    names = ("observation_crc", "observations")
    return {name: main[name] for name in names if main.get(name) is not None}


def _record(
    main: Mapping[str, Any],
    t: int,
    script: Mapping[str, Any],
    film: _Writer,
    judge_step: int,
) -> dict[str, Any]:
    length = len(script["actions"])
    ends = np.zeros((2, length), bool)
    ends[:, -1] = film.ends
    record: dict[str, Any] = {
        "kind": BRANCH,
        "seed": main["seed"],
        "step0": main["step0"],
        "judge_step": judge_step,
        "actions": script["actions"],
        "rewards": np.array(film.rewards, np.float64),
        "terminations": ends[0],
        "truncations": ends[1],
        "explored": np.append(main["explored"][:t], np.zeros(length - t, bool)),
        "explored_known": main.get("explored_known", True),
    }
    if any(film.lost):
        record["life_lost"] = np.array(film.lost, bool)
    if "drawn_anew" in script:
        record["drawn_anew"] = script["drawn_anew"]
    if film.verified:
        record["observation_crc"] = np.array(film.crc, np.uint32)
    if len(film.observations) == length + 1:
        record["observations"] = np.stack(film.observations)
    if main.get("q_values") is not None:
        record["q_values"] = _values(main["q_values"], t, length)
    record["episode"] = _number(record, t)
    return record


def _values(recorded: np.ndarray, t: int, length: int) -> np.ndarray:
    """Those of the way to the branch; of what follows none were recorded."""
    values = np.full((length + 1, recorded.shape[1]), np.nan, np.float32)
    values[: t + 1] = recorded[: t + 1]
    return values


def _number(record: Mapping[str, Any], t: int) -> int:
    """The same for the same branch, and for no other; 62 bits."""
    content: Sequence[Any] = (
        int(record["seed"]),
        int(record["step0"]),
        t,
        np.asarray(record["actions"], np.int64).tobytes(),
        [int(it) for it in record.get("drawn_anew", ())],
        int(record["judge_step"]),
    )
    digest = hashlib.sha256(msgspec.msgpack.encode(content)).digest()
    return int.from_bytes(digest[:8], "big") >> 2
