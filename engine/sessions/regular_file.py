"""Files by rule: how a session may be called, opened, and read but never written."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO, Protocol

from engine.sessions.problems import SessionProblem, from_os_error
from engine.sessions.rules import Rules, broken

FILES: Rules[os.stat_result] = {
    "regular file": lambda it: (
        "" if stat.S_ISREG(it.st_mode) else "it is not a regular file"
    )
}


def open_regular(path: Path) -> BinaryIO:
    """A regular file, opened without following a link or waiting on a pipe.

    Raises:
      SessionProblem: If it is anything else.
    """
    what = f"'{path.name}' cannot be opened"
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise SessionProblem(f"There is no session file '{path.name}'.") from error
    except OSError as error:
        raise from_os_error(what, error) from error
    if reason := broken(FILES, os.fstat(handle)):
        os.close(handle)
        raise SessionProblem(f"{what}: {reason}.", "foreign")
    return os.fdopen(handle, "rb")


def check_name(target: Path, *, overwrite: bool) -> None:
    """See that a new session may have this path.

    Raises:
      SessionProblem: If it does not end in .h5, or exists (and not ``overwrite``).
    """
    if target.suffix != ".h5":
        raise SessionProblem(
            f"'{target.name}' cannot name a session: it must end in .h5."
        )
    if target.exists() and not overwrite:
        raise SessionProblem(
            f"There is already a session '{target.name}'. Choose another name, or "
            "allow it to be replaced."
        )


class Reads(Protocol):
    """What has bytes to give."""

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes."""


class ReadOnly:
    """What HDF5 asks of a file besides reading; nothing of it changes anything.

    Attributes:
      length: Bytes that can be read.
    """

    length: int

    def readinto(self: Reads, buffer: memoryview) -> int:
        """Fill the buffer; what lies behind the end reads as zeros."""
        target = memoryview(buffer).cast("B")
        data = self.read(len(target))
        target[: len(data)] = data
        target[len(data) :] = bytes(len(target) - len(data))
        return len(target)

    def write(self, data: bytes) -> int:
        """Refused quietly; HDF5 opens the file for reading only."""
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        """Nothing is changed."""
        return self.length

    def flush(self) -> None:
        """Nothing is pending."""
