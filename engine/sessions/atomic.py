"""Putting a file in place: the old one or the new one at every instant."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TEMPORARY = ".part"
"""Ending of a file that is being written; such a file is never read."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; its content becomes ``path`` when the block ends well.

    The new content and the folder are synced. When the block or the sync fails,
    the previous file is untouched and the temporary one is removed.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        yield temporary
        sync_file(temporary)
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """The same for a folder; one that is there already must be empty.

    Raises:
      OSError: If it is not (``ENOTEMPTY``), or cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    temporary.mkdir()
    try:
        yield temporary
        for file in temporary.rglob("*"):
            (sync_folder if file.is_dir() else sync_file)(file)
        sync_folder(temporary)
        if path.is_dir():
            path.rmdir()
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_file(path: Path, data: bytes | memoryview) -> None:
    """Replace the content of ``path`` by ``data``, durably."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(data)


def sync_file(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk (not on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path, stem: str = "") -> list[Path]:
    """Remove what interrupted writers left in a folder; returns what it was.

    A temporary file whose writer is still alive is left alone.
    """
    import psutil

    gone = []
    for path in folder.glob(f".{stem}*{TEMPORARY}"):
        owner = path.name.removesuffix(TEMPORARY).rpartition(".")[2]
        if owner.isdigit() and psutil.pid_exists(int(owner)):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        gone.append(path)
    return gone
