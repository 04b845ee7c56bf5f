"""Opening what must be a regular file: no link, no pipe, no device."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

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
