"""A live store from a session file, so that a run can go on in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engine.sessions import recorded, replay_log
from engine.sessions.checkpoint_files import checkpoint_image, write_checkpoint_file
from engine.sessions.column_log import ColumnLog, Columns
from engine.sessions.database import put_meta
from engine.sessions.guarded_file import GuardedFile
from engine.sessions.live_folder import build_folder, naming
from engine.sessions.parts import whole
from engine.sessions.problems import SessionProblem
from engine.sessions.row_writing import put_checkpoint_row, put_evaluation, put_event
from engine.sessions.session_rules import foreign
from engine.sessions.store_reader import finished, telemetry

BLOCK_LINES = 16384
REPLAY_LINES = 4096


def unfold(path: Path, folder: Path) -> None:
    """Make ``NAME.live`` from ``NAME.h5``; the file stays as it is.

    Raises:
      SessionProblem: If there is no such file, or it cannot be opened.
    """
    if not path.exists():
        raise SessionProblem(f"There is no session '{path.name}' here.")
    with GuardedFile.open(path) as file:
        if file.is_newer():
            raise SessionProblem(
                f"'{path.name}' was written by a newer RL Lab, so it can be looked at "
                "but not continued here. Update RL Lab.",
                "newer",
            )
        what = f"The session '{path.stem}' could not be opened for writing"
        with naming(what), _judging(path.name):
            head = _head(file)
            build_folder(folder, head, lambda db, new: _fill(db, new, file, head))


@contextmanager
def _judging(name: str) -> Iterator[None]:
    """What passed every rule and still cannot be stored is no session of ours."""
    try:
        yield
    except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        if isinstance(error, SessionProblem):
            raise
        raise foreign(name, f"it cannot be stored ({type(error).__name__})") from error


def _head(file: GuardedFile) -> dict[str, Any]:
    summary = file.summary()
    names = ("uuid", "parent_uuid", "created", "writer")
    head: dict[str, Any] = {name: summary[name] for name in names}
    head |= {"configuration": file.configuration(), "card": file.card()}
    return head | {"series": file.series()}


def _fill(
    connection: sqlite3.Connection,
    folder: Path,
    file: GuardedFile,
    head: dict[str, Any],
) -> None:
    put_meta(connection, "progress", file.progress())
    put_meta(connection, "views", file.views())
    sealed = {"time": file.summary()["sealed"], "revision": 0}
    put_meta(connection, "sealed", sealed)
    _fill_curves(connection, file)
    for kind, number in file.recorded_keys():
        record = file.episode(kind, number)
        recorded.put_episode(connection, record, file.episode_row(kind, number))
    for row, event in file.numbered_events():
        put_event(connection, event, row)
    for evaluation in file.evaluations():
        put_evaluation(connection, evaluation)
    _fill_checkpoints(connection, folder, file, head)


def _fill_curves(connection: sqlite3.Connection, file: GuardedFile) -> None:
    for part, name in enumerate(file.series()):
        lines = file.series_lines(name)
        lines["series"] = np.full(len(lines["step"]), part, np.int16)
        _append_blocks(connection, telemetry, lines, part)
    _append_blocks(connection, finished, file.finished_lines(), 0)


def _append_blocks(
    connection: sqlite3.Connection, log: ColumnLog, lines: Columns, part: int
) -> None:
    for at in range(0, len(lines["step"]), BLOCK_LINES):
        block = {name: it[at : at + BLOCK_LINES] for name, it in lines.items()}
        log.append(connection, block, part)


def _fill_checkpoints(
    connection: sqlite3.Connection,
    folder: Path,
    file: GuardedFile,
    head: dict[str, Any],
) -> None:
    rows = file.checkpoints()
    for row in rows:
        image = whole(checkpoint_image(row, file.checkpoint_of(row), head))
        write_checkpoint_file(folder, row, image)
        put_checkpoint_row(connection, row)
    spans = list(range(0, file.replay_count(), REPLAY_LINES))
    for index, at in enumerate(spans):
        # The lines are of many rows; the last ones up to the checkpoint stand for
        # them.
        number = rows[-1].replay_row - len(spans) + 1 + index
        replay_log.put_replay(
            connection, number, file.replay_lines(at, at + REPLAY_LINES)
        )
