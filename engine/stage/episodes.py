"""Recorded episodes as arrays of what was seen and thought at each step."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.environments import (
    FrameStacker,
    ReplayMismatch,
    UnknownEnvironment,
    UnsuitableEnvironment,
)
from engine.stage.archive import Session
from engine.stage.context import Context
from engine.stage.jobs import Wish
from engine.stage.judging import one_step_td_errors, split_q
from engine.stage.minds import Mind, insight_job, target_as_online
from engine.stage.replays import Replay
from engine.stage.world import WorldProblem

AS_RECORDED = -1
CHUNK_STEPS = 128
LARGEST_OBSERVATION_BYTES = 1024
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
      value_head: [T+1].
      bootstrap: Q-values of the target network, [T+1, A].
      observations: As the agent sees them, [T+1, n]; None where they are large.
      exact: The episode was played again and each observation was the recorded one.
      note: Why not, as a sentence.
    """

    q: np.ndarray
    advantage: np.ndarray
    value_head: np.ndarray
    bootstrap: np.ndarray
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

    The episode is played again from its seed; where that is not possible, its
    recorded observations are used.
    """
    try:
        source = _played_again(session, record)
        return (yield from _through(session, record, mind, weights, source, ""))
    except CannotReplay as problem:
        note = str(problem)
    source = _as_stored(session, record)
    return (yield from _through(session, record, mind, weights, source, note))


def _played_again(session: Session, record: Mapping[str, Any]) -> Any:
    replay = Replay(session.configuration.environment, record)
    try:
        for _ in range(replay.last + 1):
            replay.go_on()
            yield replay.observation
    finally:
        replay.close()


def _as_stored(session: Session, record: Mapping[str, Any]) -> Any:
    stack = FrameStacker(session.configuration.environment.frame_stack)
    for t, single in enumerate(record.get("observations", ())):
        yield stack.push(single) if t else stack.reset(single)


def _through(
    session: Session,
    record: Mapping[str, Any],
    mind: Mind | None,
    weights: Weights | None,
    source: Any,
    note: str,
) -> Generator[Wish, Any, Seen]:
    parts: list[dict[str, np.ndarray]] = []
    kept: list[np.ndarray] = []
    chunk: list[np.ndarray] = []
    for observation in source:
        chunk.append(observation)
        if observation.nbytes <= LARGEST_OBSERVATION_BYTES:
            kept.append(observation)
        if len(chunk) == CHUNK_STEPS:
            parts.append((yield from _judge(mind, weights, chunk)))
            chunk = []
        yield None
    if chunk:
        parts.append((yield from _judge(mind, weights, chunk)))
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


def _judge(
    mind: Mind | None, weights: Weights | None, chunk: list[np.ndarray]
) -> Generator[Wish, Any, dict[str, np.ndarray]]:
    if mind is None or weights is None:
        return {}
    observations = np.stack(chunk)
    seen = yield from insight_job(mind, weights.step, weights.arrays, observations)
    kept = {name: seen[name] for name in ("q", "advantage", "value_head")}
    kept["bootstrap"] = kept["q"]
    if mind.configuration.target_network.kind != "none":
        swapped = target_as_online(weights.arrays)
        target = yield from insight_job(mind, weights.step, swapped, observations)
        kept["bootstrap"] = target["q"]
    return kept


def _joined(
    parts: list[dict[str, np.ndarray]], length: int, actions: int
) -> dict[str, np.ndarray]:
    if not parts or not parts[0] or sum(len(it["q"]) for it in parts) != length:
        wide = np.full((length, actions), np.nan, np.float32)
        thin = np.full(length, np.nan, np.float32)
        return {"q": wide, "advantage": wide, "value_head": thin, "bootstrap": wide}
    return {name: np.concatenate([it[name] for it in parts]) for name in parts[0]}


def merge_recorded(
    session: Session, record: Mapping[str, Any], seen: Seen
) -> np.ndarray:
    """Put the recorded Q-values in the place of judged ones; where, bool [T+1]."""
    stored = record.get("q_values")
    if stored is None or stored.shape != seen.q.shape:
        return np.zeros(len(seen.q), bool)
    recorded: np.ndarray = np.isfinite(stored).all(axis=1)
    advantage, head = split_q(stored, session.configuration.agent.dueling)
    seen.q = np.where(recorded[:, None], stored, seen.q)
    seen.advantage = np.where(recorded[:, None], advantage, seen.advantage)
    seen.value_head = np.where(recorded, head, seen.value_head)
    seen.bootstrap = np.where(recorded[:, None], stored, seen.bootstrap)
    return recorded


def td_errors(session: Session, record: Mapping[str, Any], seen: Seen) -> np.ndarray:
    """One-step TD errors along the episode, float32 [T]."""
    return one_step_td_errors(
        session.configuration,
        seen.q,
        seen.bootstrap,
        record["actions"],
        record["rewards"],
        record["terminations"],
    )
