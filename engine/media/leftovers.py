"""What a process that was killed while it wrote a film has left of it.

Every encoder writes beside the film, under a hidden name that begins with the film's:
this is the one place that knows these names.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_FRAGMENT = b"moof"
"""Type of the boxes of an MP4 that hold pictures."""
_HEADER_BYTES = 2**16


def growing(path: Path) -> Path:
    """The MP4 in fragments that a film grows in."""
    return path.with_name(f".{path.name}.growing.mp4")


def part(path: Path) -> Path:
    """What takes the name of the film once it is complete."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def rescue(path: Path) -> Path | None:
    """Keep what can be played of an unfinished film, and remove the rest.

    Args:
      path: Where the film was to be; nobody may be writing it any more.

    Returns:
      The part of the film that was written, beside ``path``; None where there is none.

    Raises:
      OSError: The folder cannot be written.
    """
    for it in path.parent.glob(f".{_literally(path.name)}.*.part"):
        if it.is_dir():
            shutil.rmtree(it, ignore_errors=True)
        else:
            it.unlink(missing_ok=True)
    left = growing(path)
    if not left.is_file():
        return None
    with left.open("rb") as file:
        playable = _FRAGMENT in file.read(_HEADER_BYTES)
    if not playable:
        left.unlink()
        return None
    free = path.with_name(f"{path.stem} (unfinished).mp4")
    number = 2
    while free.exists():
        free = path.with_name(f"{path.stem} (unfinished {number}).mp4")
        number += 1
    return left.replace(free)


def _literally(name: str) -> str:
    """For a pattern of file names."""
    return "".join(f"[{it}]" if it in "*?[" else it for it in name)
