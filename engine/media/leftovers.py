"""What a process that was killed while it wrote a film has left of it.

Every encoder writes beside the film, under a hidden name that begins with the film's
and says which process writes it: this is the one place that knows these names.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil

_GROWING, _PART = ".growing.mp4", ".part"
_FRAGMENT = b"moof"
"""Type of the boxes of an MP4 that hold pictures."""
_HEADER_BYTES = 2**16


def growing(path: Path) -> Path:
    """The MP4 in fragments that a film grows in."""
    return path.with_name(f".{path.name}.{os.getpid()}{_GROWING}")


def part(path: Path) -> Path:
    """What takes the name of the film once it is complete."""
    return path.with_name(f".{path.name}.{os.getpid()}{_PART}")


def discard(path: Path) -> None:
    """Remove what processes that have ended left of a film.

    Args:
      path: Where the film was to be.

    Raises:
      OSError: The folder cannot be written.
    """
    for it in _left(path, _PART, _GROWING):
        if it.is_dir():
            shutil.rmtree(it, ignore_errors=True)
        else:
            it.unlink(missing_ok=True)


def rescue(path: Path) -> Path | None:
    """Keep what can be played of an unfinished film, and remove the rest.

    What a process that goes on is writing is left to it.

    Args:
      path: Where the film was to be.

    Returns:
      The part of the film that was written, beside ``path``; None where there is none.

    Raises:
      OSError: The folder cannot be written.
    """
    playable = [it for it in _left(path, _GROWING) if _can_be_played(it)]
    newest = max(playable, key=lambda it: it.stat().st_mtime, default=None)
    kept = None
    if newest is not None:
        kept = path.with_name(f"{path.stem} (unfinished).mp4")
        number = 2
        while kept.exists():
            kept = path.with_name(f"{path.stem} (unfinished {number}).mp4")
            number += 1
        newest.replace(kept)
    discard(path)
    return kept


def _left(path: Path, *endings: str) -> list[Path]:
    """Of whom there is no process any more."""
    found = []
    for ending in endings:
        for it in path.parent.glob(f".{_literally(path.name)}.*{ending}"):
            writer = it.name[len(path.name) + 2 : -len(ending)]
            if writer.isdigit() and not _is_alive(int(writer)):
                found.append(it)
    return found


def _is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _can_be_played(film: Path) -> bool:
    with film.open("rb") as file:
        return _FRAGMENT in file.read(_HEADER_BYTES)


def _literally(name: str) -> str:
    """For a pattern of file names."""
    return "".join(f"[{it}]" if it in "*?[" else it for it in name)
