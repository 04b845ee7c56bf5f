"""Writing to a store's database: durable, or told and tried again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.sessions.atomic import sync_file, sync_folder
from engine.sessions.ballast import Ballast
from engine.sessions.database import connect, get_meta, put_meta, transaction
from engine.sessions.problems import SessionProblem, from_os_error, from_sqlite_error


class DurableWriter:
    """One connection that every change of a store goes through.

    On a full disk the ballast makes room once. After any other error of the disk
    the database file is not trusted any more: the next change writes a new one.

    Args:
      path: The database.
      connection: Open for writing.
      name: What messages call the session.
      on_renew: Told the new connection after a renewal.

    Attributes:
      disk_full: True from the first write that found no room until there is room
        for the ballast again.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        name: str,
        on_renew: Callable[[sqlite3.Connection], None],
    ) -> None:
        self._path, self.connection = path, connection
        self._what = f"The session '{name}' could not be written"
        self._on_renew = on_renew
        self._ballast = Ballast(path.parent / "ballast")
        self._suspect = False
        self.disk_full = False

    def hold_ballast(self) -> None:
        """Reserve the space for a clean stop, where there is plenty."""
        self._ballast.take()

    def change(self, action: Callable[[], None], *, counts: bool = True) -> None:
        """Do it in one transaction that is synced when this returns.

        ``counts`` raises the store's revision: the session file is behind then.

        Raises:
          SessionProblem: If it could not be written; nothing of it happened.
        """

        def whole() -> None:
            with transaction(self.connection):
                action()
                if counts:
                    self.put("revision", self.revision + 1)

        self.with_room(lambda: self._telling(whole))

    def with_room(self, action: Callable[[], None]) -> None:
        """Do it; when the disk is full, once more without the ballast."""
        try:
            action()
        except SessionProblem as problem:
            self.disk_full = self.disk_full or problem.kind == "disk-full"
            if problem.kind != "disk-full" or not self._ballast.release():
                raise
            action()
        else:
            if self.disk_full and self._ballast.take():
                self.disk_full = False

    def put(self, key: str, value: Any) -> None:
        """A meta value; within :meth:`change`."""
        put_meta(self.connection, key, value)

    @property
    def revision(self) -> int:
        """Counts up with every change."""
        found = get_meta(self.connection, "revision", 0)
        return found if isinstance(found, int) else 0

    def _telling(self, action: Callable[[], None]) -> None:
        try:
            if self._suspect:
                self._renew()
            action()
        except sqlite3.Error as error:
            problem = from_sqlite_error(self._what, error)
            self._suspect = self._suspect or problem.kind == "io"
            raise problem from error
        except OSError as error:
            raise from_os_error(self._what, error) from error

    def _renew(self) -> None:
        """Copy what can be read into a new file; the old one may lack synced pages."""
        new = self._path.with_name(f"{self._path.name}.renewed")
        new.unlink(missing_ok=True)
        target = sqlite3.connect(new)
        try:
            self.connection.backup(target)
        finally:
            target.close()
        sync_file(new)
        self.connection.close()
        replace_database(new, self._path)
        self.connection = connect(self._path)
        self._on_renew(self.connection)
        self._suspect = False


def replace_database(new: Path, path: Path) -> None:
    """Put a closed database in the place of another that is closed too.

    The write-ahead log of the old one goes first: it must never meet the new file.
    A crash in between leaves the new one under its own name, see
    :func:`finish_replacement`.
    """
    ready = path.with_name(f"{path.name}.ready")
    new.replace(ready)
    sync_folder(path.parent)
    finish_replacement(path)


def finish_replacement(path: Path) -> None:
    """Complete :func:`replace_database` if a crash interrupted it."""
    ready = path.with_name(f"{path.name}.ready")
    if not ready.exists():
        return
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    ready.replace(path)
    sync_folder(path.parent)
