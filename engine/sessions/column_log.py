"""A growing table of numbers in columns, kept as checksummed blocks of a table.

New rows arrive in small blocks, one for each commit. When there are many of them
they are put together, one block for each part (for telemetry: each series), so that
one series is read without touching the others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import numpy as np

from engine.sessions.packing import array_bytes, checksum

Columns = dict[str, np.ndarray]
FRESH = -1
"""Part of a block that has not been put together yet; it holds all parts."""

MERGE_AT = 64
"""So many fresh blocks are put together."""

TELEMETRY = {
    "series": "<i2",
    "step": "<i8",
    "value": "<f8",
    "wall_time": "<f8",
    "update": "<i8",
    "episode": "<i8",
    "row": "<i8",
}
FINISHED = {
    "evaluation": "|b1",
    "episode": "<i8",
    "step": "<i8",
    "update": "<i8",
    "length": "<i8",
    "return": "<f8",
    "terminated": "|b1",
    "seed": "<i8",
    "environment": "<i4",
    "wall_time": "<f8",
    "row": "<i8",
}


class ColumnLog:
    """One such table; ``row`` numbers the message that brought a line, -1 for none.

    Args:
      table: Name of the SQLite table.
      dtypes: Type of each column, with ``step`` and ``row`` among them.
      part: Column whose value tells the part, or empty for a single part.
    """

    def __init__(self, table: str, dtypes: dict[str, str], part: str = "") -> None:
        self.table, self.part = table, part
        self.dtypes = {name: np.dtype(kind) for name, kind in dtypes.items()}
        self._line_bytes = sum(kind.itemsize for kind in self.dtypes.values())

    def empty(self) -> Columns:
        """No lines."""
        return {name: np.empty(0, kind) for name, kind in self.dtypes.items()}

    def append(
        self, connection: sqlite3.Connection, columns: Columns, part: int = FRESH
    ) -> None:
        """Add lines; the caller's transaction makes them durable."""
        count = len(columns["step"])
        if not count:
            return
        last_row, last_step = int(columns["row"].max()), int(columns["step"].max())
        data = b"".join(
            array_bytes(np.ascontiguousarray(columns[name], kind))
            for name, kind in self.dtypes.items()
        )
        keys = (part, last_row, last_step, count)
        connection.execute(
            f"INSERT INTO {self.table}(part, last_row, last_step, count, crc, data) "
            "VALUES(?, ?, ?, ?, ?, ?)",
            (*keys, checksum(data, self.table, *keys), data),
        )

    def merge_if_due(self, connection: sqlite3.Connection) -> None:
        """Put fresh blocks together when there are many; in a transaction."""
        query = f"SELECT count(*) FROM {self.table} WHERE part = ?"
        if connection.execute(query, (FRESH,)).fetchone()[0] < MERGE_AT:
            return
        lines = joined(self, self._blocks(connection, "part = ?", (FRESH,), _ignore))
        connection.execute(f"DELETE FROM {self.table} WHERE part = ?", (FRESH,))
        for part, columns in self.split(lines):
            self.append(connection, columns, part)

    def split(self, columns: Columns) -> Iterator[tuple[int, Columns]]:
        """The lines of each part, in the same order."""
        if not self.part:
            yield 0, columns
            return
        parts = columns[self.part]
        for part in np.unique(parts):
            yield int(part), {name: it[parts == part] for name, it in columns.items()}

    def read(
        self,
        connection: sqlite3.Connection,
        part: int | None = None,
        on_damage: Callable[[str], None] | None = None,
    ) -> Columns:
        """All lines of one part (or of all), in the order in which they came.

        A block that is damaged is left out and told to ``on_damage``.
        """
        tell = on_damage or _ignore
        if part is None:
            return joined(self, self._blocks(connection, "1", (), tell))
        where = "part IN (?, ?)"
        blocks = self._blocks(connection, where, (FRESH, part), tell)
        return joined(self, (self._only(block, part) for block in blocks))

    def cut(self, connection: sqlite3.Connection, row: int, step: int) -> int:
        """Remove lines that came after this row, or (unnumbered) after this step."""
        where, keys = "last_row > ? OR last_step > ?", (row, step)
        query = f"SELECT seq FROM {self.table} WHERE {where}"
        gone = [it[0] for it in connection.execute(query, keys)]
        removed = 0
        for seq in gone:
            removed += self._cut_block(connection, seq, row, step)
        return removed

    def _cut_block(
        self, connection: sqlite3.Connection, seq: int, row: int, step: int
    ) -> int:
        block = joined(self, self._blocks(connection, "seq = ?", (seq,), _ignore))
        late = (block["row"] > row) | ((block["row"] < 0) & (block["step"] > step))
        if len(late) and not late.any():
            return 0
        keep = {name: it[~late] for name, it in block.items()}
        query = f"SELECT part FROM {self.table} WHERE seq = ?"
        (part,) = connection.execute(query, (seq,)).fetchone()
        connection.execute(f"DELETE FROM {self.table} WHERE seq = ?", (seq,))
        self._put_back(connection, seq, part, keep)
        return int(late.sum())

    def _put_back(
        self, connection: sqlite3.Connection, seq: int, part: int, lines: Columns
    ) -> None:
        self.append(connection, lines, part)
        if len(lines["step"]):
            # The shortened block takes its old place, so that the order stays.
            connection.execute(
                f"UPDATE {self.table} SET seq = ? WHERE seq = last_insert_rowid()",
                (seq,),
            )

    def _only(self, block: Columns, part: int) -> Columns:
        if not self.part:
            return block
        mine = block[self.part] == part
        return block if mine.all() else {n: it[mine] for n, it in block.items()}

    def _blocks(
        self,
        connection: sqlite3.Connection,
        where: str,
        keys: tuple[int, ...],
        on_damage: Callable[[str], None],
    ) -> Iterator[Columns]:
        query = (
            "SELECT seq, part, last_row, last_step, count, crc, data "
            f"FROM {self.table} WHERE {where} ORDER BY seq"
        )
        for seq, part, last_row, last_step, count, crc, data in connection.execute(
            query, keys
        ):
            if checksum(data, self.table, part, last_row, last_step, count) != crc:
                on_damage(f"{count} lines of {self.table} (block {seq}) are damaged")
                continue
            yield self._columns(data, count)

    def _columns(self, data: bytes, count: int) -> Columns:
        columns, at = {}, 0
        for name, kind in self.dtypes.items():
            columns[name] = np.frombuffer(data, kind, count, at)
            at += count * kind.itemsize
        return columns


def joined(log: ColumnLog, blocks: Iterator[Columns]) -> Columns:
    """Blocks one behind the other."""
    found = list(blocks)
    if not found:
        return log.empty()
    return {name: np.concatenate([it[name] for it in found]) for name in log.dtypes}


def _ignore(text: str) -> None:
    """Damage that is told elsewhere, when the same block is shown."""
