"""The SQLite file of a live store: how it is opened, its tables, its meta values."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.sessions.packing import checksum
from engine.sessions.problems import SessionProblem, from_sqlite_error

FORMAT = 1

SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, crc INTEGER NOT NULL, value TEXT NOT NULL);
CREATE TABLE telemetry(
    seq INTEGER PRIMARY KEY, part INTEGER NOT NULL, last_row INTEGER NOT NULL,
    last_step INTEGER NOT NULL, count INTEGER NOT NULL, crc INTEGER NOT NULL,
    data BLOB NOT NULL);
CREATE INDEX telemetry_part ON telemetry(part);
CREATE TABLE finished(
    seq INTEGER PRIMARY KEY, part INTEGER NOT NULL, last_row INTEGER NOT NULL,
    last_step INTEGER NOT NULL, count INTEGER NOT NULL, crc INTEGER NOT NULL,
    data BLOB NOT NULL);
CREATE INDEX finished_part ON finished(part);
CREATE TABLE episode(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, episode INTEGER NOT NULL,
    row INTEGER NOT NULL, step INTEGER NOT NULL, crc INTEGER NOT NULL,
    head TEXT NOT NULL);
CREATE UNIQUE INDEX episode_key ON episode(kind, episode);
CREATE TABLE episode_piece(
    id INTEGER PRIMARY KEY, owner INTEGER NOT NULL, name TEXT NOT NULL,
    piece INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
CREATE UNIQUE INDEX episode_piece_key ON episode_piece(owner, name, piece);
CREATE TABLE replay_log(
    row INTEGER PRIMARY KEY, previous INTEGER NOT NULL,
    slots_crc INTEGER NOT NULL, crc INTEGER NOT NULL,
    slots BLOB NOT NULL, data BLOB NOT NULL);
CREATE TABLE checkpoint(
    number INTEGER PRIMARY KEY, crc INTEGER NOT NULL, json TEXT NOT NULL);
CREATE TABLE event(
    seq INTEGER PRIMARY KEY, row INTEGER NOT NULL, step INTEGER NOT NULL,
    crc INTEGER NOT NULL, json TEXT NOT NULL);
CREATE TABLE evaluation(
    step INTEGER PRIMARY KEY, crc INTEGER NOT NULL, data BLOB NOT NULL);
"""

TABLES = (
    "meta",
    "telemetry",
    "finished",
    "episode",
    "episode_piece",
    "replay_log",
    "checkpoint",
    "event",
    "evaluation",
)


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection that syncs each commit; transactions are begun by hand."""
    uri = path.resolve().as_uri() + ("?mode=ro" if read_only else "?mode=rwc")
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10.0
    )
    try:
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        # A file is material, not an instruction: no code of a schema is trusted.
        connection.execute("PRAGMA trusted_schema=OFF")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def create_tables(connection: sqlite3.Connection) -> None:
    """All tables, in one transaction."""
    with transaction(connection):
        for statement in SCHEMA.split(";"):
            if statement.strip():
                connection.execute(statement)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything of the block is durable when it ends, or nothing of it happened."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Errors of SQLite in the block become a :class:`SessionProblem`."""
    try:
        yield
    except sqlite3.Error as error:
        raise from_sqlite_error(what, error) from error


def put_meta(connection: sqlite3.Connection, key: str, value: Any) -> None:
    """Store a JSON value under a name."""
    text = json.dumps(value)
    row = (key, checksum(text.encode(), key), text)
    connection.execute("INSERT OR REPLACE INTO meta VALUES(?, ?, ?)", row)


def get_meta(connection: sqlite3.Connection, key: str, default: Any = None) -> Any:
    """The JSON value of a name.

    Raises:
      SessionProblem: If its row is damaged.
    """
    query = "SELECT crc, value FROM meta WHERE key = ?"
    row = connection.execute(query, (key,)).fetchone()
    if row is None:
        return default
    if not isinstance(row[1], str) or checksum(row[1].encode(), key) != row[0]:
        raise SessionProblem(
            f"The value '{key}' of a live store is damaged.", "damaged"
        )
    return json.loads(row[1])


def is_sound(connection: sqlite3.Connection) -> bool:
    """What SQLite's own quick check says of the structure."""
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.Error:
        return False
