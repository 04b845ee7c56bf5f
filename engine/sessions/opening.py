"""Opening a session to look at it, whatever form it is in; and finding sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from engine.sessions.atomic import sweep
from engine.sessions.guarded_file import GuardedFile
from engine.sessions.live_folder import LIVE, LOCK, live_path, sweep_removed
from engine.sessions.live_store import LiveStore
from engine.sessions.lock import is_locked
from engine.sessions.problems import SessionProblem
from engine.sessions.reader import read_heads
from engine.sessions.source import SessionSource
from engine.sessions.store_reader import StoreReader


def open_session(path: Path | str) -> SessionSource:
    """The session to look at: its live store where there is one, else its file.

    A live store that another process writes to is shown as it is at this moment. A
    file may be anybody's: a process under limits reads it.

    Raises:
      SessionProblem: If there is neither, or it cannot be opened.
    """
    path = Path(path)
    folder = live_path(path)
    if not folder.is_dir():
        return GuardedFile.open(path)
    try:
        return LiveStore.open(path)
    except SessionProblem as problem:
        if problem.kind != "locked":
            raise
    return StoreReader.snapshot(folder)


class FoundSession(NamedTuple):
    """One line of the list of sessions in a folder.

    Attributes:
      modified: Unix time.
      steps: Of training; -1 where it is not known.
      needs_recovery: A crash left a live store beside (or without) the file.
      running: A living process writes to it.
      problem: Why it cannot be opened, or empty.
    """

    name: str
    path: str
    size: int
    modified: float
    steps: int
    needs_recovery: bool
    running: bool = False
    problem: str = ""


def find_sessions(folder: Path | str) -> list[FoundSession]:
    """All sessions in a folder, the newest first; half-finished removals are swept."""
    folder = Path(folder)
    if not folder.is_dir():
        return []
    sweep_removed(folder)
    sweep(folder)
    names = {it for it in folder.glob("*.h5") if it.is_file()}
    names |= {it.with_suffix(".h5") for it in folder.glob(f"*{LIVE}") if it.is_dir()}
    heads = _heads(it for it in names if it.is_file() and not live_path(it).is_dir())
    found = [_describe(path, heads) for path in names]
    return sorted(found, key=lambda it: (-it.modified, it.name))


def _describe(path: Path, heads: Mapping[Path, int | SessionProblem]) -> FoundSession:
    live = live_path(path)
    running = live.is_dir() and _is_running(live)
    parts = [path] if path.exists() else []
    parts += [it for it in live.iterdir() if it.is_file()] if live.is_dir() else []
    stats = [it.stat() for it in parts if it.exists() and it.name != "ballast"]
    steps = heads[path] if path in heads else _live_steps(live)
    return FoundSession(
        name=path.stem,
        path=str(path),
        size=sum(it.st_size for it in stats),
        modified=max((it.st_mtime for it in stats), default=0.0),
        steps=steps if isinstance(steps, int) else -1,
        needs_recovery=live.is_dir() and not running,
        running=running,
        problem="" if isinstance(steps, int) else str(steps),
    )


def _is_running(live: Path) -> bool:
    try:
        return is_locked(live / LOCK)
    except SessionProblem:
        return False


def _live_steps(live: Path) -> int | SessionProblem:
    try:
        reader = StoreReader.snapshot(live)
        try:
            return reader.progress().get("trainer", (-1, 0))[1]
        finally:
            reader.close()
    except SessionProblem as problem:
        return problem


_known: dict[Path, tuple[tuple[int, ...], int | SessionProblem]] = {}
"""What the list has read already, with the state of the file that it was read from."""


def _heads(paths: Iterable[Path]) -> dict[Path, int | SessionProblem]:
    """Steps of sealed files; only those are read that are new or have changed."""
    states = {path: _state(path) for path in paths}
    known = {path: it for path, it in _known.items() if states.get(path) == it[0]}
    fresh = read_heads([path for path in states if path not in known])
    _known.clear()
    _known.update(known | {path: (states[path], it) for path, it in fresh.items()})
    return {path: it for path, (_, it) in _known.items()}


def _state(path: Path) -> tuple[int, ...]:
    found = path.lstat()
    return (found.st_ino, found.st_size, found.st_mtime_ns)
