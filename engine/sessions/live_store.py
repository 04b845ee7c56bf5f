"""The live store: what a running session is kept in, durable within 100 ms."""

from __future__ import annotations

import sqlite3
import time
import uuid
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import Checkpoint, Event, Rows
from engine.sessions import replay_log
from engine.sessions.atomic import sweep
from engine.sessions.checkpoint_files import check_state
from engine.sessions.checkpoint_ring import CheckpointRing
from engine.sessions.database import DATABASE, telling
from engine.sessions.durable import finish_replacement
from engine.sessions.live_folder import (
    LOCK,
    build_folder,
    live_path,
    naming,
    prepare_place,
    remove_folder,
)
from engine.sessions.live_head import LiveHead
from engine.sessions.lock import StoreLock
from engine.sessions.parts import Parts, whole
from engine.sessions.repair import open_sound
from engine.sessions.row_writing import (
    KEEPERS_OWN,
    RowWriter,
    check_rows,
    cut_after,
    put_event,
)
from engine.sessions.session_writer import Progress, write_session
from engine.sessions.source import ResumePoint
from engine.sessions.store_reader import REPLAY_LOST, TRAINER
from engine.sessions.unfolding import unfold

WRITER = "rllab 0.1"
COMMIT_PERIOD_S = 0.1


class LiveStore(LiveHead):
    """The one writer of a session; see :class:`SessionSource` for the questions.

    Made by :meth:`create` or :meth:`open`. The owner calls :meth:`append` for each
    message and :meth:`commit_if_due` at least every 50 ms; what :meth:`commit`
    returned is durable.

    Attributes:
      durable_at: Unix time of the last commit.
    """

    def __init__(
        self, path: Path, folder: Path, connection: sqlite3.Connection, lock: StoreLock
    ) -> None:
        super().__init__(path, folder, connection)
        self._lock = lock
        self._ring = CheckpointRing(self, self._writer)
        self._pending: list[Rows] = []
        self._notes: list[Event] = []
        self._to_tell: set[str] = set()
        self._pending_since = 0.0
        self._row_writer = RowWriter(self.series())
        self._closed = self._identity_due = False
        self.durable_at = time.time()
        self._read_state()

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
        with naming(f"The session '{path.stem}' could not be created"):
            build_folder(prepare_place(path, overwrite=overwrite), head)
        return cls.open(path)

    @classmethod
    def open(cls, path: Path | str) -> LiveStore:
        """The live store of a session, for writing; repairs what it must.

        Where only the session file is there, a live store is made from it.

        Raises:
          SessionProblem: If there is neither, another process has it, or nothing
            of it can be read.
        """
        path = Path(path)
        folder = live_path(path)
        if not folder.is_dir():
            unfold(path, folder)
        what = f"The session '{path.stem}' could not be opened"
        with naming(what), telling(what), ExitStack() as unless_opened:
            lock = StoreLock.acquire(folder / LOCK)
            unless_opened.callback(lock.release)
            store = cls._open_locked(path, folder, lock)
            unless_opened.pop_all()
        return store

    @classmethod
    def _open_locked(cls, path: Path, folder: Path, lock: StoreLock) -> LiveStore:
        sweep(folder)
        finish_replacement(folder / DATABASE)
        connection, repaired = open_sound(folder / DATABASE, folder)
        with ExitStack() as unless_opened:
            unless_opened.callback(connection.close)
            store = cls(path, folder, connection, lock)
            unless_opened.callback(store.files.close)
            store._ring.reconcile()
            store._writer.hold_ballast()
            if repaired:
                store.note("recovery", repaired, store.durable_step)
                store.commit()
            store.take_notes_beside()
            unless_opened.pop_all()
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
            self.flush()
            if fold and not self.is_sealed:
                self.seal()
            with naming(f"The session '{self.name}' could not be closed"):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if fold:
                    self._connection.close()
                    remove_folder(self.folder)
        finally:
            self._closed = True
            self.files.close()
            self._connection.close()
            self._lock.release()

    def __enter__(self) -> LiveStore:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

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
        waited = time.monotonic() - self._pending_since
        nothing = not self._pending_since and not self._to_tell
        if nothing or (self._pending_since and waited < COMMIT_PERIOD_S):
            return {}
        return self.commit()

    def commit(self) -> dict[str, tuple[int, int]]:
        """Make all rows durable.

        Returns:
          For each source that sent something since the last call the number and
          the step of its last durable row.

        Raises:
          SessionProblem: If they could not be written. They are kept, and the next
            commit tries again.
        """
        self.flush()
        if not self._to_tell:
            return {}
        progress = self.progress()
        told = {source: progress[source] for source in self._to_tell}
        self._to_tell.clear()
        return told

    def flush(self) -> None:
        """Make all rows durable; the next :meth:`commit` tells of them.

        Raises:
          SessionProblem: As :meth:`commit`.
        """
        if not self._pending_since:
            return
        progress = self.progress()
        for rows in self._pending:
            step = max(rows.step, progress.get(rows.source, (0, 0))[1])
            progress[rows.source] = (rows.number, step)
        known = list(self._row_writer.series)
        try:
            self._writer.change(lambda: self._write_pending(progress, known))
        except BaseException:  # the names belong to rows that are not there
            self._row_writer.series = known
            raise
        self._identity_due |= self._row_writer.series != known
        for rows in self._pending:
            if rows.replay:
                self._slots.write(rows.replay["slot"], rows.number)
        self._pending, self._notes, self._pending_since = [], [], 0.0
        self.durable_at = time.time()
        self._keep_names()

    @property
    def durable_step(self) -> int:
        """Everything of the trainer up to this step is committed and synced."""
        return self.progress().get(TRAINER, (-1, 0))[1]

    @property
    def next_numbers(self) -> dict[str, int]:
        """The number that each source's next row is expected to have."""
        return {source: number + 1 for source, number in self._last.items()}

    def forget_replay(self) -> None:
        """Keep nothing of the replay memory from now on; resuming is not exact then.

        Raises:
          SessionProblem: If the store cannot be changed.
        """
        self.flush()

        def forget() -> None:
            self._connection.execute("DELETE FROM replay_log")
            self._writer.put(REPLAY_LOST, True)

        self._writer.change(forget)
        self._read_state()

    # ---------------------------------------------------------- checkpoints

    def write_checkpoint(self, checkpoint: Checkpoint) -> list[int]:
        """Seal a checkpoint on disk; then older ones make room, never before.

        Returns the training steps of all that are kept now, ascending.

        Raises:
          SessionProblem: If it is damaged, not finite or cannot be written; the
            checkpoints before it are kept.
        """
        return whole(self.checkpoint_in_parts(checkpoint))

    def checkpoint_in_parts(self, checkpoint: Checkpoint) -> Parts[list[int]]:
        """:meth:`write_checkpoint` in parts.

        Between two of them rows may be appended and committed, and questions asked.
        """
        check_state(checkpoint)
        self.flush()
        return (yield from self._ring.add(checkpoint, self._slots))

    def truncate_after(self, point: ResumePoint) -> int:
        """Cut what came after a checkpoint, because the run goes on from there.

        The same rows come again. An event says what was cut; the events of the
        keeper stay. Returns the number of steps that are run again.
        """
        self.flush()
        later = max(0, self.durable_step - point.step)
        gone = [row.number for row in self.checkpoints() if row.step > point.step]
        rows = point.checkpoint.rows
        if later or gone or self.progress().get(TRAINER, (-1, 0))[0] > rows:
            text = f"Resumed at step {point.step:,}"
            text += f"; {later:,} recorded steps after it come again." if later else "."
            self.note("recovery", " ".join([text, point.note]).strip(), point.step)
        self._writer.change(lambda: self._cut(point, gone))
        self._notes, self._pending_since = [], 0.0
        self._read_state()
        self._ring.unlink(gone)
        return later

    # -------------------------------------------------------------- sealing

    def seal(
        self, path: Path | str | None = None, progress: Progress | None = None
    ) -> Path:
        """Write the session file (or a copy elsewhere), sealed and atomically.

        Raises:
          SessionProblem: If it cannot be written; a file that was there is as before.
        """
        self.flush()
        target = Path(path) if path is not None else self.path
        revision = self.revision
        write_session(self, target, progress)
        if target == self.path:
            self.mark_sealed(revision)
        return target

    # ------------------------------------------------------------- insides

    def _read_state(self) -> None:
        """What is kept in memory, from the database."""
        self._last = {source: n for source, (n, _) in self.progress().items()}
        self._slots = replay_log.slot_map(self._connection, 2**62, self.tell)

    def _write_pending(
        self, progress: dict[str, tuple[int, int]], known: list[str]
    ) -> None:
        self._row_writer.series = list(known)  # it may be the second attempt
        self._row_writer.write(self._connection, self._pending)
        for event in self._notes:
            put_event(self._connection, event, KEEPERS_OWN)
        self._writer.put("progress", progress)

    def _keep_names(self) -> None:
        """The names of the series, also where a damaged database cannot lose them.

        The rows are durable without; where it fails, the next commit tries again.
        """
        if self._identity_due:
            with suppress(OSError):
                self._keep_identity()
                self._identity_due = False

    def _note_gap(self, rows: Rows, last: int) -> None:
        text = f"Rows {last + 1} to {rows.number - 1} of the {rows.source} never came."
        self.note("problem", text, rows.step)

    def _cut(self, point: ResumePoint, gone: list[int]) -> None:
        rows, step = point.checkpoint.rows, point.step
        cut_after(self._connection, rows, step)
        if not point.exact:
            # The memory starts empty, and so does its log.
            self._connection.execute("DELETE FROM replay_log")
        for event in self._notes:
            put_event(self._connection, event, KEEPERS_OWN)
        self._ring.forget(gone)
        self._writer.put("progress", self.progress() | {TRAINER: (rows, step)})
