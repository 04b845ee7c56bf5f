"""A new session from a checkpoint of another one."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from engine.sessions.atomic import TEMPORARY, sync_folder
from engine.sessions.beside import copy_beside
from engine.sessions.guarded_file import GuardedFile
from engine.sessions.live_store import LiveStore
from engine.sessions.opening import open_session
from engine.sessions.problems import from_os_error
from engine.sessions.regular_file import check_name
from engine.sessions.session_writer import write_session
from engine.sessions.source import NEWEST, ResumePoint
from engine.sessions.store_reader import StoreReader


class Fork(NamedTuple):
    """What a fork begins with.

    Attributes:
      step: Environment steps behind it.
      exact: It goes on as its parent did; else ``note`` says what is missing.
    """

    step: int
    exact: bool
    note: str


def fork(
    path: Path, target: Path, step: int = NEWEST, *, overwrite: bool = False
) -> Fork:
    """Make ``target`` of what ``path`` was at a checkpoint; ``path`` is not touched.

    Weights, optimizer, replay memory, random numbers and running episodes are those of
    the parent, and so is everything recorded up to there.

    Raises:
      SessionProblem: If there is no such checkpoint, something cannot be read, or
        ``target`` exists (and not ``overwrite``) or cannot be written.
    """
    check_name(target, overwrite=overwrite)
    try:
        # Named so that the next look into the folder sweeps what a crash leaves.
        ending = f".{os.getpid()}{TEMPORARY}"
        with tempfile.TemporaryDirectory(
            ending, f".{target.name}.", target.parent
        ) as folder:
            place = Path(folder) / target.name
            _copy(path, place)
            made = _turn_into_fork(place, step)
            os.replace(place, target)
            sync_folder(target.parent)
    except OSError as error:
        what = f"The fork '{target.name}' could not be written"
        raise from_os_error(what, error) from error
    return made


def _copy(path: Path, place: Path) -> None:
    """A session file of what is durable, whatever form the session is in."""
    source = open_session(path)
    try:
        if isinstance(source, GuardedFile):
            shutil.copyfile(path, place)
            copy_beside(path, place)
        elif isinstance(source, StoreReader):
            write_session(source, place)
    finally:
        source.close()


def _turn_into_fork(place: Path, step: int) -> Fork:
    with LiveStore.open(place) as store:
        point = _point(store, step)
        store.truncate_after(point)
        store.become_fork()
        store.note("state", f"Forked at step {point.step:,}.", point.step)
        store.close(fold=True)
    return Fork(point.step, point.exact, point.note)


def _point(store: LiveStore, step: int) -> ResumePoint:
    return store.resume_point() if step == NEWEST else store.resume_point_at(step)
