"""Recorded episodes as arrays of what was seen and thought at each step."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.contract.costs import LARGEST_OBSERVATION
from engine.environments import (
    FrameStacker,
    ReplayMismatch,
    UnknownEnvironment,
    UnsuitableEnvironment,
    observation_crcs,
)
from engine.stage.archive import Session
from engine.stage.context import Context
from engine.stage.jobs import Pace, Wish
from engine.stage.judging import (
    Values,
    bootstraps_online,
    one_step_td_errors,
    returns_ended,
    split_q,
)
from engine.stage.minds import Mind, insight_job, liking, target_as_online
from engine.stage.replays import Replay, onwards, reach
from engine.stage.world import WorldProblem

AS_RECORDED = -1
CHUNK_STEPS = 128
CannotReplay = (
    ReplayMismatch,
    UnknownEnvironment,
    UnsuitableEnvironment,
    WorldProblem,
)
"""Why an episode cannot be played again here; each says it in a sentence."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Networks of one training step."""

    step: int
    arrays: dict[str, np.ndarray]


@dataclass(slots=True)
class Seen:
    """What one network says along an episode.

    Attributes:
      q, advantage: [T+1, A].
      liking: What actions are chosen by, [T+1, A]: q, or CVaR.
      value_head: [T+1].
      bootstrap, bootstrap_liking: The same of the network that values what comes
        next, [T+1, A].
      observations: As the agent sees them, [T+1, n]; None where they are large.
      exact: Each observation was verified against the recording.
      note: Why not, as a sentence.
    """

    q: np.ndarray
    liking: np.ndarray
    advantage: np.ndarray
    value_head: np.ndarray
    bootstrap: np.ndarray
    bootstrap_liking: np.ndarray
    observations: np.ndarray | None
    exact: bool
    note: str = ""


def look(
    context: Context,
    session: Session,
    record: Mapping[str, Any],
    mind: Mind | None,
    weights: Weights | None,
) -> Generator[Wish, Any, Seen]:
    """Go through an episode with these weights; without any all values are NaN.

    Its observations are those that were recorded, if their fingerprints say so; else
    it is played again from its seed, and where that is not possible, what was
    recorded has to do.
    """
    stored = as_stored(session, record)
    if is_verified(record):
        return (yield from _through(session, record, mind, weights, stored, ""))
    try:
        with played_again(context, session, record) as replay:
            yield from reach(replay, 0)
            source = onwards(replay)
            return (yield from _through(session, record, mind, weights, source, ""))
    except CannotReplay as problem:
        note = str(problem)
    return (yield from _through(session, record, mind, weights, stored, note))


def is_all_recorded(session: Session, record: Mapping[str, Any]) -> bool:
    """Whether nobody has to judge its states: all that is shown of them is recorded."""
    stored = _recorded_values(session, record)
    if stored is None or _is_averse(session):
        return False
    return bool(np.isfinite(stored).all())


def _recorded_values(session: Session, record: Mapping[str, Any]) -> np.ndarray | None:
    """Q-values [T+1, A] as recorded; None where they are of no use."""
    stored: np.ndarray | None = record.get("q_values")
    shape = len(record["actions"]) + 1, session.card.actions
    return stored if stored is not None and stored.shape == shape else None


def _is_averse(session: Session) -> bool:
    """Actions are chosen by CVaR, which is not recorded."""
    head = session.configuration.head
    return head.kind != "scalar" and head.risk != "mean"


def look_at_unrecorded(
    session: Session,
    record: Mapping[str, Any],
    mind: Mind | None,
    weights: Weights | None,
) -> Generator[Wish, Any, Seen | None]:
    """The same, of no more than the states whose Q-values were not recorded.

    None where that does not do: the others are needed too, or cannot be had quickly.
    """
    image = session.card.observation == "image" and "observation_crc" in record
    stored = _recorded_values(session, record)
    if stored is None or not (image or is_verified(record)) or _is_averse(session):
        return None
    missing = np.flatnonzero(~np.isfinite(stored).all(axis=1))
    observations = all_stored(session, record)
    joined = _joined([], len(stored), session.card.actions)
    if len(missing):
        remembers = mind is not None and mind.recollection(1) is not None
        if mind is None or weights is None or observations is None or remembers:
            return None
        judge = Judge(mind, weights, record["actions"])
        said = yield from judge.values(observations[missing])
        for name, values in said.items():
            joined[name] = joined[name].copy()
            joined[name][missing] = values
    return Seen(**joined, observations=observations, exact=True, note="")


def is_verified(record: Mapping[str, Any]) -> bool:
    """Whether its observations were stored, and are those of their fingerprints."""
    stored, crc = record.get("observations"), record.get("observation_crc")
    if stored is None or crc is None or len(stored) != len(crc):
        return False
    said: list[int] = np.asarray(crc).tolist()
    return observation_crcs(stored) == said


def played_again(
    context: Context, session: Session, record: Mapping[str, Any]
) -> AbstractContextManager[Replay]:
    """The episode in an environment, verified at each step.

    Where it cannot be played again, going on raises one of ``CannotReplay``.
    """
    key = (session.past, record["kind"], record["episode"])
    return context.films.lent(key, session.configuration.environment, record)


def all_stored(session: Session, record: Mapping[str, Any]) -> np.ndarray | None:
    """All that was seen as recorded, [T+1, ...]; None where it was not stored."""
    singles: np.ndarray | None = record.get("observations")
    if singles is None or session.configuration.environment.frame_stack == 1:
        return singles
    return np.stack(list(as_stored(session, record)))


def as_stored(
    session: Session, record: Mapping[str, Any], first: int = 0
) -> Generator[np.ndarray, None, None]:
    """The same as recorded; nothing where observations are too large for that."""
    stack = FrameStacker(session.configuration.environment.frame_stack)
    for t, single in enumerate(record.get("observations", ())):
        stacked = stack.push(single) if t else stack.reset(single)
        if t >= first:
            yield stacked


def _through(
    session: Session,
    record: Mapping[str, Any],
    mind: Mind | None,
    weights: Weights | None,
    source: Any,
    note: str,
) -> Generator[Wish, Any, Seen]:
    judge = None
    if mind is not None and weights is not None:
        judge = Judge(mind, weights, record["actions"])
    parts: list[dict[str, np.ndarray]] = []
    kept: list[np.ndarray] = []
    chunk: list[np.ndarray] = []
    pace = Pace()
    for observation in source:
        chunk.append(observation)
        if observation.nbytes <= LARGEST_OBSERVATION:
            kept.append(observation)
        if len(chunk) == CHUNK_STEPS:
            parts.append((yield from _judged(judge, chunk)))
            chunk = []
        if pace.due():
            yield None
    if chunk:
        parts.append((yield from _judged(judge, chunk)))
    length = len(record["actions"]) + 1
    joined = _joined(parts, length, session.card.actions)
    known = record.get("observation_crc") is not None or "observations" in record
    if not note and not known:
        note = "The recording holds nothing by which its replay could be verified."
    return Seen(
        **joined,
        observations=np.stack(kept) if len(kept) == length else None,
        exact=not note,
        note=note,
    )


class Judge:
    """Goes through one episode in order; a recurrent network remembers on the way.

    Args:
      mind, weights: Who judges.
      actions: Of the episode, int64 [T].
      start: Step of the first observation; 0 where the network remembers.
    """

    def __init__(
        self, mind: Mind, weights: Weights, actions: np.ndarray, start: int = 0
    ) -> None:
        self._mind, self._weights = mind, weights
        self._before = np.append(-1, actions).astype(np.int64)
        self._t = start
        self._online, self._target = mind.recollection(1), mind.recollection(1)

    def acted(self, action: int) -> None:
        """The episode goes on with one action more."""
        self._before = np.append(self._before, action)

    def values(
        self, observations: np.ndarray
    ) -> Generator[None, Any, dict[str, np.ndarray]]:
        """Values of the next observations by both networks; see :class:`Seen`."""
        seen, following = yield from self.look(observations)
        kept = {name: seen[name] for name in ("q", "advantage", "value_head")}
        kept["liking"] = liking(seen)
        kept["bootstrap"], kept["bootstrap_liking"] = following["q"], liking(following)
        return kept

    def look(
        self, observations: np.ndarray
    ) -> Generator[None, Any, tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
        """All that is said of the next observations, [n, ...].

        By the network that learns, and by the one that values what comes next.
        """
        step, arrays = self._weights.step, self._weights.arrays
        before = self._before[self._t : self._t + len(observations)]
        self._t += len(observations)
        seen = yield from insight_job(
            self._mind, step, arrays, observations, before, self._online
        )
        if bootstraps_online(self._mind.configuration):
            return seen, seen
        swapped = target_as_online(arrays)
        following = yield from insight_job(
            self._mind, step, swapped, observations, before, self._target
        )
        return seen, following


def _judged(
    judge: Judge | None, chunk: list[np.ndarray]
) -> Generator[Wish, Any, dict[str, np.ndarray]]:
    if judge is None:
        return {}
    return (yield from judge.values(np.stack(chunk)))


def _joined(
    parts: list[dict[str, np.ndarray]], length: int, actions: int
) -> dict[str, np.ndarray]:
    if not parts or not parts[0] or sum(len(it["q"]) for it in parts) != length:
        wide = np.full((length, actions), np.nan, np.float32)
        thin = np.full(length, np.nan, np.float32)
        names = ("q", "liking", "advantage", "bootstrap", "bootstrap_liking")
        return {"value_head": thin} | dict.fromkeys(names, wide)
    return {name: np.concatenate([it[name] for it in parts]) for name in parts[0]}


def merge_recorded(
    session: Session, record: Mapping[str, Any], seen: Seen
) -> np.ndarray:
    """Put the recorded Q-values in the place of judged ones; where, bool [T+1]."""
    stored = _recorded_values(session, record)
    if stored is None:
        return np.zeros(len(seen.q), bool)
    recorded: np.ndarray = np.isfinite(stored).all(axis=1)
    rows = recorded[:, None]
    advantage, head = split_q(stored, session.configuration)
    seen.advantage = np.where(rows, advantage, seen.advantage)
    seen.value_head = np.where(recorded, head, seen.value_head)
    seen.q = np.where(rows, stored, seen.q)
    seen.bootstrap = np.where(rows, stored, seen.bootstrap)
    if not _is_averse(session):
        seen.liking = np.where(rows, stored, seen.liking)
    else:
        # The CVaR of the judging network is the nearest that there is.
        seen.liking = np.where(np.isnan(seen.liking), seen.q, seen.liking)
    seen.bootstrap_liking = np.where(rows, seen.liking, seen.bootstrap_liking)
    return recorded


def td_errors(
    session: Session, record: Mapping[str, Any], seen: Seen, step: int
) -> np.ndarray:
    """One-step TD errors along the episode, float32 [T]; see ``judging``."""
    return one_step_td_errors(
        session.configuration,
        Values(seen.q, seen.liking),
        Values(seen.bootstrap, seen.bootstrap_liking),
        record["actions"],
        record["rewards"],
        returns_ended(record),
        step,
    )
