"""Which checkpoints a live store keeps, and the replay log that they need."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from engine.contract.messages import Checkpoint
from engine.sessions import replay_log
from engine.sessions.checkpoint_files import (
    checkpoint_image,
    checkpoint_numbers,
    checkpoint_path,
    write_checkpoint_file,
)
from engine.sessions.checkpoint_reading import AT_ONCE
from engine.sessions.durable import DurableWriter
from engine.sessions.parts import Parts
from engine.sessions.problems import SessionProblem
from engine.sessions.row_writing import put_checkpoint_row
from engine.sessions.source import CheckpointRow
from engine.sessions.store_reader import TRAINER, StoreReader
from engine.sessions.thinning import thin_steps

EXACT_CHECKPOINTS = 3
"""The replay log serves so many of the newest checkpoints; as many of the kind
``recovery`` stay."""

PASSING = "recovery"
"""Kind of the checkpoints that replace each other."""

HEAD = (
    "uuid",
    "parent_uuid",
    "configuration",
    "card",
    "created",
    "writer",
    "series",
)
"""Meta values that name the run; each checkpoint file carries them."""


class CheckpointRing:
    """The checkpoints of a store: a new one is safe before an old one goes."""

    def __init__(self, reader: StoreReader, writer: DurableWriter) -> None:
        self._reader, self._writer = reader, writer
        self._folder = reader.folder

    def add(
        self, checkpoint: Checkpoint, slots: replay_log.SlotMap
    ) -> Parts[list[int]]:
        """Seal a checkpoint on disk, list it, and let older ones go, in parts.

        ``slots`` is the replay memory as it is now. Returns the training steps of those
        that stay, ascending.

        Raises:
          SessionProblem: If it cannot be written; those before it are kept.
        """
        if slots.last_row > checkpoint.rows:
            # It comes once more, after a crash or a full disk, and behind later rows.
            connection, tell = self._writer.connection, self._reader.tell
            slots = replay_log.slot_map(connection, checkpoint.rows, tell)
        listed = self._reader.checkpoints()
        reason = _lasting_reason(checkpoint, listed)
        row = CheckpointRow(
            number=self._next_number(listed),
            step=checkpoint.step,
            update=checkpoint.update,
            episode=checkpoint.episode,
            reason=reason,
            rows=checkpoint.rows,
            replay_slots=slots.count(),
            replay_row=slots.last_row,
            sha256=checkpoint.sha256,
        )
        head = {name: self._reader.meta(name, "") for name in HEAD}
        yield
        image = yield from checkpoint_image(row, checkpoint, head)
        yield
        self._writer.with_room(lambda: write_checkpoint_file(self._folder, row, image))
        yield
        # What came meanwhile may have told of a new best one.
        listed = self._reader.checkpoints()
        gone = self._surplus(row, listed)
        staying = [it for it in listed if it.number not in gone] + [row]
        self._writer.change(lambda: self._enter(row, gone, staying))
        self.unlink(gone)
        return sorted({it.step for it in staying})

    def forget(self, numbers: Sequence[int]) -> None:
        """Take entries off the list; within a change."""
        for number in numbers:
            query = "DELETE FROM checkpoint WHERE number = ?"
            self._writer.connection.execute(query, (number,))

    def unlink(self, numbers: Sequence[int]) -> None:
        """Remove files whose entries are gone; what stays goes at the next opening."""
        for number in numbers:
            with suppress(OSError):
                checkpoint_path(self._folder, number).unlink(missing_ok=True)

    def reconcile(self) -> None:
        """Make the list and the files agree after a crash between the two."""
        listed = {row.number for row in self._reader.checkpoints()}
        there = set(checkpoint_numbers(self._folder))
        newest = max(listed, default=-1)
        later = sorted(it for it in there - listed if it > newest)[-AT_ONCE:]
        found = [row for it in later if (row := self._adopted(it))]
        self.unlink(sorted(there - listed - {row.number for row in found}))
        missing = sorted(listed - there)
        for number in missing:
            self._reader.tell(f"checkpoint {number} is missing")
        if found or missing:
            self._writer.change(lambda: self._agree(found, missing))

    def _surplus(
        self, new: CheckpointRow, listed: Sequence[CheckpointRow]
    ) -> list[int]:
        """Numbers of those that go for a new one, by the wishes of the user.

        All checkpoints of a run are as large as the new one.
        """
        recording = self._reader.options().recording
        size = checkpoint_path(self._folder, new.number).stat().st_size
        room = recording.checkpoint_budget * 1_000_000 // max(1, size)
        limit = min(recording.checkpoints, room)
        return surplus(listed, new, limit)

    def _next_number(self, listed: Sequence[CheckpointRow]) -> int:
        known = [row.number for row in listed]
        return max([*known, *checkpoint_numbers(self._folder)], default=-1) + 1

    def _adopted(self, number: int) -> CheckpointRow | None:
        """The entry of a file that was written just before a crash; else None."""
        try:
            row = self._reader.files.row(number)
        except SessionProblem as problem:
            self._reader.tell(str(problem).rstrip("."))
            return None
        reached = self._reader.progress().get(TRAINER, (-1, 0))[0]
        return row if row.rows <= reached else None

    def _agree(self, found: Sequence[CheckpointRow], missing: Sequence[int]) -> None:
        for row in found:
            put_checkpoint_row(self._writer.connection, row)
        self.forget(missing)

    def _enter(
        self, row: CheckpointRow, gone: Sequence[int], staying: Sequence[CheckpointRow]
    ) -> None:
        put_checkpoint_row(self._writer.connection, row)
        self.forget(gone)
        oldest = min(it.rows for it in staying[-EXACT_CHECKPOINTS:])
        connection = self._writer.connection
        needed = replay_log.slot_map(connection, oldest, self._reader.tell)
        first = needed.first_needed()
        if first is not None:
            connection.execute("DELETE FROM replay_log WHERE row < ?", (first,))


def _lasting_reason(checkpoint: Checkpoint, listed: Sequence[CheckpointRow]) -> str:
    """A passing checkpoint that replaces a lasting one of its step lasts too."""
    same = [it for it in listed if it.step == checkpoint.step]
    lasting = [it.reason for it in same if it.reason != PASSING]
    passing = checkpoint.reason == PASSING
    return lasting[0] if passing and lasting else checkpoint.reason


def surplus(rows: Sequence[CheckpointRow], new: CheckpointRow, limit: int) -> list[int]:
    """Numbers of the checkpoints that go when a new one is there.

    One of the same step is replaced; of the kind ``recovery`` the last three stay;
    the others are thinned to ``limit``. The best one, the first and the last three
    always stay.
    """
    gone = [row.number for row in rows if row.step == new.step]
    kept = [row for row in rows if row.step != new.step] + [new]
    passing = [row for row in kept if row.reason == PASSING and not row.best]
    gone += [row.number for row in passing[:-EXACT_CHECKPOINTS]]
    lasting = [row for row in kept if row not in passing]
    steps = [row.step for row in lasting]
    best = {row.step for row in kept if row.best}
    doomed = thin_steps(steps, limit, best | set(steps[-EXACT_CHECKPOINTS:]))
    return gone + [row.number for row in lasting if row.step in doomed]
