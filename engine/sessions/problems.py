"""The one exception of this room: a sentence for the user, and its kind."""

from __future__ import annotations

import errno
import sqlite3
from typing import Literal

Kind = Literal["refused", "damaged", "newer", "foreign", "locked", "disk-full", "io"]


class SessionProblem(ValueError):
    """What went wrong with a session, why, and how to fix it, in one sentence.

    Attributes:
      kind: ``refused`` (the request cannot be done), ``damaged`` (bytes changed),
        ``newer`` (written by a later version), ``foreign`` (not written by this
        lab), ``locked`` (another process has it), ``disk-full``, or ``io`` (the disk
        or the memory did not do it, and may do it another time).
    """

    def __init__(self, sentence: str, kind: Kind = "refused") -> None:
        super().__init__(sentence)
        self.kind: Kind = kind


def from_os_error(what: str, error: OSError) -> SessionProblem:
    """An error of the operating system as a sentence that begins with ``what``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(what)
    reason = error.strerror or type(error).__name__
    return SessionProblem(f"{what}: {reason}. Check the folder and try again.", "io")


def from_sqlite_error(what: str, error: sqlite3.Error) -> SessionProblem:
    """An error of SQLite as a sentence that begins with ``what``."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return disk_full(what)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return SessionProblem(
            f"{what}: the live store is damaged. Open the session again to repair it.",
            "damaged",
        )
    return SessionProblem(
        f"{what}: {str(error).rstrip('.')}. Check the disk and try again.", "io"
    )


def disk_full(what: str) -> SessionProblem:
    """The sentence for a full disk."""
    return SessionProblem(
        f"{what}: the disk is full. Free some space; nothing that was confirmed is "
        "lost, and recording goes on by itself.",
        "disk-full",
    )
