"""A new database from a damaged one: every row that is whole goes on living."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from engine.sessions.checkpoint_files import checkpoint_numbers
from engine.sessions.checkpoint_reading import AT_ONCE, CheckpointReading
from engine.sessions.database import (
    CHECKS,
    connect,
    create_tables,
    get_meta,
    is_sound,
    put_meta,
    transaction,
)
from engine.sessions.durable import replace_database
from engine.sessions.live_folder import read_identity
from engine.sessions.problems import SessionProblem
from engine.sessions.raw_database import committed_frames, each_row, read_pages


def open_sound(path: Path, folder: Path) -> tuple[sqlite3.Connection, str]:
    """A connection to the database, repaired where it is damaged.

    Returns:
      The connection, and a sentence that says what was repaired (or nothing).

    Raises:
      SessionProblem: If not even the identity of the run is left.
    """
    wal = path.with_name(path.name + "-wal")
    frames = committed_frames(wal)
    connection: sqlite3.Connection | None = None
    try:
        connection = connect(path)
        _, known, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if max(0, known) >= frames and is_sound(connection):
            return connection, ""
    except sqlite3.DatabaseError:
        pages = read_pages(path)
    else:
        pages = read_pages(path)
    if connection is not None:
        connection.close()
    return _rebuild(path, folder, pages)


def _rebuild(
    path: Path, folder: Path, pages: dict[int, bytes]
) -> tuple[sqlite3.Connection, str]:
    new = path.with_name(f"{path.name}.rebuilt")
    new.unlink(missing_ok=True)
    connection = connect(new)
    try:
        create_tables(connection)
        with transaction(connection):
            saved = sum(_save(connection, *row) for row in each_row(pages))
            _complete(connection, folder)
        connection.execute("PRAGMA journal_mode=DELETE")
    finally:
        connection.close()
    replace_database(new, path)
    text = (
        f"The live store was damaged and has been repaired: {saved} records are whole"
    )
    return connect(path), f"{text}, the others are lost."


def _save(connection: sqlite3.Connection, row_id: int, values: tuple[Any, ...]) -> bool:
    """Put a row back into the table that its CRC belongs to."""
    for table, (columns, check) in CHECKS.items():
        if len(values) != columns:
            continue
        # SQLite leaves the column empty that is the row's id.
        row = (row_id, *values[1:]) if values[0] is None else values
        if check(row):
            marks = ", ".join("?" * columns)
            query = f"INSERT OR IGNORE INTO {table} VALUES({marks})"
            return connection.execute(query, row).rowcount == 1
    return False


def _complete(connection: sqlite3.Connection, folder: Path) -> None:
    """Meta values that are lost, from elsewhere."""
    head = read_identity(folder) or _head_of_checkpoint(folder)
    for key, value in head.items():
        if get_meta(connection, key) is None:
            put_meta(connection, key, value)
    if get_meta(connection, "configuration") is None:
        raise SessionProblem(
            f"The live store '{folder.name}' is damaged so badly that not even its "
            "configuration is left. Restore it from a copy.",
            "damaged",
        )
    if get_meta(connection, "progress") is None:
        query = (
            "SELECT max(last_row), max(last_step) FROM (SELECT last_row, last_step "
            "FROM telemetry UNION ALL SELECT row, 0 FROM replay_log "
            "UNION ALL SELECT row, step FROM event)"
        )
        row, step = connection.execute(query).fetchone()
        if row is not None and row >= 0:
            put_meta(connection, "progress", {"trainer": [row, step]})
    if get_meta(connection, "series") is None:
        query = "SELECT ifnull(max(part), -1) + 1 FROM telemetry"
        (count,) = connection.execute(query).fetchone()
        put_meta(connection, "series", [f"series_{it}" for it in range(count)])


def _head_of_checkpoint(folder: Path) -> dict[str, Any]:
    with CheckpointReading(folder) as files:
        for number in reversed(checkpoint_numbers(folder)[-AT_ONCE:]):
            try:
                return files.checkpoint(number)[1]
            except SessionProblem:
                continue
    return {}
