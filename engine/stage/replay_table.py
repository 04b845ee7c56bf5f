"""Everything that a replay memory held at a checkpoint, one row for each step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from engine.contract.options import Configuration
from engine.stage.remembered import Ring, chances, finished_episodes, rings_of

Arrays = Mapping[str, np.ndarray]


class Untold(ValueError):
    """The memory does not fit the table of episodes; the message is the sentence."""


class Standing(NamedTuple):
    """The steps that may be drawn, in the order of the slots.

    Attributes:
      environment: Which of the parallel environments, int64 [n].
      place: Counted through all that this environment ever wrote, int64 [n].
      episode, t: Which step of which training episode, int64 [n]; -1 for an episode
        that nobody knows.
      age: Slots that have been written since, int64 [n].
    """

    environment: np.ndarray
    place: np.ndarray
    episode: np.ndarray
    t: np.ndarray
    age: np.ndarray


def standing(
    configuration: Configuration, arrays: Arrays, table: Mapping[str, Any], step: int
) -> Standing:
    """Which steps the memory of this checkpoint held.

    Raises:
      Untold: If memory and table of episodes do not belong together.
    """
    rings = rings_of(configuration, arrays)
    parts = []
    for environment, ring in enumerate(rings):
        numbers, lengths = finished_episodes(table, environment, step)
        running = _running(table, environment, step)
        parts.append(_of_ring(environment, ring, numbers, lengths, running))
    found = Standing(*(np.concatenate(it) for it in zip(*parts, strict=True)))
    if len(found.place) != len(arrays["priorities/raw"]):
        raise Untold(
            "What this replay memory holds does not fit the episodes of the session."
        )
    return found


def _of_ring(
    environment: int,
    ring: Ring,
    numbers: np.ndarray,
    lengths: np.ndarray,
    running: int,
) -> Standing:
    places = ring.sampleable(lengths)
    # Each episode takes one slot more than it has steps; the running one is last.
    ends = ring.running - np.append(0, np.cumsum(lengths[::-1] + 1))[::-1]
    firsts = np.append(ends[:-1], ring.running)
    of = np.searchsorted(firsts, places, "right") - 1
    episode = np.where(of < 0, -1, np.append(numbers, running)[of])
    t = np.where(of < 0, -1, places - firsts[of])
    order = np.argsort(places % ring.length, kind="stable")
    ages = ring.written - places
    where = np.full(len(places), environment)
    return Standing(*(it[order] for it in (where, places, episode, t, ages)))


def _running(table: Mapping[str, Any], environment: int, step: int) -> int:
    """Number of the episode that ran at this step, if it has ended since; else -1."""
    training = np.array([kind == "training" for kind in table["kind"]], bool)
    later = training & (np.asarray(table["environment"]) == environment)
    later &= np.asarray(table["step"]) > step
    if not later.any():
        return -1
    rows = np.flatnonzero(later)
    first = rows[np.argmin(np.asarray(table["step"])[rows])]
    return int(np.asarray(table["episode"])[first])


def columns(
    configuration: Configuration, arrays: Arrays, held: Standing, step: int
) -> dict[str, np.ndarray]:
    """What the memory knows of these steps, by name.

    Returns:
      ``environment``, ``episode``, ``t``, ``age``, ``probability`` and, where it was
      counted, ``times_sampled``; of a prioritized memory ``priority`` and ``weight``.
    """
    found = {
        "environment": held.environment,
        "episode": held.episode,
        "t": held.t,
        "age": held.age,
    }
    found |= chances(configuration, arrays, step)
    if "streams/times_sampled" in arrays:
        found["times_sampled"] = np.asarray(arrays["streams/times_sampled"])
    return found


def priorities_before(now: Standing, before: Standing, raw: np.ndarray) -> np.ndarray:
    """Priorities at an earlier checkpoint, in the order of now; NaN for what is new."""
    earlier = dict(
        zip(
            zip(before.environment.tolist(), before.place.tolist(), strict=True),
            raw.tolist(),
            strict=True,
        )
    )
    keys = zip(now.environment.tolist(), now.place.tolist(), strict=True)
    return np.array([earlier.get(it, np.nan) for it in keys], np.float64)
