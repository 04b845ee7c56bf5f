"""Recorded episodes in the live store: a head, and arrays in pieces up to 1 MB."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engine.sessions.packing import (
    PIECE_BYTES,
    array_bytes,
    check_array,
    checksum,
    expand,
    squeeze,
)
from engine.sessions.problems import SessionProblem

KINDS = ("training", "evaluation")
Record = dict[str, Any]


def check_record(record: Mapping[str, Any]) -> None:
    """Refuse a record that could not be found again.

    Raises:
      ValueError: If its kind, number or actions are missing.
    """
    if record.get("kind") not in KINDS or not isinstance(record.get("episode"), int):
        raise ValueError("a recorded episode needs 'kind' and 'episode'")
    if not isinstance(record.get("actions"), np.ndarray):
        raise ValueError("a recorded episode needs 'actions'")


def put_episode(
    connection: sqlite3.Connection, record: Mapping[str, Any], row: int
) -> None:
    """Store a record; one of the same kind and number is replaced."""
    arrays = {
        name: check_array(name, it)
        for name, it in record.items()
        if isinstance(it, np.ndarray)
    }
    values = {name: it for name, it in record.items() if name not in arrays}
    table = {name: [it.dtype.str, it.shape] for name, it in arrays.items()}
    kind, episode = str(record["kind"]), int(record["episode"])
    step = last_step(record)
    head = json.dumps({"values": values, "arrays": table})
    remove_episode(connection, kind, episode)
    crc = checksum(head, "episode", kind, episode, row, step)
    owner = connection.execute(
        "INSERT INTO episode(kind, episode, row, step, crc, head) "
        "VALUES(?, ?, ?, ?, ?, ?)",
        (kind, episode, row, step, crc, head),
    ).lastrowid
    for name, array in arrays.items():
        _put_pieces(connection, int(owner or 0), name, array_bytes(array))


def last_step(record: Mapping[str, Any]) -> int:
    """The training step that a record belongs to, for cutting what came later."""
    if record["kind"] == "evaluation":
        return int(record.get("checkpoint_step", record.get("step0", 0)))
    return int(record.get("step0", 0)) + len(record["actions"])


def remove_episode(connection: sqlite3.Connection, kind: str, episode: int) -> None:
    """Remove a record and its pieces, if there is one."""
    key = (kind, episode)
    query = "SELECT id FROM episode WHERE kind = ? AND episode = ?"
    for (owner,) in connection.execute(query, key).fetchall():
        connection.execute("DELETE FROM episode_piece WHERE owner = ?", (owner,))
        connection.execute("DELETE FROM episode WHERE id = ?", (owner,))


def cut_episodes(connection: sqlite3.Connection, row: int, step: int) -> int:
    """Remove records that came after this row, or (unnumbered) after this step."""
    query = "SELECT kind, episode FROM episode WHERE row > ? OR (row < 0 AND step > ?)"
    late = connection.execute(query, (row, step)).fetchall()
    for kind, episode in late:
        remove_episode(connection, kind, episode)
    return len(late)


def recorded_keys(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    """Kind and number of every record, in the order in which they came."""
    query = "SELECT kind, episode FROM episode ORDER BY id"
    return connection.execute(query).fetchall()


class StoredEpisode:
    """A record in the store whose arrays are read on demand.

    Attributes:
      values: All that is not an array.
      row: Number of the message that brought it, -1 for none.
      shapes: Type and shape of each array.
    """

    def __init__(self, connection: sqlite3.Connection, kind: str, episode: int) -> None:
        self._connection = connection
        self._name = f"{kind} episode {episode}"
        query = (
            "SELECT id, row, step, crc, head FROM episode "
            "WHERE kind = ? AND episode = ?"
        )
        found = connection.execute(query, (kind, episode)).fetchone()
        if found is None:
            raise SessionProblem(f"There is no recorded {self._name} in this session.")
        self._owner, self.row, step, crc, head = found
        keys = (kind, episode, self.row, step)
        if checksum(head, "episode", *keys) != crc:
            raise _damaged(self._name)
        parsed = json.loads(head)
        self.values: dict[str, Any] = parsed["values"]
        self.shapes: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
            name: (np.dtype(kind), tuple(shape))
            for name, (kind, shape) in parsed["arrays"].items()
        }

    def array(self, name: str, first: int = 0, end: int | None = None) -> np.ndarray:
        """An array of the record, or its lines from ``first`` to before ``end``.

        Raises:
          SessionProblem: If a piece of it is missing or damaged.
        """
        dtype, shape = self.shapes[name]
        if not shape:
            return np.frombuffer(self._bytes(name, 0, dtype.itemsize), dtype).reshape(
                ()
            )
        first, end, _ = slice(first, end).indices(shape[0])
        end = max(first, end)
        line = dtype.itemsize * math.prod(shape[1:])
        data = self._bytes(name, first * line, end * line)
        return np.frombuffer(data, dtype).reshape(end - first, *shape[1:])

    def record(self, *, frames: bool = True) -> Record:
        """Everything of it, as it was stored, or all but its pictures."""
        names = [it for it in self.shapes if frames or it != "frames"]
        return self.values | {name: self.array(name) for name in names}

    def _bytes(self, name: str, start: int, end: int) -> bytes:
        if end <= start:
            return b""
        first, last = start // PIECE_BYTES, (end - 1) // PIECE_BYTES
        data = b"".join(self._pieces(name, first, last))
        offset = start - first * PIECE_BYTES
        if len(data) < offset + end - start:
            raise _damaged(self._name)
        return data[offset : offset + end - start]

    def _pieces(self, name: str, first: int, last: int) -> Iterator[bytes | memoryview]:
        query = (
            "SELECT piece, crc, data FROM episode_piece "
            "WHERE owner = ? AND name = ? AND piece BETWEEN ? AND ? ORDER BY piece"
        )
        keys = (self._owner, name, first, last)
        for piece, crc, data in self._connection.execute(query, keys):
            if (
                checksum(data, "episode_piece", self._owner, name, piece) != crc
                or piece != first
            ):
                raise _damaged(self._name)
            first += 1
            try:
                yield expand(memoryview(data))
            except ValueError as error:
                raise _damaged(self._name) from error


def _put_pieces(
    connection: sqlite3.Connection, owner: int, name: str, data: memoryview
) -> None:
    for piece in range(-(-data.nbytes // PIECE_BYTES)):
        raw = data[piece * PIECE_BYTES : (piece + 1) * PIECE_BYTES]
        body = squeeze(raw)
        connection.execute(
            "INSERT INTO episode_piece(owner, name, piece, crc, data) "
            "VALUES(?, ?, ?, ?, ?)",
            (
                owner,
                name,
                piece,
                checksum(body, "episode_piece", owner, name, piece),
                body,
            ),
        )


def _damaged(name: str) -> SessionProblem:
    return SessionProblem(
        f"The recorded {name} is damaged; the others of this session are not touched.",
        "damaged",
    )
