"""States for the map: from the replay of a living run, or from recorded episodes."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.environments import FrameStacker, observation_crc
from engine.stage.archive import Session
from engine.stage.context import Context
from engine.stage.episodes import CannotReplay
from engine.stage.jobs import RequestFailed, Wish, ask
from engine.stage.replays import Replay

if TYPE_CHECKING:
    from engine.agents.recollection import Recollection
    from engine.stage.minds import Mind

MOST_EPISODES = 40
REMEMBERED = ("state", "previous")
MOST_BYTES = 64 * 2**20


Beginnings = dict[tuple[int, int], int]
"""Training episodes by environment, and its steps before them."""


class Origin(NamedTuple):
    """Kind and number of an episode, and the step in it."""

    kind: str
    episode: int
    t: int


class Moment(NamedTuple):
    """A step of training: which environment, and when in its life.

    Attributes:
      begun: Steps of this environment before the episode.
      t: Step within the episode.
    """

    environment: int
    begun: int
    t: int


@dataclass(slots=True)
class States:
    """States as the agent sees them, [n, ...].

    Attributes:
      explored: The action taken there was exploratory, bool [n].
      origins: Where or when each was seen.
      source: Where they come from, in words.
      remembered: What a recurrent agent remembered as it met them: ``state`` [n, W]
        and ``previous`` [n]; empty where that is not known.
    """

    observations: np.ndarray
    explored: np.ndarray
    origins: list[Origin | Moment]
    source: str
    remembered: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.observations)

    def recollection(self, mind: Mind, rows: Sequence[int]) -> Recollection | None:
        """What a recurrent network is to remember before these states."""
        found = mind.recollection(len(rows))
        if found is not None and self.remembered:
            found.restore({name: it[rows] for name, it in self.remembered.items()})
        return found

    def replace(self, places: np.ndarray, new: States) -> None:
        """Put the first of these states in the place of others."""
        count = len(places)
        self.observations = _put(self.observations, places, new.observations[:count])
        self.explored = _put(self.explored, places, new.explored[:count])
        for place, origin in zip(places.tolist(), new.origins, strict=False):
            self.origins[place] = origin
        known = (
            self.remembered if new.remembered.keys() == self.remembered.keys() else {}
        )
        self.remembered = {
            name: _put(it, places, new.remembered[name][:count])
            for name, it in known.items()
        }


def _put(array: np.ndarray, places: np.ndarray, values: np.ndarray) -> np.ndarray:
    found = array.copy()
    found[places] = values
    return found


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


def find_origin(
    context: Context,
    session: Session,
    states: States,
    row: int,
    begun: Beginnings | None = None,
) -> Generator[Wish, Any, Origin | None]:
    """The recorded episode that a state is from; None where it is not recorded.

    A state out of the replay is looked up by when it was seen, and believed only if
    the recording has the same observation there. Who looks up many brings what
    ``recorded_beginnings`` found in the keeper's table of ``episodes``.
    """
    seen = states.origins[row]
    if isinstance(seen, Origin):
        return seen
    if begun is None:
        table = yield from context.archive.episodes(session)
        begun = recorded_beginnings(session, table)
    episode = begun.get((seen.environment, seen.begun))
    if episode is None:
        return None
    record = yield from context.archive.episode(session, "training", episode)
    crc = record.get("observation_crc")
    observation = states.observations[row]
    stack = session.configuration.environment.frame_stack
    single = observation[..., -(observation.shape[-1] // stack) :]
    if crc is None or int(crc[seen.t]) != observation_crc(single):
        return None
    return Origin("training", episode, seen.t)


def recorded_beginnings(session: Session, table: Mapping[str, Any]) -> Beginnings:
    """Those training episodes that can be looked at."""
    environments = session.configuration.training.environments
    return _beginnings(table, environments, np.asarray(table["recorded"], bool))


def training_steps(
    context: Context, session: Session, states: States
) -> Generator[Wish, Any, tuple[np.ndarray, np.ndarray]]:
    """Training episode and step in it of each state, int64 [n]; -1 where unknown.

    States out of the replay are placed by when they were seen, as in
    :func:`find_origin`, but are not compared with the recording.
    """
    table = yield from context.archive.episodes(session)
    environments = session.configuration.training.environments
    begun = _beginnings(table, environments, np.ones(len(table["kind"]), bool))
    found = np.full((len(states), 2), -1, np.int64)
    for row, origin in enumerate(states.origins):
        if isinstance(origin, Moment):
            number = begun.get((origin.environment, origin.begun), -1)
        else:
            number = origin.episode if origin.kind == "training" else -1
        if number >= 0:
            found[row] = number, origin.t
    return found[:, 0], found[:, 1]


def _beginnings(
    table: Mapping[str, Any], environments: int, wanted: np.ndarray
) -> Beginnings:
    """Of these rows the training episodes."""
    training = np.array([kind == "training" for kind in table["kind"]], bool)
    rows = np.flatnonzero(training & wanted)
    # All environments step in turn, so the step of an episode's end tells how many
    # steps its environment had made.
    where = np.asarray(table["environment"], np.int64)[rows]
    ended = np.asarray(table["step"], np.int64)[rows]
    rounds = (ended - where - 1) // environments + 1
    begun = rounds - np.asarray(table["length"], np.int64)[rows]
    numbers = np.asarray(table["episode"], np.int64)[rows]
    keys = zip(where.tolist(), begun.tolist(), strict=True)
    return dict(zip(keys, numbers.tolist(), strict=True))


def _from_replay(count: int) -> Generator[Wish, Any, States]:
    found = yield from ask("trainer", "sample_states", count=count)
    observations = np.asarray(found["observation"])
    if not len(observations):
        raise RequestFailed("The replay is empty.")
    remembered = {it: np.asarray(found[it]) for it in REMEMBERED if it in found}
    when = zip(found["environment"], found["begun"], found["t"], strict=True)
    return States(
        observations,
        np.asarray(found["explored"], bool),
        [Moment(*map(int, it)) for it in when],
        "the replay memory",
        remembered,
    )


def _from_episodes(
    context: Context, session: Session, count: int, rng: np.random.Generator
) -> Generator[Wish, Any, States]:
    table = yield from context.archive.episodes(session)
    rows = _spread(table, rng)
    lengths = np.array([int(table["length"][row]) for row in rows])
    total = int(lengths.sum())
    chosen = np.sort(rng.choice(total, min(count, total), replace=False))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    observations: list[np.ndarray] = []
    explored: list[bool] = []
    origins: list[Origin | Moment] = []
    for index, row in enumerate(rows):
        inside = (chosen >= starts[index]) & (chosen < starts[index + 1])
        steps = chosen[inside] - starts[index]
        kind, episode = str(table["kind"][row]), int(table["episode"][row])
        record = yield from context.archive.episode(session, kind, episode)
        seen = yield from _observations(session, record, steps)
        observations += seen
        explored += [bool(record["explored"][t]) for t in steps[: len(seen)]]
        origins += [Origin(kind, episode, int(t)) for t in steps[: len(seen)]]
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
