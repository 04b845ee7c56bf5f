"""Notes beside a session file that is only looked at: ``NAME.notes``.

A sealed file is never changed in place, and writing it anew takes a while. So what
people leave in it is first put beside it, small and at once, and folded into the file
later (:mod:`engine.sessions.folding`). Like every file it may be a stranger's.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from engine.sessions.atomic import sync_folder, write_file
from engine.sessions.packing import checksum
from engine.sessions.problems import SessionProblem, from_os_error
from engine.sessions.regular_file import open_regular

ENDING = ".notes"
MOST_BYTES = 16 << 20
"""So much can be kept with a session for the window."""
MOST_DEPTH = 16


class _Beside(msgspec.Struct, frozen=True):
    """What the file holds; ``views`` is JSON text, ``crc`` is of it and the session."""

    uuid: str
    views: str
    crc: int


def beside(path: Path) -> Path:
    """``NAME.notes`` beside ``NAME.h5``."""
    return path.with_suffix(ENDING)


def check_views(views: dict[str, Any]) -> str:
    """What a window wants to keep, as JSON text.

    Raises:
      SessionProblem: If it is more than a session holds.
    """
    text = msgspec.json.encode(views)
    if len(text) > MOST_BYTES or _depth(views) > MOST_DEPTH:
        raise SessionProblem(
            f"The notes are too large to be kept ({len(text) / 1e6:.0f} MB of at most "
            f"{MOST_BYTES / 1e6:.0f} MB): delete branches or bookmarks."
        )
    return text.decode()


def put_beside(path: Path, uuid: str, views: dict[str, Any]) -> None:
    """Keep it, durably; the old or the new one is there at every instant.

    Raises:
      SessionProblem: If it is too large, or the folder cannot be written.
    """
    text = check_views(views)
    kept = _Beside(uuid, text, checksum(text, "notes", uuid))
    try:
        _set_aside(beside(path), uuid)
        write_file(beside(path), msgspec.json.encode(kept))
    except OSError as error:
        what = f"The notes of '{path.stem}' could not be kept"
        raise from_os_error(what, error) from error


def _set_aside(place: Path, uuid: str) -> None:
    """What is there and is not of this session gets another name."""
    if not place.is_file() or place.is_symlink():
        return
    with place.open("rb") as file:
        data = file.read(MOST_BYTES * 2)
    try:
        ours = msgspec.json.decode(data, type=_Beside).uuid == uuid
    except (ValueError, RecursionError):  # msgspec has ValueErrors
        ours = False
    if not ours:
        os.replace(place, place.with_name(f"{place.name}.old"))


def find_beside(path: Path, uuid: str) -> tuple[dict[str, Any], int]:
    """What is kept beside the file of this session, and its checksum.

    Nothing and -1 where there is nothing, or it is of another session.

    Raises:
      SessionProblem: If it is there and cannot be read.
    """
    place = beside(path)
    if not place.is_symlink() and not place.exists():
        return {}, -1
    with open_regular(place) as file:
        data = file.read(MOST_BYTES * 2)
    try:
        kept = msgspec.json.decode(data, type=_Beside)
        views = msgspec.json.decode(kept.views, type=dict[str, Any])
        right = kept.crc == checksum(kept.views, "notes", kept.uuid)
        msgspec.msgpack.encode(views)  # no number that a message cannot carry
    except (ValueError, OverflowError, RecursionError):  # msgspec has ValueErrors
        right = False
    if not right or _depth(views) > MOST_DEPTH:
        raise SessionProblem(
            f"The notes in '{place.name}' are damaged and were left out.", "damaged"
        )
    return (views, kept.crc) if kept.uuid == uuid else ({}, -1)


def copy_beside(path: Path, target: Path) -> None:
    """Beside another file of the same session, where there are any."""
    with suppress(FileNotFoundError):
        shutil.copyfile(beside(path), beside(target), follow_symlinks=False)


def drop_beside(path: Path) -> None:
    """They are kept elsewhere now; one that cannot be removed is known by its sum."""
    with suppress(OSError):
        beside(path).unlink(missing_ok=True)
        sync_folder(path.parent)


def _depth(value: Any) -> int:
    """How deep lists and mappings lie in each other, counted up to the limit."""
    level, depth = [value], 0
    while level and depth <= MOST_DEPTH:
        inside: list[Any] = []
        for it in level:
            if isinstance(it, dict):
                inside += it.values()
            elif isinstance(it, list):
                inside += it
        level, depth = inside, depth + 1
    return depth
