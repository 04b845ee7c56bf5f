"""Turning the rows of trainer and stage into lines of the live store's tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from engine.contract.messages import (
    EpisodeFinished,
    EvaluationFinished,
    Event,
    Rows,
    Scalars,
)
from engine.sessions import recorded, replay_log
from engine.sessions.column_log import FINISHED, TELEMETRY, Columns
from engine.sessions.database import put_meta
from engine.sessions.hdf5 import NAME
from engine.sessions.packing import checksum, pack
from engine.sessions.problems import SessionProblem
from engine.sessions.source import CheckpointRow
from engine.sessions.store_reader import TRAINER, finished, telemetry

UNNUMBERED = -1
"""Row of lines whose source is not the trainer; they are cut by their step."""

KEEPERS_OWN = -2
"""Row of the keeper's own events; they are never cut."""


def check_rows(rows: Rows) -> None:
    """Refuse rows that could not be stored, before they wait with the others.

    Raises:
      SessionProblem: With the reason.
    """
    try:
        for record in rows.episodes:
            recorded.check_record(record)
        if rows.scalars is not None:
            _check_scalars(rows.scalars)
        if rows.replay and "slot" not in rows.replay:
            raise ValueError("replay rows need 'slot'")
        if len({len(it) for it in rows.replay.values()}) > 1:
            raise ValueError("the columns of replay rows differ in length")
    except ValueError as error:
        raise SessionProblem(
            f"Row {rows.number} of the {rows.source} was refused: {error}."
        ) from error


def _check_scalars(scalars: Scalars) -> None:
    bad = [name for name in scalars.names if not NAME.match(name)]
    if bad:
        raise ValueError(f"'{bad[0]}' cannot name a series")
    lengths = {name: len(it) for name, it in scalars.columns.items()}
    if len(set(lengths.values())) > 1 or not {"step", "value"} <= set(lengths):
        raise ValueError("the columns of scalars differ in length or are missing")


class RowWriter:
    """Writes batches of rows; the caller's transaction makes them durable.

    Args:
      series: Names of the series that the store knows already.
    """

    def __init__(self, series: Sequence[str]) -> None:
        self.series = list(series)

    def write(self, connection: sqlite3.Connection, batch: Sequence[Rows]) -> None:
        """All lines of a batch."""
        known = len(self.series)
        lines = [self._scalar_lines(rows) for rows in batch if rows.scalars]
        append_joined(connection, telemetry, TELEMETRY, lines)
        done = [_finished_lines(rows) for rows in batch if rows.finished]
        append_joined(connection, finished, FINISHED, done)
        for rows in batch:
            _put_others(connection, rows)
        telemetry.merge_if_due(connection)
        finished.merge_if_due(connection)
        if len(self.series) > known:
            put_series(connection, self.series)

    def _scalar_lines(self, rows: Rows) -> Columns:
        assert rows.scalars is not None
        names, columns = rows.scalars.names, dict(rows.scalars.columns)
        self.series += [name for name in names if name not in self.series]
        count = len(columns["step"])
        number = np.array([self.series.index(name) for name in names], np.int16)
        columns["series"] = number[columns["series"]] if names else columns["series"]
        columns["row"] = np.full(count, row_of(rows))
        return {name: columns.get(name, np.zeros(count)) for name in TELEMETRY}


def put_series(connection: sqlite3.Connection, series: Sequence[str]) -> None:
    """The names of all series, in the order of their numbers."""
    put_meta(connection, "series", list(series))


def row_of(rows: Rows) -> int:
    """The number under which lines are cut when a run goes on from a checkpoint."""
    return rows.number if rows.source == TRAINER else UNNUMBERED


def append_joined(
    connection: sqlite3.Connection,
    log: Any,
    names: dict[str, str],
    lines: list[Columns],
) -> None:
    """Several batches of lines as one block."""
    if lines:
        log.append(
            connection, {n: np.concatenate([it[n] for it in lines]) for n in names}
        )


def _finished_lines(rows: Rows) -> Columns:
    done = rows.finished
    columns = {name: np.array([getattr(it, name) for it in done]) for name in _SAME}
    columns["evaluation"] = np.array([it.kind == "evaluation" for it in done])
    columns["return"] = np.array([it.episode_return for it in done])
    columns["row"] = np.full(len(done), row_of(rows))
    return columns


_SAME = (
    "episode",
    "step",
    "update",
    "length",
    "terminated",
    "seed",
    "environment",
    "wall_time",
)


def finished_message(line: dict[str, Any]) -> EpisodeFinished:
    """One line of the table of finished episodes as a message."""
    kind = "evaluation" if line["evaluation"] else "training"
    same = {name: line[name].item() for name in _SAME}
    return EpisodeFinished(kind=kind, episode_return=float(line["return"]), **same)  # type: ignore[arg-type]


def _put_others(connection: sqlite3.Connection, rows: Rows) -> None:
    for record in rows.episodes:
        recorded.put_episode(connection, record, row_of(rows))
    if rows.replay and len(rows.replay["slot"]):
        replay_log.put_replay(connection, rows.number, rows.replay)
    for event in rows.events:
        put_event(connection, event, row_of(rows))
    if rows.evaluation is not None:
        put_evaluation(connection, rows.evaluation)


def put_event(connection: sqlite3.Connection, event: Event, row: int) -> None:
    """One event, with the row that brought it."""
    text = msgspec.json.encode(event).decode()
    connection.execute(
        "INSERT INTO event(row, step, crc, json) VALUES(?, ?, ?, ?)",
        (row, event.step, checksum(text, "event", row, event.step), text),
    )


def put_evaluation(connection: sqlite3.Connection, done: EvaluationFinished) -> None:
    """One evaluation; one of the same step is replaced."""
    arrays = {"returns": done.returns, "lengths": done.lengths}
    values = {"update": done.update, "best": done.best, "wall_time": done.wall_time}
    data = pack(values, arrays)
    connection.execute(
        "INSERT OR REPLACE INTO evaluation VALUES(?, ?, ?)",
        (done.step, checksum(data, "evaluation", done.step), data),
    )


def put_checkpoint_row(connection: sqlite3.Connection, row: CheckpointRow) -> None:
    """The entry of a checkpoint in the list."""
    values = row._asdict()
    del values["best"]
    text = json.dumps(values)
    connection.execute(
        "INSERT OR REPLACE INTO checkpoint VALUES(?, ?, ?)",
        (row.number, checksum(text, "checkpoint", row.number), text),
    )


def cut_after(connection: sqlite3.Connection, row: int, step: int) -> int:
    """Remove all lines after a checkpoint; returns how many of the curves."""
    removed = telemetry.cut(connection, row, step)
    finished.cut(connection, row, step)
    recorded.cut_episodes(connection, row, step)
    connection.execute("DELETE FROM replay_log WHERE row > ?", (row,))
    connection.execute("DELETE FROM evaluation WHERE step > ?", (step,))
    connection.execute(
        "DELETE FROM event WHERE row > ? OR (row = ? AND step > ?)",
        (row, UNNUMBERED, step),
    )
    return removed
