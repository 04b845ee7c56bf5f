"""Where a state like this one was met before, and what happened there."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.media import fitted, scaled
from engine.stage.archive import Session
from engine.stage.context import Asker, Context, Question, QuestionError
from engine.stage.episodes import AS_RECORDED, Weights
from engine.stage.jobs import Job, RequestFailed, Wish
from engine.stage.minds import insight_job
from engine.stage.moments import memory_before, observations_at
from engine.stage.nearest import distances, nearest, spreads
from engine.stage.pool import Judged
from engine.stage.questions.inside_episode import EpisodeArguments, by_whom
from engine.stage.states import Origin, find_origin, recorded_beginnings
from engine.stage.world import WorldProblem

if TYPE_CHECKING:
    from engine.agents.recollection import Recollection

MOST = 32
THUMBNAIL = 72
PERCENTS = np.arange(101)
ROUND = 6
"""So many recorded episodes are compared with."""
Rows = list[dict[str, Any]]
ONE_ACTION = "With a single action there is no gap between actions."


class NeighbourArguments(EpisodeArguments, frozen=True, kw_only=True):
    """A step, and how many neighbours of each kind."""

    t: int
    count: int = 8


def _neighbours(context: Context, arguments: NeighbourArguments, asker: Asker) -> Job:
    """The nearest states, exactly, in two ways.

    Returns:
      ``embedding``: nearest by the last hidden layer of the judging weights;
      ``observation``: nearest by what was observed, each number of a vector divided
      by its standard deviation. Rows with ``distance``, ``action`` (greedy now),
      ``value``, ``explored`` and, where they are known, ``kind``, ``episode``, ``t``,
      ``taken``, ``return_to_go`` and its ``discount``, ``ended``, and ``frame``, a
      small picture. Further ``states`` (how many were searched), ``source``,
      ``checkpoint_step``, ``t``.
    """
    session = context.archive.session()
    if not 1 <= arguments.count <= MOST:
        raise QuestionError(f"One to {MOST} neighbours can be asked for.")
    session, record, weights = yield from by_whom(context, arguments)
    here, seen = yield from look_at(context, session, record, weights, arguments.t)
    judged = yield from context.pool.judged(context, session, weights)
    if not len(judged.states):
        raise QuestionError("No states are recorded that it could be compared with.")
    pool = judged.states.observations
    by_layer = yield from distances(judged.embedding, seen["embedding"][0])
    vector = session.card.observation != "image"
    scale = spreads(pool) if vector else max(session.card.high, default=255.0)
    by_sight = yield from distances(pool, here, scale)
    teller = _Teller(context, session, judged, arguments)
    embedding, observation = yield from teller.rows(by_layer, by_sight)
    return {
        "embedding": embedding,
        "observation": observation,
        "states": len(judged.states),
        "source": judged.states.source,
        "checkpoint_step": weights.step,
        "t": arguments.t,
    }


def look_at(
    context: Context,
    session: Session,
    record: dict[str, Any],
    weights: Weights,
    t: int,
) -> Generator[Wish, Any, tuple[np.ndarray, dict[str, np.ndarray]]]:
    """The observation of this step, and what the weights say of it."""
    recurrent = session.configuration.network.recurrent != "none"
    first = 0 if recurrent else t
    seen = yield from observations_at(context, session, record, range(first, t + 1))
    if t > len(record["actions"]):
        raise QuestionError(f"This episode has no step {t:,}.")
    mind = yield from context.minds.mind(session.configuration, session.card)
    memory: Recollection | None = yield from memory_before(
        mind, weights, record, seen[:-1]
    )
    said = yield from insight_job(
        mind, weights.step, weights.arrays, seen[-1:], recollection=memory
    )
    return seen[-1], said


class _Teller:
    """Tells of neighbours what is known; it is found out once."""

    def __init__(
        self,
        context: Context,
        session: Session,
        judged: Judged,
        arguments: NeighbourArguments,
    ) -> None:
        self._context, self._session, self._judged = context, session, judged
        self._arguments, self._known = arguments, judged.known

    def rows(self, *distances: np.ndarray) -> Generator[Wish, Any, list[Rows]]:
        """The nearest ones by each of these distances, but not the step itself."""
        most = self._arguments.count + 1
        each = [nearest(it, most).tolist() for it in distances]
        yield from self._place(set().union(*each))
        found: list[Rows] = []
        for rows, distance in zip(each, distances, strict=True):
            others = [it for it in rows if not self._is_itself(it)]
            told = []
            for row in others[: self._arguments.count]:
                far = {"distance": float(distance[row])}
                told.append(far | (yield from self._tell(row)))
            found.append(told)
        return found

    def _place(self, rows: set[int]) -> Generator[Wish, Any, None]:
        """Find out where these are from, and what came of them."""
        known = self._known.rows.keys() - self._known.unanswered
        new = sorted(rows - {row for row in known if self._is_of_now(row)})
        if new:
            yield from self._have_at_hand(new)
        for row in new:
            self._known.rows[row] = yield from self._facts(row)

    def _is_of_now(self, row: int) -> bool:
        """Whether its return was discounted as it is at this moment."""
        discount = self._session.configuration.agent.discount
        return bool(self._known.rows[row].get("discount", discount) == discount)

    def _facts(self, row: int) -> Generator[Wish, Any, dict[str, Any]]:
        """Where it is from and what came of it, as far as that is known."""
        self._known.unanswered.discard(row)
        try:
            origin = yield from self._origin(row)
        except RequestFailed:
            self._known.unanswered.add(row)
            return {}
        if origin is None:
            return {}
        return origin._asdict() | (yield from self._what_came(origin))

    def _have_at_hand(self, rows: list[int]) -> Generator[Wish, Any, None]:
        """Ask the keeper once for the records of all of them, not for each."""
        try:
            if not all(self._episodes(rows)):
                table = yield from self._context.archive.episodes(self._session)
                self._known.begun = recorded_beginnings(self._session, table)
            wanted = [it for it in self._episodes(rows) if it is not None]
            yield from self._context.archive.bring(self._session, wanted)
        except RequestFailed:
            yield None  # each says for itself that nothing is known of it

    def _episodes(self, rows: list[int]) -> list[tuple[str, int] | None]:
        """Which episodes they seem to be from, as far as that is known."""
        found: list[tuple[str, int] | None] = []
        begun = self._known.begun or {}
        for row in rows:
            seen = self._judged.states.origins[row]
            if isinstance(seen, Origin):
                found.append((seen.kind, seen.episode))
                continue
            number = begun.get((seen.environment, seen.begun))
            found.append(None if number is None else ("training", number))
        return found

    def _is_itself(self, row: int) -> bool:
        mine, facts = self._arguments, self._known.rows[row]
        here = (mine.kind, mine.episode, mine.t)
        return here == tuple(facts.get(it) for it in ("kind", "episode", "t"))

    def _tell(self, row: int) -> Generator[Wish, Any, dict[str, Any]]:
        judged, facts = self._judged, self._known.rows[row]
        if "frame" not in facts:
            facts["frame"] = self._picture(row)
            yield None
        told = {
            "action": int(judged.liking[row].argmax()),
            "value": float(judged.q[row].max()),
            "explored": bool(judged.states.explored[row]),
        }
        return told | {name: it for name, it in facts.items() if it is not None}

    def _origin(self, row: int) -> Generator[Wish, Any, Origin | None]:
        states, begun = self._judged.states, self._known.begun
        return (
            yield from find_origin(self._context, self._session, states, row, begun)
        )

    def _what_came(self, origin: Origin) -> Generator[Wish, Any, dict[str, Any]]:
        record = yield from self._context.archive.episode(
            self._session, origin.kind, origin.episode
        )
        rewards = np.asarray(record["rewards"], np.float64)[origin.t :]
        if not len(rewards):
            return {}
        discount = self._session.configuration.agent.discount
        powers = discount ** np.arange(len(rewards))
        return {
            "discount": discount,
            "taken": int(record["actions"][origin.t]),
            "return_to_go": float((powers * _learned(self._session, rewards)).sum()),
            "ended": bool(np.any(record["terminations"])),
        }

    def _picture(self, row: int) -> np.ndarray | None:
        seen = self._judged.states.observations[row]
        poser = self._context.pool.poser(self._session.configuration.environment)
        try:
            frame = poser.picture_of(seen, THUMBNAIL)
        except (WorldProblem, ValueError):
            return None
        if frame is None:
            return None
        return scaled(frame, fitted((frame.shape[0], frame.shape[1]), THUMBNAIL))


def _learned(session: Session, rewards: np.ndarray) -> np.ndarray:
    """On the scale of the Q-values."""
    clipped = session.configuration.environment.clip_rewards
    return np.sign(rewards) if clipped else rewards


def _gaps(context: Context, arguments: EpisodeArguments, asker: Asker) -> Job:
    """How far the best action usually is ahead, and what states usually are worth.

    Values of other weights are not alike: as recorded an episode is compared with the
    recorded Q-values of those round it, else with states judged by the same weights.

    Returns:
      ``gaps`` and ``values`` (V(s) = max_a Q): percentiles from 0 to 100 over states
      of the session, float [101]; ``states``, ``source``.
    """
    session = context.archive.session()
    if session.card.actions < 2:
        raise QuestionError(ONE_ACTION)
    q, source = np.zeros((0, session.card.actions)), ""
    if arguments.checkpoint_step == AS_RECORDED:
        q = yield from _recorded_values(context, session, arguments)
        source = "episodes round this one, as recorded"
    if not len(q):
        session, _, weights = yield from by_whom(context, arguments)
        judged = yield from context.pool.judged(context, session, weights)
        q, source = judged.q, judged.states.source
    if not len(q):
        raise QuestionError("No states are recorded that it could be compared with.")
    ordered = np.sort(q.astype(np.float64), axis=1)
    return {
        "gaps": np.percentile(ordered[:, -1] - ordered[:, -2], PERCENTS),
        "values": np.percentile(ordered[:, -1], PERCENTS),
        "states": len(q),
        "source": source,
    }


def _recorded_values(
    context: Context, session: Session, arguments: EpisodeArguments
) -> Generator[Wish, Any, np.ndarray]:
    """Recorded Q-values of the episodes of this kind that are nearest, [n, A]."""
    table = yield from context.archive.episodes(session)
    same = np.array([kind == arguments.kind for kind in table["kind"]], bool)
    rows = np.flatnonzero(same & np.asarray(table["recorded"], bool))
    numbers = np.asarray(table["episode"])[rows]
    nearest_first = numbers[np.argsort(np.abs(numbers - arguments.episode))]
    found = [np.zeros((0, session.card.actions))]
    for number in nearest_first[:ROUND].tolist():
        record = yield from context.archive.episode(session, arguments.kind, number)
        q = record.get("q_values")
        if q is not None:
            found.append(q[np.isfinite(q).all(axis=1)])
    return np.concatenate(found)


NEIGHBOURS = Question("neighbours", NeighbourArguments, _neighbours)
GAPS = Question("gaps", EpisodeArguments, _gaps)
