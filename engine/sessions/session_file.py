"""The session file, read strictly; the same questions as a live store answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import Checkpoint, EvaluationFinished, Event
from engine.contract.options import ConfigurationError, configuration_from_json
from engine.sessions.beside import check_views
from engine.sessions.checkpoint_files import read_checkpoint, row_from_attributes
from engine.sessions.column_log import FINISHED, TELEMETRY
from engine.sessions.problems import SessionProblem
from engine.sessions.session_parts import SessionParts
from engine.sessions.session_rules import (
    EPISODES,
    EVALUATION,
    EVALUATIONS,
    EVENTS,
    ORDERS,
    PICTURES,
    PROGRESS,
    ROWS,
    SLOTS,
    Row,
    Slots,
    Table,
)
from engine.sessions.source import (
    NEWEST,
    CheckpointRow,
    ResumePoint,
    episode_table,
    mark_best,
)
from engine.sessions.store_reader import no_checkpoint
from engine.sessions.thinning import thin_curve

CONFIGURATION_BYTES = 1 << 18
SPARE_SLOTS = 1 << 16
"""A replay memory may have so many slots beside a few times its capacity."""

_EPISODE_ATTRIBUTES = ("kind", "episode", "step0", "environment", "checkpoint_step")


class SessionFile(SessionParts):
    """A sealed session; see :class:`SessionSource` for the questions."""

    def problems(self) -> list[str]:
        """Damage that was met so far, one sentence each."""
        return list(self._problems)

    def verify(self, progress: Callable[[float], None] | None = None) -> list[str]:
        """Check every block and every object; one sentence for each problem."""
        problems = []
        try:
            self._reader.verify(progress)
            self._reader.check()
            for _ in self._strict.walk():
                pass
            for row in self.checkpoints():
                self.checkpoint(row.step)
        except SessionProblem as problem:
            problems.append(str(problem))
        return problems

    def configuration(self) -> str:
        """The configuration, as ``Configuration.to_json()``."""
        self._strict.json("config_json", CONFIGURATION_BYTES)
        text = self._strict.array("config_json").tobytes().decode()
        try:
            configuration_from_json(text)
        except ConfigurationError as error:
            first = next(iter(error.complaints.values()), str(error))
            raise self._foreign(first.rstrip(".")) from error
        return text

    def card(self) -> dict[str, Any]:
        """The environment, as ``EnvironmentCard.to_dict()``."""
        found = self._mapping("env_json")
        try:
            msgspec.convert(found, EnvironmentCard)
        except msgspec.ValidationError as error:
            raise self._foreign(
                f"its environment is not described ({error})"
            ) from error
        return found

    def views(self) -> dict[str, Any]:
        """What the window keeps with the session."""
        found = self._mapping("views_json")
        try:
            check_views(found)
            msgspec.msgpack.encode(found)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            # JSON that no message can carry: half a character, endless digits.
            raise self._foreign("what the window keeps in it is no text") from error
        return found

    def progress(self) -> dict[str, tuple[int, int]]:
        """For each source the number and the step of its last row."""
        stored = self._mapping("progress_json")
        self._obey(PROGRESS, stored)
        return {source: (int(n), int(step)) for source, (n, step) in stored.items()}

    def summary(self) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        root, evaluation = self._root, self._finished()["evaluation"]
        numbers = self._finished()["episode"][evaluation]
        replay = self._replay_path()
        return {
            "name": self.name,
            "format_version": f"{root['format_major']}.{root['format_minor']}",
            "uuid": root.get("uuid", ""),
            "parent_uuid": root.get("parent_uuid", ""),
            "writer": root.get("writer", ""),
            "created": root.get("created", 0.0),
            "sealed": root.get("sealed", 0.0),
            "live": False,
            "steps": root.get("steps", 0),
            "updates": root.get("updates", 0),
            "episodes": root.get("episodes", 0),
            "evaluation_episodes": len(np.unique(numbers)),
            "recorded": len(self._recorded),
            "checkpoints": len(self.checkpoints()),
            "complete": bool(root.get("complete", 0)),
            "exact_resume": bool(replay) or not self._newest_slots(),
        }

    def series(self) -> list[str]:
        """Names of the measured series."""
        names = self._strict.names("metrics")
        orders = [
            self._strict.attributes(f"metrics/{it}").get("order", 0) for it in names
        ]
        self._obey(ORDERS, orders)
        return [name for _, name in sorted(zip(orders, names, strict=True))]

    def history(self, series: str, max_points: int = 0) -> dict[str, np.ndarray]:
        """See :class:`SessionSource`."""
        wanted = ("step", "value", "wall_time", "update", "episode")
        lines = self.series_lines(series)
        picked = thin_curve(lines["value"], max_points)
        return {name: lines[name][picked] for name in wanted}

    def series_lines(self, series: str) -> dict[str, np.ndarray]:
        """All lines of a series, with the rows that brought them."""
        names = ("step", "value", "wall_time", "update", "episode", "row")
        if series not in self._strict.names("metrics"):
            return {name: np.empty(0) for name in names}
        return self._columns(f"metrics/{series}", names, TELEMETRY)

    def episodes(self) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        options = configuration_from_json(self.configuration())
        environments = options.training.environments
        return episode_table(self._finished(), set(self._recorded), environments)

    def finished_lines(self) -> dict[str, np.ndarray]:
        """The columns of all finished episodes as they came."""
        return self._finished()

    def episode(self, kind: str, index: int, *, frames: bool = True) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        path = self._episode_path(kind, index)
        attributes = self._strict.attributes(path)
        names = self._strict.names(path)
        more = f"{path}/values_json"
        record = self._mapping(more) if "values_json" in names else {}
        record |= {n: attributes[n] for n in _EPISODE_ATTRIBUTES if n in attributes}
        record["seed"] = attributes.get("seed", -1)
        for name in names:
            if name != "values_json" and (frames or name != "frames"):
                record[name] = self._strict.array(f"{path}/{name}")
        self._obey(EPISODES, record)
        return record

    def frames(self, kind: str, index: int, first: int, end: int) -> np.ndarray:
        """See :class:`SessionSource`."""
        path = f"{self._episode_path(kind, index)}/frames"
        if not self._strict.has(path):
            return np.empty((0, 0, 0, 3), np.uint8)
        found = self._strict.array(path, first, end)
        self._obey(PICTURES, found)
        return found

    def events(self) -> list[Event]:
        """See :class:`SessionSource`."""
        return [event for _, event in self.numbered_events()]

    def numbered_events(self) -> list[tuple[int, Event]]:
        """Events with the row that brought each, negative for none."""
        try:
            stored = self._strict.json("events_json")
            events = [(it["row"], msgspec.convert(it["event"], Event)) for it in stored]
        except (TypeError, KeyError, ValueError) as error:
            if isinstance(error, SessionProblem):
                raise
            raise self._foreign("its events are not a list") from error
        for event in events:
            self._obey(EVENTS, event)
        return events

    def checkpoints(self) -> list[CheckpointRow]:
        """See :class:`SessionSource`."""
        return list(self._checkpoints)

    @cached_property
    def _checkpoints(self) -> list[CheckpointRow]:
        rows = []
        for name in self._strict.names("checkpoints"):
            attributes = self._strict.attributes(f"checkpoints/{name}")
            self._obey(ROWS, Row(name, attributes))
            rows.append(row_from_attributes(attributes))
        return mark_best(rows, self.evaluations())

    def checkpoint(self, step: int = NEWEST) -> Checkpoint:
        """See :class:`SessionSource`."""
        rows = [it for it in self.checkpoints() if step in (NEWEST, it.step)]
        if not rows:
            raise no_checkpoint(self.name, step)
        return self.checkpoint_of(rows[-1])

    def checkpoint_of(self, row: CheckpointRow) -> Checkpoint:
        """The checkpoint of an entry in the list."""
        return read_checkpoint(self._strict, f"checkpoints/ck_{row.number}")

    def evaluations(self) -> list[EvaluationFinished]:
        """See :class:`SessionSource`."""
        names = ("step", "update", "best", "wall_time", "count", "returns", "lengths")
        table = self._columns("evaluations", names, EVALUATION, equal=5)
        self._obey(EVALUATIONS, Table("evaluations", table, EVALUATION))
        ends = np.cumsum(table["count"])
        return [
            EvaluationFinished(
                step=int(table["step"][i]),
                update=int(table["update"][i]),
                returns=table["returns"][end - table["count"][i] : end],
                lengths=table["lengths"][end - table["count"][i] : end],
                best=bool(table["best"][i]),
                wall_time=float(table["wall_time"][i]),
            )
            for i, end in enumerate(ends)
        ]

    def resume_point(self) -> ResumePoint:
        """See :class:`SessionSource`."""
        rows = self.checkpoints()
        if not rows:
            raise no_checkpoint(self.name, NEWEST)
        row, path = rows[-1], self._replay_path()
        checkpoint, replay, note = self.checkpoint_of(row), {}, ""
        if path:
            replay = self.replay_lines(0, self.replay_count())
        elif row.replay_slots:
            note = "The replay memory starts empty: it is not in the session file."
        return ResumePoint(checkpoint, replay, row.rows + 1, row.step, not note, note)

    def replay_count(self) -> int:
        """Lines of the replay memory of the newest checkpoint; 0 where it is not in."""
        path = self._replay_path()
        return self._strict.shape(f"{path}/slot")[0] if path else 0

    def replay_lines(self, first: int, end: int) -> dict[str, np.ndarray]:
        """So many of them, as they are loaded back into the memory."""
        path = self._replay_path()
        lines = {
            name: self._strict.array(f"{path}/{name}", first, end)
            for name in self._strict.names(path)
        }
        options = configuration_from_json(self.configuration())
        slots = options.training.seeds * options.replay.capacity
        self._obey(SLOTS, Slots(lines, 4 * slots + SPARE_SLOTS))
        return lines

    def episode_row(self, kind: str, index: int) -> int:
        """The row that brought a recorded episode."""
        path = self._episode_path(kind, index)
        return int(self._strict.attributes(path).get("row", -1))

    def recorded_keys(self) -> list[tuple[str, int]]:
        """Kind and number of every recorded episode, in the order of the file."""
        return list(self._recorded)

    # ------------------------------------------------------------- insides

    @cached_property
    def _recorded(self) -> dict[tuple[str, int], int]:
        names = {"evaluation": "b1", "episode": "i8"}
        table = self._columns("recorded", tuple(names), names)
        kinds = np.where(table["evaluation"], "evaluation", "training").tolist()
        keys = zip(kinds, table["episode"].tolist(), strict=True)
        return {key: position for position, key in enumerate(keys)}

    def _finished(self) -> dict[str, np.ndarray]:
        return self._columns("finished", tuple(FINISHED), FINISHED)

    def _episode_path(self, kind: str, index: int) -> str:
        position = self._recorded.get((kind, index))
        if position is None:
            raise SessionProblem(
                f"There is no recorded {kind} episode {index} in this session."
            )
        return f"episodes/episode_{position}"

    def _newest_slots(self) -> int:
        rows = self.checkpoints()
        return rows[-1].replay_slots if rows else 0

    def _replay_path(self) -> str:
        rows = self.checkpoints()
        path = f"checkpoints/ck_{rows[-1].number}/replay_slots" if rows else ""
        return path if path and self._strict.has(path) else ""
