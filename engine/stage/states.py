"""States for the map: from the replay of a living run, or from recorded episodes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.environments import FrameStacker
from engine.stage.archive import Session
from engine.stage.context import Context
from engine.stage.episodes import CannotReplay
from engine.stage.jobs import RequestFailed, Wish, ask
from engine.stage.replays import Replay

MOST_EPISODES = 40
MOST_BYTES = 64 * 2**20

Origin = tuple[str, int, int]
"""Kind and number of an episode, and the step in it."""


@dataclass(slots=True)
class States:
    """States as the agent sees them, [n, ...].

    Attributes:
      explored: The action taken there was exploratory, bool [n].
      origins: Where in which recorded episode it was, None where not known.
      source: Where they come from, in words.
    """

    observations: np.ndarray
    explored: np.ndarray
    origins: list[Origin | None]
    source: str

    def __len__(self) -> int:
        return len(self.observations)


def collect(
    context: Context, session: Session, count: int, rng: np.random.Generator
) -> Generator[Wish, Any, States]:
    """Up to ``count`` states; fewer where there are fewer, or they are very large."""
    card = session.card
    size = int(np.prod(card.shape)) * np.dtype(card.dtype).itemsize
    count = max(1, min(count, MOST_BYTES // size))
    if session.live:
        try:
            return (yield from _from_replay(count))
        except RequestFailed:
            # The trainer is gone or has not begun; what is recorded will do.
            yield None
    return (yield from _from_episodes(context, session, count, rng))


def _from_replay(count: int) -> Generator[Wish, Any, States]:
    found = yield from ask("trainer", "sample_states", count=count)
    observations = np.asarray(found["observation"])
    if not len(observations):
        raise RequestFailed("The replay is empty.")
    return States(
        observations,
        np.asarray(found["explored"], bool),
        [None] * len(observations),
        "the replay memory",
    )


def _from_episodes(
    context: Context, session: Session, count: int, rng: np.random.Generator
) -> Generator[Wish, Any, States]:
    table = yield from ask("keeper", "episodes")
    rows = _spread(table, rng)
    lengths = np.array([int(table["length"][row]) for row in rows])
    total = int(lengths.sum())
    chosen = np.sort(rng.choice(total, min(count, total), replace=False))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    observations: list[np.ndarray] = []
    explored: list[bool] = []
    origins: list[Origin | None] = []
    for index, row in enumerate(rows):
        inside = (chosen >= starts[index]) & (chosen < starts[index + 1])
        steps = chosen[inside] - starts[index]
        kind, episode = str(table["kind"][row]), int(table["episode"][row])
        record = yield from context.archive.episode(session, kind, episode)
        seen = yield from _observations(session, record, steps)
        observations += seen
        explored += [bool(record["explored"][t]) for t in steps[: len(seen)]]
        origins += [(kind, episode, int(t)) for t in steps[: len(seen)]]
    shape = (0, *session.card.shape)
    return States(
        np.stack(observations) if observations else np.zeros(shape, np.float32),
        np.array(explored, bool),
        origins,
        f"{len(rows)} recorded episodes",
    )


def _spread(table: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Rows of recorded episodes, spread evenly over the training."""
    recorded = np.flatnonzero(np.asarray(table["recorded"], bool))
    if len(recorded) <= MOST_EPISODES:
        return recorded
    picked = np.linspace(0, len(recorded) - 1, MOST_EPISODES).round().astype(int)
    rows: np.ndarray = recorded[picked]
    return rows


def _observations(
    session: Session, record: dict[str, Any], steps: np.ndarray
) -> Generator[Wish, Any, list[np.ndarray]]:
    """Stacked observations of these steps, recorded or played again."""
    if not len(steps):
        return []
    wanted, found = set(steps.tolist()), []
    if "observations" in record:
        stack = FrameStacker(session.configuration.environment.frame_stack)
        for t, single in enumerate(record["observations"]):
            stacked = stack.push(single) if t else stack.reset(single)
            if t in wanted:
                found.append(stacked)
        yield None
        return found
    try:
        replay = Replay(session.configuration.environment, record)
    except CannotReplay:
        return []
    try:
        while replay.t < max(wanted):
            if replay.go_on() in wanted:
                found.append(replay.observation)
            yield None
    except CannotReplay:
        # What came before the first difference was verified and stays.
        yield None
    finally:
        replay.close()
    return found
