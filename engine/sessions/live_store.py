"""The live store: what a running session is kept in, durable within 100 ms."""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import Checkpoint, Event, Rows
from engine.sessions import replay_log
from engine.sessions.atomic import sweep, sync_folder
from engine.sessions.ballast import Ballast
from engine.sessions.checkpoint_files import (
    check_state,
    checkpoint_numbers,
    checkpoint_path,
    read_row_file,
    write_checkpoint_file,
)
from engine.sessions.database import (
    FORMAT,
    connect,
    create_tables,
    is_sound,
    put_meta,
    telling,
    transaction,
)
from engine.sessions.live_folder import (
    LOCK,
    live_path,
    prepare_place,
    remove_folder,
    write_identity,
)
from engine.sessions.lock import StoreLock
from engine.sessions.problems import SessionProblem, from_os_error, from_sqlite_error
from engine.sessions.row_writing import (
    KEEPERS_OWN,
    RowWriter,
    check_rows,
    cut_after,
    put_checkpoint_row,
    put_event,
)
from engine.sessions.session_writer import write_session
from engine.sessions.source import CheckpointRow, ResumePoint
from engine.sessions.store_reader import DATABASE, TRAINER, StoreReader
from engine.sessions.thinning import thin_steps

WRITER = "rllab 0.1"
COMMIT_PERIOD_S = 0.1
EXACT_CHECKPOINTS = 3
"""The replay log serves so many of the newest checkpoints; as many of the kind
``recovery`` stay."""

Progress = Callable[[float, str], None]


class LiveStore(StoreReader):
    """The one writer of a session; see :class:`SessionSource` for the questions.

    Made by :meth:`create` or :meth:`open`. The owner calls :meth:`append` for each
    message and :meth:`commit_if_due` at least every 50 ms; what :meth:`commit`
    returned is durable.

    Attributes:
      path: The session file that belongs to it.
      durable_at: Unix time of the last commit.
      disk_full: True from the first write that found no room until one succeeds
        without the ballast's help.
    """

    def __init__(
        self, path: Path, folder: Path, connection: sqlite3.Connection, lock: StoreLock
    ) -> None:
        super().__init__(folder, connection)
        self.path, self._lock = path, lock
        self._ballast = Ballast(folder / "ballast")
        self._pending: list[Rows] = []
        self._notes: list[Event] = []
        self._to_tell: set[str] = set()
        self._pending_since = 0.0
        self._last = {source: n for source, (n, _) in self.progress().items()}
        self._writer = RowWriter(self.series())
        self._slots = replay_log.slot_map(connection, 2**62, self.tell)
        self.durable_at = time.time()
        self.disk_full = False
        self._closed = False

    # ------------------------------------------------------ beginning, ending

    @classmethod
    def create(
        cls,
        path: Path | str,
        configuration: str,
        card: EnvironmentCard | dict[str, Any],
        *,
        overwrite: bool = False,
        parent_uuid: str = "",
    ) -> LiveStore:
        """A new, empty session.

        Args:
          path: The session file that it will become, ``NAME.h5``.
          configuration: ``Configuration.to_json()``.
          card: The environment.
          overwrite: Replace a session of this name.
          parent_uuid: The session that this one was forked from.

        Raises:
          SessionProblem: If there is one already (and not ``overwrite``), or the
            folder cannot be written.
        """
        path = Path(path)
        head = {
            "uuid": uuid.uuid4().hex,
            "parent_uuid": parent_uuid,
            "configuration": configuration,
            "card": card.to_dict() if isinstance(card, EnvironmentCard) else card,
            "created": time.time(),
            "writer": WRITER,
        }
        with _naming(f"The session '{path.stem}' could not be created"):
            folder = prepare_place(path, overwrite=overwrite)
            build_folder(folder, head)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path | str) -> LiveStore:
        """The live store beside a session file, for writing; repairs what it must.

        Raises:
          SessionProblem: If there is none, another process has it, or nothing of
            it can be read.
        """
        path = Path(path)
        folder = live_path(path)
        if not folder.is_dir():
            raise SessionProblem(f"There is no running session '{path.stem}' here.")
        lock = StoreLock.acquire(folder / LOCK)
        try:
            with _naming(f"The session '{path.stem}' could not be opened"):
                sweep(folder)
                connection = connect(folder / DATABASE)
                if not is_sound(connection):
                    connection.close()
                    raise SessionProblem("not sound", "damaged")
                store = cls(path, folder, connection, lock)
                store._reconcile_checkpoints()
                store._ballast.take()
        except BaseException:
            lock.release()
            raise
        return store

    def close(self, *, fold: bool = False) -> None:
        """Make everything durable and let go; a second call does nothing.

        Args:
          fold: Remove the live store, because the session file holds all of it; it
            is sealed first where that is not so yet.

        Raises:
          SessionProblem: If the last rows or the session file cannot be written;
            the live store stays then.
        """
        if self._closed:
            return
        try:
            self.commit()
            if fold and not self.is_sealed:
                self.seal()
            with telling(f"The session '{self.name}' could not be closed"):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if fold:
                self._connection.close()
                remove_folder(self.folder)
        finally:
            self._closed = True
            self._connection.close()
            self._lock.release()

    def __enter__(self) -> LiveStore:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @staticmethod
    def discard(path: Path | str) -> None:
        """Remove the live store that a crash left beside a session file.

        Raises:
          SessionProblem: If there is none, or a living process writes to it.
        """
        folder = live_path(path)
        if not folder.is_dir():
            raise SessionProblem(f"There is nothing to discard beside '{path}'.")
        lock = StoreLock.acquire(folder / LOCK)
        try:
            with _naming(f"The session '{folder.stem}' could not be discarded"):
                remove_folder(folder)
        finally:
            lock.release()

    # ---------------------------------------------------------------- rows

    def append(self, rows: Rows) -> bool:
        """Take rows for the next commit; False for those that it has already.

        Only the trainer's numbers must count up over restarts. Another source may
        begin again at 0 after its process was restarted.

        Raises:
          SessionProblem: If they cannot be stored; the store is not changed.
        """
        check_rows(rows)
        last = self._last.get(rows.source, -1)
        self._to_tell.add(rows.source)
        self._pending_since = self._pending_since or time.monotonic()
        restarted = rows.source != TRAINER and rows.number == 0
        if rows.number <= last and not restarted:
            return False
        if rows.number > last + 1 and not restarted:
            self._note_gap(rows, last)
        self._last[rows.source] = rows.number
        self._pending.append(rows)
        return True

    def note(self, kind: str, text: str, step: int = 0, **data: Any) -> None:
        """An event of the keeper's own; it stays when a run goes on from before it."""
        self._notes.append(Event(kind, step, text, time.time(), data))
        self._pending_since = self._pending_since or time.monotonic()

    def commit_if_due(self) -> dict[str, tuple[int, int]]:
        """:meth:`commit` if rows have waited for 100 ms, else {}."""
        if not self._pending_since:
            return {}
        if time.monotonic() - self._pending_since < COMMIT_PERIOD_S:
            return {}
        return self.commit()

    def commit(self) -> dict[str, tuple[int, int]]:
        """Make all rows durable.

        Returns:
          For each source that sent something since the last commit the number and
          the step of its last durable row.

        Raises:
          SessionProblem: If they could not be written. They are kept, and the next
            commit tries again.
        """
        if not self._pending_since:
            return {}
        progress = self.progress()
        for rows in self._pending:
            step = max(rows.step, progress.get(rows.source, (0, 0))[1])
            progress[rows.source] = (rows.number, step)
        self._write(lambda: self._write_pending(progress))
        for rows in self._pending:
            if rows.replay:
                self._slots.write(rows.replay["slot"], rows.number)
        told = {source: progress[source] for source in self._to_tell}
        self._pending, self._notes, self._pending_since = [], [], 0.0
        self._to_tell.clear()
        self.durable_at = time.time()
        return told

    @property
    def durable_step(self) -> int:
        """Everything of the trainer up to this step is committed and synced."""
        return self.progress().get(TRAINER, (-1, 0))[1]

    @property
    def next_numbers(self) -> dict[str, int]:
        """The number that each source's next row is expected to have."""
        return {source: number + 1 for source, number in self._last.items()}

    def set_views(self, views: dict[str, Any]) -> None:
        """Keep what the window wants to find again."""
        self._write(lambda: self._change(lambda: self._put("views", views)))

    # ---------------------------------------------------------- checkpoints

    def write_checkpoint(self, checkpoint: Checkpoint) -> CheckpointRow:
        """Seal a checkpoint on disk; then older ones make room, never before.

        Raises:
          SessionProblem: If it is damaged, not finite or cannot be written; the
            checkpoints before it are kept.
        """
        check_state(checkpoint)
        self.commit()
        numbers = [row.number for row in self.checkpoints()]
        numbers += checkpoint_numbers(self.folder)
        row = CheckpointRow(
            number=max(numbers, default=-1) + 1,
            step=checkpoint.step,
            update=checkpoint.update,
            episode=checkpoint.episode,
            reason=checkpoint.reason,
            rows=checkpoint.rows,
            replay_slots=self._slots.count(),
            sha256=checkpoint.sha256,
        )
        self._write_checkpoint_file(row, checkpoint)
        surplus = self._surplus(row)
        self._write(lambda: self._change(lambda: self._enter(row, surplus)))
        for number in surplus:
            checkpoint_path(self.folder, number).unlink(missing_ok=True)
        return row

    def truncate_after(self, point: ResumePoint) -> int:
        """Cut what came after a checkpoint, because the run goes on from there.

        The same rows come again. An event says what was cut; the events of the
        keeper stay. Returns the number of steps that are run again.
        """
        self.commit()
        later = max(0, self.durable_step - point.step)
        gone = [row.number for row in self.checkpoints() if row.step > point.step]
        rows = point.checkpoint.rows
        if later or gone or self.progress().get(TRAINER, (-1, 0))[0] > rows:
            text = f"Resumed at step {point.step}"
            text += f"; the {later} steps after it are run again." if later else "."
            self.note("recovery", " ".join([text, point.note]).strip(), point.step)
        self._write(lambda: self._change(lambda: self._cut(point, gone)))
        self._slots = replay_log.slot_map(self._connection, 2**62, self.tell)
        self._last = {source: n for source, (n, _) in self.progress().items()}
        for number in gone:
            checkpoint_path(self.folder, number).unlink(missing_ok=True)
        return later

    # -------------------------------------------------------------- sealing

    def seal(
        self, path: Path | str | None = None, progress: Progress | None = None
    ) -> Path:
        """Write the session file (or a copy elsewhere), sealed and atomically.

        Raises:
          SessionProblem: If it cannot be written; a file that was there is as before.
        """
        self.commit()
        target = Path(path) if path is not None else self.path
        revision = self.meta("revision", 0)
        write_session(self, target, progress)
        if target == self.path:
            self.mark_sealed(revision)
        return target

    def mark_sealed(self, revision: int) -> None:
        """The session file holds everything up to this revision."""
        sealed = {"time": time.time(), "revision": revision}
        self._write(lambda: self._change(lambda: self._put("sealed", sealed), 0))

    @property
    def revision(self) -> int:
        """Counts up with every change of the store."""
        return int(self.meta("revision", 0))

    @property
    def is_sealed(self) -> bool:
        """Whether the session file holds everything that is durable here."""
        sealed = self.meta("sealed", {})
        return self.path.is_file() and sealed.get("revision") == self.revision

    # ------------------------------------------------------------- insides

    def _write(self, action: Callable[[], None]) -> None:
        """Do it; when the disk is full, once more without the ballast."""
        what = f"The session '{self.name}' could not be written"
        try:
            action()
        except sqlite3.Error as error:
            problem = from_sqlite_error(what, error)
            if problem.kind != "disk-full":
                raise problem from error
            self.disk_full = True
            if not self._ballast.release():
                raise problem from error
            with telling(what):
                action()
        else:
            self._ease()

    def _ease(self) -> None:
        """After a write that succeeded: hold space again, and forget the trouble."""
        if self.disk_full and self._ballast.take():
            self.disk_full = False

    def _change(self, action: Callable[[], None], revisions: int = 1) -> None:
        with transaction(self._connection):
            action()
            if revisions:
                self._put("revision", self.revision + revisions)

    def _put(self, key: str, value: Any) -> None:
        put_meta(self._connection, key, value)

    def _write_pending(self, progress: dict[str, tuple[int, int]]) -> None:
        def action() -> None:
            self._writer.write(self._connection, self._pending)
            for event in self._notes:
                put_event(self._connection, event, KEEPERS_OWN)
            self._put("progress", progress)

        known = list(self._writer.series)
        try:
            self._change(action)
        except BaseException:
            self._writer.series = known
            raise

    def _note_gap(self, rows: Rows, last: int) -> None:
        text = f"Rows {last + 1} to {rows.number - 1} of the {rows.source} never came."
        self.note("problem", text, rows.step)

    def _write_checkpoint_file(self, row: CheckpointRow, it: Checkpoint) -> None:
        names = ("uuid", "parent_uuid", "configuration", "card", "created", "writer")
        head = {name: self.meta(name, "") for name in names}
        try:
            write_checkpoint_file(self.folder, row, it, head)
        except SessionProblem as problem:
            if problem.kind != "disk-full":
                raise
            self.disk_full = True
            if not self._ballast.release():
                raise
            write_checkpoint_file(self.folder, row, it, head)

    def _enter(self, row: CheckpointRow, surplus: list[int]) -> None:
        put_checkpoint_row(self._connection, row)
        self._forget(surplus)
        rows = self.checkpoints()[-EXACT_CHECKPOINTS:]
        oldest = min(it.rows for it in rows)
        needed = replay_log.slot_map(self._connection, oldest, self.tell)
        first = needed.first_needed()
        if first is not None:
            query = "DELETE FROM replay_log WHERE row < ?"
            self._connection.execute(query, (first,))

    def _surplus(self, new: CheckpointRow) -> list[int]:
        """Numbers of the checkpoints that go when this one is there."""
        rows = [row for row in self.checkpoints() if row.step != new.step]
        gone = [row.number for row in self.checkpoints() if row.step == new.step]
        rows.append(new)
        best = {row.step for row in rows if row.best}
        passing = [row for row in rows if row.reason == "recovery" and not row.best]
        gone += [row.number for row in passing[:-EXACT_CHECKPOINTS]]
        kept = [row for row in rows if row not in passing]
        steps = [row.step for row in kept]
        limit = self.options().recording.checkpoints
        doomed = thin_steps(steps, limit, best | set(steps[-EXACT_CHECKPOINTS:]))
        return gone + [row.number for row in kept if row.step in doomed]

    def _forget(self, numbers: list[int]) -> None:
        for number in numbers:
            query = "DELETE FROM checkpoint WHERE number = ?"
            self._connection.execute(query, (number,))

    def _cut(self, point: ResumePoint, gone: list[int]) -> None:
        rows, step = point.checkpoint.rows, point.step
        cut_after(self._connection, rows, step)
        for event in self._notes:
            put_event(self._connection, event, KEEPERS_OWN)
        self._notes, self._pending_since = [], 0.0
        self._forget(gone)
        self._put("progress", self.progress() | {TRAINER: (rows, step)})

    def _reconcile_checkpoints(self) -> None:
        """Make the list and the files agree after a crash between the two."""
        listed = {row.number for row in self.checkpoints()}
        there = set(checkpoint_numbers(self.folder))
        found = [row for it in sorted(there - listed) if (row := self._adopted(it))]
        for number in there - listed - {row.number for row in found}:
            checkpoint_path(self.folder, number).unlink(missing_ok=True)
        if found or listed - there:
            self._write(
                lambda: self._change(lambda: self._agree(found, listed - there))
            )

    def _adopted(self, number: int) -> CheckpointRow | None:
        """The entry of a file that was written just before a crash; else None."""
        listed = [row.number for row in self.checkpoints()]
        try:
            row = read_row_file(checkpoint_path(self.folder, number))
        except SessionProblem as problem:
            self.tell(str(problem).rstrip("."))
            return None
        reached = self.progress().get(TRAINER, (-1, 0))[0]
        return row if number > max(listed, default=-1) and row.rows <= reached else None

    def _agree(self, found: list[CheckpointRow], missing: set[int]) -> None:
        for row in found:
            put_checkpoint_row(self._connection, row)
        self._forget(sorted(missing))


def build_folder(folder: Path, head: dict[str, Any]) -> None:
    """A live store without rows; it appears under its name when it is whole."""
    new = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    remove_folder(new)
    new.mkdir(parents=True)
    try:
        write_identity(new, head)
        (new / LOCK).touch()
        connection = connect(new / DATABASE)
        try:
            create_tables(connection)
            write_head(connection, head)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
        sync_folder(new)
        os.replace(new, folder)
        sync_folder(folder.parent)
    finally:
        remove_folder(new)


def write_head(connection: sqlite3.Connection, head: dict[str, Any]) -> None:
    """The values that name the run, in one transaction."""
    with transaction(connection):
        put_meta(connection, "format", FORMAT)
        for name, value in head.items():
            put_meta(connection, name, value)


class _naming:
    """Errors of the system or of SQLite in the block become a SessionProblem."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError):
            raise from_os_error(self._what, error) from error
        if isinstance(error, sqlite3.Error):
            raise from_sqlite_error(self._what, error) from error
