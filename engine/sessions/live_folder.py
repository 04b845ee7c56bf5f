"""The folder of a live store: where it is, how it appears and how it goes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.sessions.atomic import sync_folder, write_file
from engine.sessions.database import (
    DATABASE,
    FORMAT,
    connect,
    create_tables,
    put_meta,
    transaction,
)
from engine.sessions.lock import StoreLock, is_locked
from engine.sessions.packing import checksum
from engine.sessions.problems import SessionProblem, from_os_error, from_sqlite_error

LIVE = ".live"
LOCK = "lock"
IDENTITY = "session.json"
_GONE = ".live-removed"


def live_path(path: Path | str) -> Path:
    """``NAME.live`` beside ``NAME.h5``."""
    return Path(path).with_suffix(LIVE)


def write_identity(folder: Path, head: dict[str, Any]) -> None:
    """What names the run; it outlives any damage to the database."""
    text = json.dumps(head)
    whole = {"crc": checksum(text, "identity"), "head": text}
    write_file(folder / IDENTITY, json.dumps(whole).encode())


def read_identity(folder: Path) -> dict[str, Any]:
    """Inverse of :func:`write_identity`; {} where it is missing or damaged."""
    try:
        whole = json.loads((folder / IDENTITY).read_text(encoding="utf-8"))
        text = str(whole["head"])
        return (
            dict(json.loads(text)) if checksum(text, "identity") == whole["crc"] else {}
        )
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def prepare_place(path: Path, *, overwrite: bool) -> Path:
    """Make sure that a new session may be written here; returns its live folder.

    Raises:
      SessionProblem: If something is there that may not be replaced.
    """
    folder = live_path(path)
    if path.suffix != ".h5":
        raise SessionProblem(
            f"'{path.name}' cannot name a session: it must end in .h5."
        )
    if is_locked(folder / LOCK):
        raise SessionProblem(
            f"The session '{path.stem}' is being written by another process. Choose "
            "another name.",
            "locked",
        )
    if (path.exists() or folder.exists()) and not overwrite:
        raise SessionProblem(
            f"There is already a session '{path.name}'. Choose another name, or allow "
            "it to be replaced."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_folder(folder)
    return folder


def remove_folder(folder: Path) -> None:
    """Remove a live store; after a crash in between it no longer counts as one."""
    if not folder.exists():
        return
    gone = folder.with_name(f"{folder.stem}-{uuid.uuid4().hex[:8]}{_GONE}")
    os.replace(folder, gone)
    sync_folder(folder.parent)
    shutil.rmtree(gone, ignore_errors=True)


def discard_live(path: Path | str) -> None:
    """Remove the live store that a crash left beside a session file.

    Raises:
      SessionProblem: If there is none, or a living process writes to it.
    """
    folder = live_path(path)
    if not folder.is_dir():
        raise SessionProblem(f"There is nothing to discard beside '{path}'.")
    lock = StoreLock.acquire(folder / LOCK)
    try:
        with naming(f"The session '{folder.stem}' could not be discarded"):
            remove_folder(folder)
    finally:
        lock.release()


def sweep_removed(parent: Path) -> None:
    """Finish removals that a crash interrupted."""
    for gone in parent.glob(f"*{_GONE}"):
        shutil.rmtree(gone, ignore_errors=True)


def build_folder(
    folder: Path,
    head: dict[str, Any],
    fill: Callable[[sqlite3.Connection, Path], None] | None = None,
) -> None:
    """A live store; it appears under its name when it is whole.

    Args:
      folder: Its name.
      head: Meta values that name the run.
      fill: Writes rows into the new database, and files into the new folder.
    """
    new = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    remove_folder(new)
    new.mkdir(parents=True)
    try:
        write_identity(new, head)
        (new / LOCK).touch()
        _build_database(new, head, fill)
        sync_folder(new)
        os.replace(new, folder)
        sync_folder(folder.parent)
    finally:
        remove_folder(new)


def _build_database(
    new: Path,
    head: dict[str, Any],
    fill: Callable[[sqlite3.Connection, Path], None] | None,
) -> None:
    connection = connect(new / DATABASE)
    try:
        create_tables(connection)
        with transaction(connection):
            put_meta(connection, "format", FORMAT)
            for name, value in head.items():
                put_meta(connection, name, value)
            if fill:
                fill(connection, new)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Errors of the system or of SQLite in the block become a SessionProblem."""
    try:
        yield
    except OSError as error:
        raise from_os_error(what, error) from error
    except sqlite3.Error as error:
        raise from_sqlite_error(what, error) from error
