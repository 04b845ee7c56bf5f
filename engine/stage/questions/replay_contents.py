"""What the replay memory of a checkpoint held, and how likely each step was drawn."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from engine.stage.archive import Session
from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.jobs import Job, Priority, RequestFailed, Wish
from engine.stage.remembered import NONE_KEPT
from engine.stage.replay_table import (
    Standing,
    Untold,
    columns,
    priorities_before,
    standing,
)

NEWEST = -1


class ReplayArguments(Arguments, frozen=True):
    """The checkpoint of this training step, or the newest before it; -1: the newest."""

    checkpoint_step: int = NEWEST


def _answer(context: Context, arguments: ReplayArguments, asker: Asker) -> Job:
    """Columns of equal length n, one row for each step that could be drawn.

    Returns:
      See ``replay_table.columns``; ``priority_before`` at the checkpoint before,
      NaN for what is newer than that; ``checkpoint_step``, ``before_step`` (-1
      where there is none), ``kind`` of the memory, its ``capacity`` and
      ``priority_epsilon``.
    """
    session = context.archive.session()
    if session.configuration.replay.kind == "none":
        raise QuestionError(NONE_KEPT)
    step, before = yield from _steps(context, arguments.checkpoint_step)
    session = yield from context.archive.as_of(session, step)
    options = session.configuration.replay
    table = yield from context.archive.episodes(session)
    held, arrays = yield from _held(context, session, table, step)
    yield None
    found: dict[str, Any] = dict(columns(session.configuration, arrays, held, step))
    if before >= 0 and options.kind == "prioritized":
        yield None
        found["priority_before"] = yield from _earlier(
            context, session, table, held, before
        )
    return found | {
        "checkpoint_step": step,
        "before_step": before,
        "kind": options.kind,
        "capacity": options.capacity,
        "priority_epsilon": options.priority_epsilon,
    }


def _steps(context: Context, wanted: int) -> Generator[Wish, Any, tuple[int, int]]:
    """The checkpoint, and the one before it or -1."""
    steps = yield from context.archive.checkpoint_steps()
    if not steps:
        raise QuestionError("No checkpoint has been made yet. Wait a moment.")
    upto = [it for it in steps if wanted < 0 or it <= wanted] or steps[:1]
    return upto[-1], upto[-2] if len(upto) > 1 else -1


def _held(
    context: Context, session: Session, table: dict[str, Any], step: int
) -> Generator[Wish, Any, tuple[Standing, dict[str, np.ndarray]]]:
    arrays = yield from context.archive.memory(session, step)
    if not len(arrays["priorities/raw"]):
        raise QuestionError(f"The replay memory was empty at step {step:,}.")
    try:
        return standing(session.configuration, arrays, table, step), arrays
    except Untold as problem:
        raise QuestionError(str(problem)) from problem


def _earlier(
    context: Context, session: Session, table: dict[str, Any], now: Standing, step: int
) -> Generator[Wish, Any, np.ndarray]:
    """Priorities at the checkpoint before; all NaN where nothing is known of it."""
    try:
        before, arrays = yield from _held(context, session, table, step)
    except (QuestionError, RequestFailed):
        return np.full(len(now.place), np.nan)
    return priorities_before(now, before, arrays["priorities/raw"])


REPLAY_CONTENTS = Question(
    "replay_contents", ReplayArguments, _answer, Priority.EMBEDDING
)
"""It gives way to the moment at the cursor, which somebody waits for."""
