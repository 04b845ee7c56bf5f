"""The keeper's answers about the session that is open: one function a question."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.sessions import SessionProblem, SessionSource, find_sessions

MOST_BYTES = 8 * 2**20
MOST_S = 0.05
Arguments = dict[str, Any]
Result = dict[str, Any]


def answer(
    source: SessionSource | None, question: str, arguments: Arguments, *, uuid: str = ""
) -> Result:
    """What the session says.

    Args:
      source: The session that is open.
      question: One of ``QUESTIONS``.
      arguments: Its own. Whoever keeps the answer says in ``of`` which session it is
        to be of: another one may have been opened meanwhile.
      uuid: Of the session that is open.

    Raises:
      SessionProblem: If no session is open, or another one, or it cannot answer.
    """
    if question not in QUESTIONS:
        raise SessionProblem(f"The keeper knows no question '{question}'.")
    if source is None:
        raise SessionProblem("No session is open. Press Train or open a session file.")
    if arguments.get("of", uuid) != uuid:
        raise SessionProblem("The session that was asked about is not open any more.")
    return QUESTIONS[question](source, arguments)


def _history(source: SessionSource, arguments: Arguments) -> Result:
    most = int(arguments.get("max_points") or 0)
    return dict(source.history(str(arguments["series"]), most))


def _episodes(source: SessionSource, arguments: Arguments) -> Result:
    return source.episodes()


def _episode(source: SessionSource, arguments: Arguments) -> Result:
    kind, number = str(arguments["kind"]), int(arguments["episode"])
    return source.episode(kind, number, frames=bool(arguments.get("frames", True)))


def _some_episodes(source: SessionSource, arguments: Arguments) -> Result:
    """Several without their frames; those that are missing are left out.

    They end where they would be too many bytes for one message, or where reading them
    has taken so long that rows of the run wait.
    """
    records: list[dict[str, Any]] = []
    room, ends = MOST_BYTES, time.monotonic() + MOST_S
    for kind, episode in arguments["wanted"]:
        try:
            record = source.episode(str(kind), int(episode), frames=False)
        except SessionProblem:
            continue
        arrays = (it for it in record.values() if isinstance(it, np.ndarray))
        room -= sum(it.nbytes for it in arrays)
        if room < 0:
            break
        records.append(record)
        if time.monotonic() > ends:
            break
    return {"records": records}


def _stored_frames(source: SessionSource, arguments: Arguments) -> Result:
    kind, episode = str(arguments["kind"]), int(arguments["episode"])
    first, end = int(arguments["first"]), int(arguments["end"])
    return {"frames": source.frames(kind, episode, first, end)}


def _events(source: SessionSource, arguments: Arguments) -> Result:
    events = [msgspec.to_builtins(it) for it in source.events()]
    for event in events:
        event.pop("type", None)
    return {"events": events}


def _checkpoints(source: SessionSource, arguments: Arguments) -> Result:
    rows = source.checkpoints()
    names = ("step", "update", "episode")
    columns: Result = {
        name: np.array([getattr(row, name) for row in rows], np.int64) for name in names
    }
    columns["reason"] = [row.reason for row in rows]
    columns["best"] = np.array([row.best for row in rows], bool)
    return columns


def _checkpoint(source: SessionSource, arguments: Arguments) -> Result:
    found = source.checkpoint(int(arguments.get("step", -1)))
    return {
        "step": found.step,
        "update": found.update,
        "episode": found.episode,
        "reason": found.reason,
        "arrays": dict(found.arrays),
        "values": found.values,
    }


def _evaluations(source: SessionSource, arguments: Arguments) -> Result:
    found = source.evaluations()
    return {
        "step": np.array([it.step for it in found], np.int64),
        "update": np.array([it.update for it in found], np.int64),
        "mean": np.array([np.mean(it.returns) for it in found], np.float64),
        "low": np.array([np.min(it.returns) for it in found], np.float64),
        "high": np.array([np.max(it.returns) for it in found], np.float64),
        "length": np.array([np.mean(it.lengths) for it in found], np.float64),
        "wall_time": np.array([it.wall_time for it in found], np.float64),
        "best": np.array([it.best for it in found], bool),
        "returns": [it.returns for it in found],
        "lengths": [it.lengths for it in found],
    }


def _summary(source: SessionSource, arguments: Arguments) -> Result:
    return source.summary() | {"problems": source.problems()}


def _series(source: SessionSource, arguments: Arguments) -> Result:
    return {"series": source.series()}


def _views(source: SessionSource, arguments: Arguments) -> Result:
    return {"views": source.views()}


QUESTIONS: dict[str, Callable[[SessionSource, Arguments], Result]] = {
    "history": _history,
    "episodes": _episodes,
    "episode": _episode,
    "some_episodes": _some_episodes,
    "stored_frames": _stored_frames,
    "events": _events,
    "checkpoints": _checkpoints,
    "checkpoint": _checkpoint,
    "evaluations": _evaluations,
    "summary": _summary,
    "series": _series,
    "views": _views,
}


def recent(folder: Path, most: int = 50) -> Result:
    """Sessions in a folder, newest first; ``live`` means that a crash left it open."""
    rows = [it._asdict() | {"live": it.needs_recovery} for it in find_sessions(folder)]
    return {"folder": str(folder), "rows": rows[:most]}
