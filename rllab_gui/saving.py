"""Files that a person saves from the window: the old one or the new one, never half."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import psutil

TEMPORARY = ".part"


def save(path: Path | str, content: bytes) -> None:
    """Put the content in place of the file, durably; nothing is left beside it.

    Raises:
      OSError: If the folder cannot be written to; the file is as before.
    """
    path = Path(path)
    sweep(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def sweep(path: Path) -> None:
    """Remove what an interrupted saver of this file has left."""
    ours = re.compile(rf"\.{re.escape(path.name)}\.(\d+){re.escape(TEMPORARY)}")
    for left in path.parent.glob(f".*{TEMPORARY}"):
        owner = ours.fullmatch(left.name)
        if owner and not psutil.pid_exists(int(owner[1])):
            left.unlink(missing_ok=True)
