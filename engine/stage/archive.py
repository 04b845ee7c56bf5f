"""What the stage knows of the session that the keeper has open."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.contract.arrays import network_arrays as networks_of
from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import Event, SessionStatus
from engine.contract.options import (
    Configuration,
    OptionHistory,
    configuration_from_json,
)
from engine.environments import describe
from engine.stage.cache import ByteCache, array_bytes
from engine.stage.identity import Past
from engine.stage.jobs import OTHERS, RequestFailed, Wish, ask

EPISODE_BYTES = 64 * 2**20
READ_AHEAD_BYTES = 56 * 2**20
"""The rest is for what is asked for."""
RECORD_BYTES = 3_000
"""Of an episode beside its numbers; of a short one that is most."""
BRANCH_BYTES = 32 * 2**20
WEIGHT_BYTES = 64 * 2**20
COMMIT_S = 0.15
"""A row that has been told is durable after so long."""
MORE_TRIES = 3


class NoBranch(ValueError):
    """A branch is asked about that nobody has asked to hold."""


class NoSession(ValueError):
    """A question needs a session, and none is open."""


@dataclass(frozen=True, slots=True)
class Session:
    """The session that is open: live or a file, it makes no difference here.

    Attributes:
      text: The configuration that the run was started with.
      configuration: The options; those of a moment where :meth:`Archive.as_of` gave it.
      changes: How many live options had been changed up to that moment.
      options: Those that are in force now, as JSON text.
      live: A run writes to it.
      cuts: See ``SessionStatus``.
    """

    uuid: str
    text: str
    configuration: Configuration
    live: bool
    cuts: int = 0
    changes: int = 0
    options: str = field(default="", compare=False)

    def was_run_with(self, configuration: Configuration) -> bool:
        """Whether these are its options, at the start or now."""
        return configuration.to_json() in (self.text, self.options)

    @property
    def past(self) -> Past:
        """What was recorded, to which all that is remembered belongs.

        A run that goes back and on from there records the same numbers anew.
        """
        return self.uuid, self.cuts

    @property
    def key(self) -> tuple[str, str]:
        """What tells sessions apart."""
        return self.uuid, self.text

    @property
    def card(self) -> EnvironmentCard:
        """What its environment offers."""
        return describe(self.configuration.environment)


class Archive:
    """Asks the keeper, and remembers what cannot change."""

    def __init__(self) -> None:
        self._episodes: ByteCache[dict[str, Any]] = ByteCache(EPISODE_BYTES)
        self._weights: ByteCache[dict[str, np.ndarray]] = ByteCache(WEIGHT_BYTES)
        self._branches: ByteCache[dict[str, Any]] = ByteCache(BRANCH_BYTES)
        self._coming: set[tuple[Past, str, int]] = set()
        self._table: dict[str, Any] | None = None
        self._steps: list[int] | None = None
        self._options: OptionHistory | None = None
        self._told: list[Event] = []
        self._news = 0
        self._session: Session | None = None

    def on_status(self, status: SessionStatus) -> None:
        """The supervisor says which session is open; an empty path says none."""
        self.forget_steps()
        if not status.path or not status.configuration:
            self._session = None
            return
        known = self._session
        if known is None or known.past != (status.uuid, status.cuts):
            self._episodes.clear()  # what is gone makes room
            self._options, self._told = None, []
        if known is None or known.key != (status.uuid, status.configuration):
            configuration = configuration_from_json(status.configuration)
            known = Session(
                status.uuid, status.configuration, configuration, status.live
            )
        self._session = replace(
            known, live=status.live, cuts=status.cuts, options=status.options
        )

    @property
    def open(self) -> Session | None:
        """The open session, or None."""
        return self._session

    def session(self) -> Session:
        """The open session.

        Raises:
          NoSession: If there is none.
        """
        if self._session is None:
            raise NoSession("No session is open. Press Train or open a session file.")
        return self._session

    def on_event(self, event: Event) -> None:
        """A live option has changed just now."""
        if self._options is not None:
            self._options.note(event)
        else:
            self._told.append(event)

    def as_of(self, session: Session, step: int) -> Generator[Wish, Any, Session]:
        """The session with the options with which this training step was made."""
        history = yield from self.history(session)
        options, changes = history.at(step), history.count(step)
        return replace(session, configuration=options, changes=changes)

    def history(self, session: Session) -> Generator[Wish, Any, OptionHistory]:
        """What its options were; where the keeper cannot tell, those of its start.

        Whoever looks at the events is told why.
        """
        history = self._options
        if history is None:
            history = OptionHistory(session.configuration, self._told)
            try:
                found = yield from ask("keeper", "events", of=session.uuid)
            except RequestFailed:
                found = {}
            for event in found.get("events", ()):
                history.note(Event(**event))
            now = self._session
            if found and now is not None and now.past == session.past:
                self._options, self._told = history, []
        return history

    def episode(
        self, session: Session, kind: str, episode: int
    ) -> Generator[Wish, Any, dict[str, Any]]:
        """The EpisodeRecord without its frames.

        Raises:
          NoBranch: If it is of the kind ``branch`` and is not held any more.
        """
        if kind == "branch":
            return self._branch(session, episode)
        key = (session.past, kind, episode)
        while key in self._coming:  # another question has asked for it
            yield OTHERS
        found = self._episodes.get(key)
        if found is None:
            self._coming.add(key)
            try:
                found = yield from _recorded(session, kind, episode)
            finally:
                self._coming.discard(key)
            self._put(key, found)
        return found

    def episodes(self, session: Session) -> Generator[Wish, Any, dict[str, Any]]:
        """All finished episodes, in columns; see ``sessions.SessionSource``.

        Of a file they are asked for once: many rows take the keeper a while, in which
        nobody else is answered.
        """
        if self._table is not None:
            return self._table
        news = self._news
        table = yield from ask("keeper", "episodes", of=session.uuid)
        if news == self._news and not session.live:
            self._table = table
        return table

    def bring(
        self,
        session: Session,
        wanted: Iterable[tuple[str, int]],
        *,
        others_wait: bool = True,
    ) -> Generator[Wish, Any, int]:
        """Have these at hand, by one question to the keeper; some may be missing.

        Args:
          session: Whose they are.
          wanted: Kind and number of each.
          others_wait: Whoever wants one of them meanwhile waits for this answer.

        Returns:
          How many have come.

        Raises:
          RequestFailed: If the keeper cannot answer.
        """
        keys = {(session.past, *it) for it in wanted if it[0] != "branch"}
        keys = {it for it in keys if it not in self._episodes} - self._coming
        if len(keys) < (2 if others_wait else 1):
            return 0  # a single one is asked for by whoever needs it
        claimed = keys if others_wait else set()
        self._coming |= claimed
        named = sorted([kind, number] for _, kind, number in keys)
        try:
            found = yield from ask(
                "keeper", "some_episodes", of=session.uuid, wanted=named
            )
        finally:
            self._coming -= claimed
        for record in found["records"]:
            key = (session.past, record["kind"], record["episode"])
            self._put(key, record)
        return len(found["records"])

    def holds(self, session: Session, kind: str, episode: int) -> bool:
        """Whether this one is at hand."""
        return (session.past, kind, episode) in self._episodes

    def _put(self, key: Hashable, record: dict[str, Any]) -> None:
        self._episodes.put(key, record, array_bytes(record) + RECORD_BYTES)

    @property
    def has_room(self) -> bool:
        """Whether more episodes may be brought that nobody has asked for."""
        return self._episodes.bytes < READ_AHEAD_BYTES

    def hold(self, session: Session, record: dict[str, Any]) -> None:
        """Keep the record of a branch, until others need its place."""
        key = (session.uuid, record["episode"])
        self._branches.put(key, record, array_bytes(record))

    def _branch(self, session: Session, number: int) -> dict[str, Any]:
        found = self._branches.get((session.uuid, number))
        if found is None:
            raise NoBranch("This branch was let go of. Choose it again in the list.")
        return found

    def stored_frames(
        self, session: Session, kind: str, episode: int, first: int, last: int
    ) -> Generator[Wish, Any, np.ndarray]:
        """Frames that the session holds, [k, H, W, 3]; none where it holds none."""
        found = yield from ask(
            "keeper",
            "stored_frames",
            of=session.uuid,
            kind=kind,
            episode=episode,
            first=first,
            end=last + 1,
        )
        return np.asarray(found["frames"])

    def checkpoint_steps(self) -> Generator[Wish, Any, list[int]]:
        """Training steps of all kept checkpoints, ascending.

        They are asked for again once :meth:`forget_steps` was called.
        """
        if self._steps is not None:
            return self._steps
        session, news = self._session, self._news
        of = session.uuid if session is not None else ""
        table = yield from ask("keeper", "checkpoints", of=of)
        steps = sorted({int(step) for step in table["step"]})
        if session is not None and news == self._news:
            self._steps = steps
        return steps

    def on_kept(self, steps: list[int]) -> None:
        """The checkpoints that are there now; an empty list says nothing."""
        self.forget_steps()
        self._steps = steps or None

    def forget_steps(self) -> None:
        """There are other checkpoints than before, or the keeper is another one."""
        self._steps = self._table = None
        self._news += 1

    def weights(
        self, session: Session, step: int
    ) -> Generator[Wish, Any, dict[str, np.ndarray]]:
        """Both networks of the checkpoint of exactly this step."""
        key = (session.past, step)
        found = self._weights.get(key)
        if found is None:
            found = network_arrays((yield from self._checkpoint(session, step)))
            self._weights.put(key, found, array_bytes(found))
        return found

    def memory(
        self, session: Session, step: int
    ) -> Generator[Wish, Any, dict[str, np.ndarray]]:
        """State of the replay memory in a checkpoint, but for what lies in its slots.

        Raises:
          RequestFailed: If there is none.
        """
        key = (session.past, step, "memory")
        found = self._weights.get(key)
        if found is None:
            arrays = yield from self._checkpoint(session, step)
            found = _below(arrays, "agent/memory/")
            if "priorities/raw" not in found:
                raise RequestFailed("This checkpoint does not hold a replay memory.")
            self._weights.put(key, found, array_bytes(found))
        return found

    def _checkpoint(
        self, session: Session, step: int
    ) -> Generator[Wish, Any, dict[str, np.ndarray]]:
        try:
            result = yield from ask("keeper", "checkpoint", of=session.uuid, step=step)
        except RequestFailed:
            self.forget_steps()  # it may have made room for others
            raise
        arrays: dict[str, np.ndarray] = result["arrays"]
        return arrays

    def nearest_checkpoint(self, wanted: int) -> Generator[Wish, Any, int | None]:
        """Step of the newest checkpoint that is not after ``wanted``.

        The oldest one where all are later, None where there is none at all.
        """
        steps = yield from self.checkpoint_steps()
        before = [step for step in steps if step <= wanted]
        return before[-1] if before else (steps[0] if steps else None)

    def closest_checkpoint(
        self, session: Session, wanted: int
    ) -> Generator[Wish, Any, int | None]:
        """Step of the checkpoint nearest to ``wanted``, which may be after it.

        One that learned by other options only if there is none with the same.
        """
        steps = yield from self.checkpoint_steps()
        history = yield from self.history(session)
        apart = {it for it in steps if history.switches(*sorted((it, wanted)))}
        near = sorted(steps, key=lambda it: (it in apart, abs(it - wanted), it))
        return near[0] if near else None


def network_arrays(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """``online/...`` and ``target/...`` out of the leaves of a checkpoint.

    Raises:
      RequestFailed: If there are none.
    """
    found = networks_of(arrays)
    if not found:
        raise RequestFailed("This checkpoint holds no network. Choose another one.")
    return found


def _below(arrays: dict[str, np.ndarray], group: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(group): array
        for name, array in arrays.items()
        if name.startswith(group)
    }


def _recorded(
    session: Session, kind: str, episode: int
) -> Generator[Wish, Any, dict[str, Any]]:
    """Of a run that goes on the newest episode may be told before it is durable."""
    wanted = {"kind": kind, "episode": episode, "frames": False, "of": session.uuid}
    for _ in range(MORE_TRIES if session.live else 0):
        try:
            return (yield from ask("keeper", "episode", **wanted))
        except RequestFailed:
            yield COMMIT_S
    return (yield from ask("keeper", "episode", **wanted))
