"""The replay memory as a log: each slot once, when it was written.

A message brings the slots that were written since the one before. The memory at a
checkpoint is, for each slot, the newest line that came up to the checkpoint's row.
Each message names the one before it, so that a lost one is noticed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from engine.sessions.packing import checksum, pack, unpack

Arrays = dict[str, np.ndarray]
NEVER = -(2**62)
"""Before the first row."""
MOST_SLOTS = 1 << 26
"""No memory has so many; a slot beyond is not one of ours."""

Tell = Callable[[str], None]


class SlotMap:
    """For each slot, which row wrote it last; grows with the slots it sees."""

    def __init__(self) -> None:
        self.newest = np.full(0, NEVER, np.int64)
        self.last_row = NEVER

    def write(self, slots: np.ndarray, row: int) -> None:
        """These slots were written by this row, later than all before."""
        if not len(slots):
            return
        self.last_row = row
        need = int(slots.max()) + 1
        if need > len(self.newest):
            grown = np.full(max(need, 2 * len(self.newest)), NEVER, np.int64)
            grown[: len(self.newest)] = self.newest
            self.newest = grown
        self.newest[slots] = row

    def count(self) -> int:
        """How many slots have been written."""
        return int(np.count_nonzero(self.newest > NEVER))

    def first_needed(self) -> int | None:
        """The oldest row that still holds a slot's newest line."""
        rows = self.newest[self.newest > NEVER]
        return int(rows.min()) if len(rows) else None


def put_replay(connection: sqlite3.Connection, row: int, arrays: Arrays) -> None:
    """Store the slots of one message; ``slot`` says where each line goes."""
    slots = np.ascontiguousarray(arrays["slot"], "<i8").tobytes()
    rest = {name: it for name, it in arrays.items() if name != "slot"}
    data = pack({"slot": arrays["slot"].dtype.str}, rest)
    query = "SELECT ifnull(max(row), ?) FROM replay_log"
    (previous,) = connection.execute(query, (NEVER,)).fetchone()
    sums = (
        checksum(slots, "replay_slots", row, previous),
        checksum(data, "replay_log", row),
    )
    connection.execute(
        "INSERT INTO replay_log VALUES(?, ?, ?, ?, ?, ?)",
        (row, previous, *sums, slots, data),
    )


def each_slots(
    connection: sqlite3.Connection, after: int, up_to: int, tell: Tell
) -> Iterator[tuple[int, np.ndarray]]:
    """Row and slots of the messages in ``(after, up_to]``, oldest first.

    Damaged ones are left out, and lost ones noticed; both go to ``tell``.
    """
    query = (
        "SELECT row, previous, slots_crc, slots FROM replay_log "
        "WHERE row > ? AND row <= ? ORDER BY row"
    )
    before: int | None = None
    for row, previous, crc, slots in connection.execute(query, (after, up_to)):
        if before is not None and previous != before:
            tell(f"rows {before + 1} to {row - 1} of the replay are lost")
        before = row
        whole = checksum(slots, "replay_slots", row, previous) == crc
        found = np.frombuffer(slots, "<i8") if whole else np.empty(0, np.int64)
        if whole and (not found.size or 0 <= found.min() <= found.max() < MOST_SLOTS):
            yield row, found
        else:
            tell(f"the slots of row {row} of the replay are damaged")


def slot_map(connection: sqlite3.Connection, up_to: int, tell: Tell) -> SlotMap:
    """The map of the memory as it was after this row."""
    found = SlotMap()
    for row, slots in each_slots(connection, NEVER, up_to, tell):
        found.write(slots, row)
    return found


def each_lines(
    connection: sqlite3.Connection, up_to: int, last_row: int, tell: Tell
) -> Iterator[Arrays]:
    """The memory after the row ``up_to``, message by message; each slot once.

    ``last_row`` is the last one up to there that brought slots.
    """
    slots_then = slot_map(connection, up_to, tell)
    if slots_then.last_row != last_row:
        kept = slots_then.last_row != NEVER
        tell("the last rows of it are lost" if kept else "nothing of it was kept")
    newest = slots_then.newest
    query = "SELECT row, crc, slots, data FROM replay_log WHERE row <= ? ORDER BY row"
    for row, crc, slots, data in connection.execute(query, (up_to,)):
        if checksum(data, "replay_log", row) != crc:
            tell(f"row {row} of the replay is damaged")
            continue
        lines = _newest_lines(row, slots, data, newest)
        if len(lines["slot"]):
            yield lines


def replay_bytes(connection: sqlite3.Connection) -> int:
    """Size of the whole log on disk."""
    query = "SELECT ifnull(sum(length(data) + length(slots)), 0) FROM replay_log"
    return int(connection.execute(query).fetchone()[0])


def _newest_lines(row: int, slots: bytes, data: bytes, newest: np.ndarray) -> Arrays:
    values, arrays = unpack(data)
    slot = np.frombuffer(slots, "<i8")
    mine = (slot < len(newest)) & (slot >= 0)
    mine[mine] = newest[slot[mine]] == row
    # Within one message the last line of a slot counts.
    last = np.zeros(len(slot), bool)
    last[len(slot) - 1 - np.unique(slot[::-1], return_index=True)[1]] = True
    mine &= last
    whole: dict[str, Any] = {"slot": slot.astype(values["slot"])} | arrays
    return whole if mine.all() else {name: it[mine] for name, it in whole.items()}
