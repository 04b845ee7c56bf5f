"""The SQLite file of a live store: how it is opened, its tables, its meta values."""

from __future__ import annotations

import json
import logging
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from engine.sessions.packing import checksum
from engine.sessions.problems import SessionProblem, from_sqlite_error

_log = logging.getLogger(__name__)

FORMAT = 1
DATABASE = "live.sqlite"

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

Row = tuple[Any, ...]

STRANGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
"""What reading a row raises whose CRC is right and whose contents are a stranger's."""

CHECKS: dict[str, tuple[int, Callable[[Row], bool]]] = {
    "meta": (3, lambda r: checksum(r[2], "meta", r[0]) == r[1]),
    "telemetry": (7, lambda r: checksum(r[6], "telemetry", *r[1:5]) == r[5]),
    "finished": (7, lambda r: checksum(r[6], "finished", *r[1:5]) == r[5]),
    "episode": (7, lambda r: checksum(r[6], "episode", *r[1:5]) == r[5]),
    "episode_piece": (6, lambda r: checksum(r[5], "episode_piece", *r[1:4]) == r[4]),
    "replay_log": (
        6,
        lambda r: (
            checksum(r[4], "replay_slots", r[0], r[1]) == r[2]
            and checksum(r[5], "replay_log", r[0]) == r[3]
        ),
    ),
    "checkpoint": (3, lambda r: checksum(r[2], "checkpoint", r[0]) == r[1]),
    "event": (5, lambda r: checksum(r[4], "event", r[1], r[2]) == r[3]),
    "evaluation": (3, lambda r: checksum(r[2], "evaluation", r[0]) == r[1]),
}
"""For each table its number of columns, and whether a row is as it was written."""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection that syncs each commit; transactions are begun by hand."""
    uri = path.resolve().as_uri() + ("?mode=ro" if read_only else "?mode=rwc")
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10.0
    )
    connection.text_factory = _text
    try:
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            # Removed rows become zeros, so that a repair finds only living ones.
            connection.execute("PRAGMA secure_delete=ON")
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
    except BaseException:  # also Ctrl+C must not leave the transaction open
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Errors of SQLite, and contents that make no sense, become a SessionProblem."""
    try:
        yield
    except SessionProblem:
        raise
    except sqlite3.Error as error:
        raise from_sqlite_error(what, error) from error
    except MemoryError as error:
        raise SessionProblem(
            f"{what}: the memory of the computer is used up. Close what you need not "
            "and try again.",
            "io",
        ) from error
    except STRANGE as error:
        # It may also be a mistake of ours: the log then says where.
        _log.warning("%s", what, exc_info=True)
        raise SessionProblem(
            f"{what}: its contents are not those of a session "
            f"({type(error).__name__}). Only what RL Lab recorded can be opened.",
            "foreign",
        ) from error


def put_meta(connection: sqlite3.Connection, key: str, value: Any) -> None:
    """Store a JSON value under a name."""
    text = json.dumps(value)
    row = (key, checksum(text, "meta", key), text)
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
    if checksum(row[1], "meta", key) != row[0]:
        raise SessionProblem(
            f"The value '{key}' of a live store is damaged.", "damaged"
        )
    try:
        return json.loads(row[1])
    except (ValueError, RecursionError) as error:
        raise SessionProblem(
            f"The value '{key}' of a live store cannot be read.", "damaged"
        ) from error


@cache
def _own_schema() -> frozenset[Row]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        create_tables(connection)
        return _schema(connection)


def _schema(connection: sqlite3.Connection) -> frozenset[Row]:
    query = "SELECT type, name, tbl_name, sql FROM sqlite_schema LIMIT 100"
    return frozenset(connection.execute(query))


def is_ours(connection: sqlite3.Connection) -> bool:
    """Whether it has our tables and nothing else: no view, no trigger, no code."""
    return _schema(connection) == _own_schema()


def is_sound(connection: sqlite3.Connection) -> bool:
    """Whether SQLite finds its structure in order, and every meta value is whole."""
    try:
        if not is_ours(connection):
            return False
        if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            return False
        rows = connection.execute("SELECT key, crc, value FROM meta").fetchall()
        check = CHECKS["meta"][1]
        return bool(rows) and all(check(row) for row in rows)
    except sqlite3.Error:
        return False


def _text(data: bytes) -> str:
    """Text of a row; damaged bytes are told by the row's CRC, not by an error."""
    return data.decode("utf-8", "replace")
