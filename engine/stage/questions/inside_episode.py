"""What goes on inside the network at some steps of a recorded episode."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Literal

import numpy as np

from engine.stage.archive import Session
from engine.stage.cache import array_bytes
from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.episodes import AS_RECORDED, Weights
from engine.stage.identity import recorded_as
from engine.stage.inside import look_inside
from engine.stage.jobs import Job, Wish
from engine.stage.minds import liking
from engine.stage.questions.judge_episode import judging_step, options_step

MOST_BYTES = 8 * 2**20
RETURNS = ("return_values", "return_probs", "preference", "q")
NAMES = {"returns": RETURNS, "memory": ("memory", "q")}


class EpisodeArguments(Arguments, frozen=True, kw_only=True):
    """Which episode, by which checkpoint; -1 the one that played it."""

    kind: Literal["training", "evaluation", "branch"]
    episode: int
    checkpoint_step: int = AS_RECORDED


class InsideArguments(EpisodeArguments, frozen=True, kw_only=True):
    """Which of its steps, and ``what``: ``returns`` (distributions) or ``memory``.

    An answer holds as many steps as fit into a few MB.
    """

    what: Literal["returns", "memory"]
    first: int
    last: int


def _inside(context: Context, arguments: InsideArguments, asker: Asker) -> Job:
    """``first``, the arrays [k, ...] of the steps from there on, whose weights.

    ``returns``: ``return_values``, ``return_probs`` [k, A, N] and ``liking`` [k, A];
    ``memory``: ``memory`` [k, U] and ``value`` (max q) [k].
    """
    session, record, weights = yield from by_whom(context, arguments)
    key = (arguments, recorded_as(session.past, record), session.changes, weights.step)
    known = context.judged.get(key)
    if known is not None:
        return known
    first = max(0, arguments.first)
    last = min(
        arguments.last, len(record["actions"]), first + _most(session, arguments)
    )
    if last < first:
        raise QuestionError(f"Episode {arguments.episode:,} has no such steps.")
    names = NAMES[arguments.what]
    steps = range(first, last + 1)
    found = yield from look_inside(context, session, record, weights, steps, names)
    if names[0] not in found.online:
        what = "learns no distribution" if arguments.what == "returns" else "forgets"
        raise QuestionError(f"This network {what}.")
    result = _answer(found.online, arguments.what)
    result |= {"first": first, "checkpoint_step": weights.step}
    context.judged.put(key, result, array_bytes(result))
    return result


def _answer(online: dict[str, np.ndarray], what: str) -> dict[str, Any]:
    if what == "memory":
        return {"memory": online["memory"], "value": online["q"].max(axis=1)}
    names = ("return_values", "return_probs")
    return {name: online[name] for name in names} | {"liking": liking(online)}


def _most(session: Session, arguments: InsideArguments) -> int:
    """How many further steps an answer has room for."""
    head, units = session.configuration.head, session.configuration.network
    numbers = 2 * head.atoms * session.card.actions
    if arguments.what == "memory":
        numbers = units.recurrent_units
    return int(max(1, MOST_BYTES // (4 * numbers)))


def by_whom(
    context: Context, arguments: EpisodeArguments
) -> Generator[Wish, Any, tuple[Session, dict[str, Any], Weights]]:
    """The episode, and the checkpoint that judges it.

    Returns:
      The session with the options that judge, the record, and the weights.
    """
    session = context.archive.session()
    record = yield from context.archive.episode(
        session, arguments.kind, arguments.episode
    )
    step = yield from judging_step(context, record, arguments.checkpoint_step)
    if step is None:
        raise QuestionError("There is no checkpoint to look into.")
    arrays = yield from context.archive.weights(session, step)
    of = yield from options_step(context, record, arguments.checkpoint_step, step)
    session = yield from context.archive.as_of(session, of)
    return session, record, Weights(step, arrays)


INSIDE_EPISODE = Question("inside_episode", InsideArguments, _inside)
