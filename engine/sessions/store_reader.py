"""Reading a live store: the questions of a session, asked of SQLite and ck files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import msgspec
import numpy as np

from engine.contract.messages import Checkpoint, EvaluationFinished, Event
from engine.contract.options import Configuration, configuration_from_json
from engine.sessions import recorded, replay_log
from engine.sessions.checkpoint_reading import CheckpointReading
from engine.sessions.column_log import FINISHED, TELEMETRY, ColumnLog
from engine.sessions.database import (
    DATABASE,
    STRANGE,
    connect,
    get_meta,
    is_ours,
    telling,
)
from engine.sessions.live_folder import naming
from engine.sessions.live_members import check_members
from engine.sessions.packing import checksum, unpack
from engine.sessions.problems import SessionProblem
from engine.sessions.replay_spool import gathered
from engine.sessions.source import (
    NEWEST,
    CheckpointRow,
    ResumePoint,
    episode_table,
    mark_best,
)
from engine.sessions.thinning import thin_curve

TRAINER = "trainer"
REPLAY_LOST = "replay_lost"
"""Set where the log of the replay memory has been given up."""
LEAST_KEPT = 0.8
"""A whole checkpoint from before this share of the steps is too long ago to go back."""

telemetry = ColumnLog("telemetry", TELEMETRY, part="series")
finished = ColumnLog("finished", FINISHED)


class _Counts(NamedTuple):
    """What the finished episodes say: how many of each kind, and the updates."""

    training: int
    evaluation: int
    updates: int


Asked = ParamSpec("Asked")
Found = TypeVar("Found")
Question = Callable[Concatenate["StoreReader", Asked], Found]


def question(answer: Question[Asked, Found]) -> Question[Asked, Found]:
    """A folder may be a stranger's: whatever reading it raises is a sentence."""

    @wraps(answer)
    def careful(
        self: StoreReader, /, *arguments: Asked.args, **more: Asked.kwargs
    ) -> Found:
        with telling(f"The session '{self.name}' cannot be read"):
            return answer(self, *arguments, **more)

    return careful


class StoreReader:
    """Answers from the committed rows of a live store.

    Args:
      folder: ``NAME.live``.
      connection: To its database; a transaction makes all answers of one moment.

    Attributes:
      files: Its checkpoints.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder, self._connection = folder, connection
        self._problems: list[str] = []
        self.files = CheckpointReading(folder)

    @classmethod
    def snapshot(cls, folder: Path) -> StoreReader:
        """A second reader that sees the store as it is now, while it is written."""
        check_members(folder)
        what = f"The session '{folder.stem}' cannot be read"
        with telling(what), ExitStack() as unless_read:
            connection = connect(folder / DATABASE, read_only=True)
            unless_read.callback(connection.close)
            connection.execute("BEGIN")
            if not is_ours(connection):
                raise SessionProblem(f"{what}: it is damaged.", "damaged")
            unless_read.pop_all()
        return cls(folder, connection)

    @property
    def name(self) -> str:
        """The session's name, without folder and ending."""
        return self.folder.stem

    @property
    def connection(self) -> sqlite3.Connection:
        """For those who copy rows out of the store."""
        return self._connection

    def close(self) -> None:
        """Let go of the database and the checkpoints."""
        self.files.close()
        self._connection.close()

    def problems(self) -> list[str]:
        """Damage that was met so far, one sentence each."""
        return list(self._problems)

    @question
    def meta(self, key: str, default: Any = None) -> Any:
        """One of the values that are stored by name."""
        return get_meta(self._connection, key, default)

    @question
    def progress(self) -> dict[str, tuple[int, int]]:
        """For each source the number and the step of its last durable row."""
        stored = self.meta("progress", {})
        return {source: (int(n), int(step)) for source, (n, step) in stored.items()}

    @question
    def configuration(self) -> str:
        """The configuration, as ``Configuration.to_json()``."""
        return str(self.meta("configuration", "{}"))

    @question
    def options(self) -> Configuration:
        """The configuration, read."""
        return configuration_from_json(self.configuration())

    @question
    def card(self) -> dict[str, Any]:
        """The environment, as ``EnvironmentCard.to_dict()``."""
        return dict(self.meta("card", {}))

    @question
    def views(self) -> dict[str, Any]:
        """What the window keeps with the session."""
        return dict(self.meta("views", {}))

    def series(self) -> list[str]:
        """Names of the measured series."""
        names = self.meta("series", [])
        return [str(name) for name in names] if isinstance(names, list) else []

    @question
    def summary(self) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        rows = self.checkpoints()
        newest = rows[-1] if rows else None
        steps = max(
            self.progress().get(TRAINER, (-1, 0))[1], newest.step if newest else 0
        )
        done = self._counts()
        return {
            "name": self.name,
            "format_version": "live",
            "uuid": self.meta("uuid", ""),
            "parent_uuid": self.meta("parent_uuid", ""),
            "writer": self.meta("writer", ""),
            "created": self.meta("created", 0.0),
            "sealed": float(self.meta("sealed", {}).get("time", 0.0)),
            "live": True,
            "steps": steps,
            "updates": max(done.updates, newest.update if newest else 0),
            "episodes": done.training,
            "evaluation_episodes": done.evaluation,
            "recorded": len(recorded.recorded_keys(self._connection)),
            "checkpoints": len(rows),
            "complete": newest is not None and newest.step >= steps,
            "replay_bytes": replay_log.replay_bytes(self._connection),
        }

    def _counts(self) -> _Counts:
        columns = finished.read(self._connection, None, self.tell)
        numbers, evaluation = columns["episode"], columns["evaluation"]
        training, evaluated = np.unique(numbers[~evaluation]), numbers[evaluation]
        updates = int(columns["update"].max(initial=0))
        return _Counts(len(training), len(np.unique(evaluated)), updates)

    def history(self, series: str, max_points: int = 0) -> dict[str, np.ndarray]:
        """See :class:`SessionSource`."""
        lines = self.series_lines(series)
        picked = thin_curve(lines["value"], max_points)
        wanted = ("step", "value", "wall_time", "update", "episode")
        return {name: lines[name][picked] for name in wanted}

    @question
    def series_lines(self, series: str) -> dict[str, np.ndarray]:
        """All lines of a series, with the rows that brought them."""
        names = self.series()
        if series not in names:
            return telemetry.empty()
        return telemetry.read(self._connection, names.index(series), self.tell)

    @question
    def episodes(self) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        columns = finished.read(self._connection, None, self.tell)
        keys = set(recorded.recorded_keys(self._connection))
        environments = self.options().training.environments
        return episode_table(columns, keys, environments)

    @question
    def finished_lines(self) -> dict[str, np.ndarray]:
        """The columns of all finished episodes as they came."""
        return finished.read(self._connection, None, self.tell)

    @question
    def stored_episode(self, kind: str, index: int) -> recorded.StoredEpisode:
        """A recorded episode whose arrays are read on demand."""
        return recorded.StoredEpisode(self._connection, kind, index)

    @question
    def episode(self, kind: str, index: int, *, frames: bool = True) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        return self.stored_episode(kind, index).record(frames=frames)

    @question
    def frames(self, kind: str, index: int, first: int, end: int) -> np.ndarray:
        """See :class:`SessionSource`."""
        stored = self.stored_episode(kind, index)
        if "frames" not in stored.shapes:
            return np.empty((0, 0, 0, 3), np.uint8)
        return stored.array("frames", first, end)

    def events(self) -> list[Event]:
        """See :class:`SessionSource`."""
        return [event for _, event in self.numbered_events()]

    @question
    def numbered_events(self) -> list[tuple[int, Event]]:
        """Events with the row that brought each, -1 for none."""
        query = "SELECT row, step, crc, json FROM event ORDER BY seq"
        found = []
        for row, step, crc, text in self._connection.execute(query):
            if checksum(text, "event", row, step) != crc:
                self.tell("an event is damaged")
                continue
            try:
                found.append((row, msgspec.json.decode(text, type=Event)))
            except msgspec.MsgspecError:
                self.tell("an event cannot be read")
        return found

    def checkpoints(self) -> list[CheckpointRow]:
        """See :class:`SessionSource`."""
        rows = []
        query = "SELECT number, crc, json FROM checkpoint ORDER BY number"
        for number, crc, text in self._connection.execute(query):
            if checksum(text, "checkpoint", number) != crc:
                self.tell(f"the entry of checkpoint {number} is damaged")
                continue
            try:
                rows.append(_entry(text))
            except (TypeError, ValueError, RecursionError):
                self.tell(f"the entry of checkpoint {number} cannot be read")
        return mark_best(rows, self.evaluations())

    def checkpoint(self, step: int = NEWEST) -> Checkpoint:
        """See :class:`SessionSource`."""
        rows = [it for it in self.checkpoints() if step in (NEWEST, it.step)]
        if not rows:
            raise no_checkpoint(self.name, step)
        return self._read_checkpoint(rows[-1])

    @question
    def evaluations(self) -> list[EvaluationFinished]:
        """See :class:`SessionSource`."""
        found = []
        query = "SELECT step, crc, data FROM evaluation ORDER BY step"
        for step, crc, data in self._connection.execute(query):
            if checksum(data, "evaluation", step) != crc:
                self.tell(f"the evaluation of step {step} is damaged")
                continue
            try:
                found.append(_evaluation(step, data))
            except STRANGE:
                self.tell(f"the evaluation of step {step} cannot be read")
        return found

    def resume_point(self) -> ResumePoint:
        """See :class:`SessionSource`: the newest one, or a whole one not long before.

        Steps after a whole one are trained again as they were. But a run whose
        replay memory was never kept is whole at its very beginning only.
        """
        newest: ResumePoint | None = None
        for row in reversed(self.checkpoints()):
            if newest and row.step < LEAST_KEPT * newest.step:
                break
            point = self._resume_at(row)
            if point and point.exact:
                return point
            newest = newest or point
        if newest is None:
            raise no_checkpoint(self.name, NEWEST)
        return newest

    def resume_point_at(self, step: int) -> ResumePoint:
        """Where a run could have gone on at the checkpoint of this step.

        Raises:
          SessionProblem: If there is none of this step, or it cannot be used.
        """
        for row in self.checkpoints():
            point = self._resume_at(row) if row.step == step else None
            if point is not None:
                return point
        raise no_checkpoint(self.name, step)

    def tell(self, text: str) -> None:
        """Remember damage that was met."""
        sentence = text[0].upper() + text[1:] + "."
        if sentence not in self._problems:
            self._problems.append(sentence)

    def replay_lines(self, row: CheckpointRow) -> Iterator[dict[str, np.ndarray]]:
        """The replay memory at a checkpoint, in pieces."""
        return replay_log.each_lines(
            self._connection, row.rows, row.replay_row, self.tell
        )

    def _read_checkpoint(self, row: CheckpointRow) -> Checkpoint:
        return self.files.checkpoint(row.number)[0]

    def _resume_at(self, row: CheckpointRow) -> ResumePoint | None:
        try:
            checkpoint = self._read_checkpoint(row)
        except SessionProblem as problem:
            self.tell(f"the checkpoint of step {row.step} cannot be used: {problem}")
            return None
        first_row, notes = row.rows + 1, self._missing(row)
        replay: dict[str, np.ndarray] = {}
        if not notes:
            what = f"The replay of the session '{self.name}' cannot be read"
            with naming(what), telling(what):
                lines = replay_log.each_lines(
                    self._connection, row.rows, row.replay_row, notes.append
                )
                replay = gathered(lines, row.replay_slots, self.folder)
        if not notes and len(replay.get("slot", ())) != row.replay_slots:
            notes.append("part of the replay memory is missing")
        note = f"The replay memory starts empty: {notes[0]}." if notes else ""
        replay = {} if notes else replay
        return ResumePoint(checkpoint, replay, first_row, row.step, not notes, note)

    def _missing(self, row: CheckpointRow) -> list[str]:
        if self.meta(REPLAY_LOST, False):
            return ["it was not recorded any more when the disk was nearly full"]
        if row.rows <= self.progress().get(TRAINER, (-1, 0))[0]:
            return []
        return ["rows before this checkpoint were lost"]


def _entry(text: str) -> CheckpointRow:
    """A line of the list of checkpoints; raises what msgspec does for other types."""
    return msgspec.convert([*CheckpointRow(**json.loads(text))], CheckpointRow)


def _evaluation(step: int, data: bytes) -> EvaluationFinished:
    values, arrays = unpack(data)
    return EvaluationFinished(step=step, **(values | arrays))


def no_checkpoint(name: str, step: int) -> SessionProblem:
    """The sentence for a checkpoint that is not there."""
    if step == NEWEST:
        return SessionProblem(
            f"The session '{name}' has no checkpoint that can be used, so there is "
            "nothing to continue from. Its curves and episodes can still be seen."
        )
    return SessionProblem(
        f"The session '{name}' has no checkpoint of step {step}. 'rllab inspect' "
        "lists what it has."
    )
