"""Putting the notes beside a session file into it: the file is written anew."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from engine.sessions.atomic import TEMPORARY, sync_file, sync_folder
from engine.sessions.beside import beside, copy_beside, drop_beside
from engine.sessions.live_folder import live_path
from engine.sessions.live_store import LiveStore
from engine.sessions.problems import SessionProblem, from_os_error


def fold_notes(path: Path, target: Path) -> None:
    """Write ``target`` from ``path`` and the notes beside it, sealed and at once.

    Without notes the same bytes are written again. ``target`` may be ``path`` itself:
    then it is replaced if nobody has changed it in the meantime, and the notes beside
    it go. At every instant it is the old file or the new one, and what is killed
    leaves the notes where they were.

    Raises:
      SessionProblem: If it cannot be read or written; ``target`` is as before.
    """
    if target == path and not beside(path).exists():
        return
    try:
        before, notes = _state(path), _state(beside(path))
        with tempfile.TemporaryDirectory(
            # Named so that the next look into the folder sweeps what a crash leaves.
            f".{os.getpid()}{TEMPORARY}",
            f".{target.name}.",
            target.parent,
        ) as folder:
            place = Path(folder) / target.name
            _write(path, place)
            if target == path and (live_path(path).is_dir() or _state(path) != before):
                raise SessionProblem(f"'{path.name}' has been changed meanwhile.")
            os.replace(place, target)
            if target != path:  # what lay beside an older copy is not of this one
                drop_beside(target)
            sync_folder(target.parent)
    except OSError as error:
        what = f"The notes could not be written into '{target.name}'"
        raise from_os_error(what, error) from error
    if target == path and _state(beside(path)) == notes:
        drop_beside(path)


def _write(path: Path, place: Path) -> None:
    """A copy that becomes a store takes in the notes that lie beside it."""
    shutil.copyfile(path, place)
    if beside(path).exists():
        copy_beside(path, place)
        LiveStore.open(place).close(fold=True)
    shutil.copymode(path, place)
    sync_file(place)


def _state(path: Path) -> tuple[int, ...]:
    """Every write puts another file in place."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns)
