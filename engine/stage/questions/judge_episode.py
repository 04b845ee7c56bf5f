"""What the network thinks of each step of a recorded episode."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Literal

import numpy as np

from engine.stage.archive import Session
from engine.stage.cache import array_bytes
from engine.stage.context import Arguments, Asker, Context, Question
from engine.stage.episodes import (
    AS_RECORDED,
    Seen,
    Weights,
    is_all_recorded,
    look,
    look_at_unrecorded,
    merge_recorded,
    td_errors,
)
from engine.stage.identity import recorded_as
from engine.stage.jobs import Job, Priority, Wish


class JudgeArguments(Arguments, frozen=True):
    """Which episode, by the weights of which checkpoint; -1 is *as recorded*."""

    kind: Literal["training", "evaluation", "branch"]
    episode: int
    checkpoint_step: int = AS_RECORDED


def _answer(context: Context, arguments: JudgeArguments, asker: Asker) -> Job:
    return judge(context, arguments.kind, arguments.episode, arguments.checkpoint_step)


def judge(
    context: Context, kind: str, episode: int, checkpoint_step: int
) -> Generator[Wish, Any, dict[str, Any]]:
    """All arrays of an episode of T steps.

    Returns:
      ``q``, ``advantage``, ``liking`` (what actions are chosen by: q or CVaR)
      [T+1, A], ``value`` (max q), ``value_head`` [T+1],
      ``td_error`` [T], ``recorded`` bool [T+1] (this row of q was recorded, not
      judged now), ``actions``, ``rewards``, ``explored``, ``terminations``,
      ``truncations`` [T], ``explored_known`` (False: nobody recorded which were
      random), ``observations`` [T+1, n] of vectors as the agent sees
      them, names of actions and observations, ``exact``, ``note``,
      ``checkpoint_step`` (-1 as recorded), ``judged_by``: step of the weights that
      filled what was not recorded (-1 for none), ``options_step``: the options are
      those of this training step, ``seed``, ``step0``.
    """
    session = context.archive.session()
    record = yield from context.archive.episode(session, kind, episode)
    context.read_ahead.around(session, kind, episode)
    context.minds.expect_questions()
    step = None
    if checkpoint_step != AS_RECORDED or not is_all_recorded(session, record):
        step = yield from judging_step(context, record, checkpoint_step)
    of = yield from options_step(context, record, checkpoint_step, step)
    split = yield from _switched_in(context, session, record, checkpoint_step)
    session = yield from context.archive.as_of(session, of)
    whose = recorded_as(session.past, record)
    key = ("judged", whose, session.changes, checkpoint_step, step)
    known = context.judged.get(key)
    if known is None:
        known = yield from _judged(context, session, record, checkpoint_step, step)
        known["options_step"] = of
        known["note"] = " ".join(it for it in (split, known["note"]) if it)
        context.judged.put(key, known, array_bytes(known))
    return known


def judging_step(
    context: Context, record: Mapping[str, Any], checkpoint_step: int
) -> Generator[Wish, Any, int | None]:
    """Training step of the weights that judge; -1 asks for who played it."""
    if checkpoint_step == AS_RECORDED:
        session = context.archive.session()
        mostly = yield from _mostly(context, session, record)
        return (yield from context.archive.closest_checkpoint(session, mostly))
    return (yield from context.archive.nearest_checkpoint(checkpoint_step))


def options_step(
    context: Context,
    record: Mapping[str, Any],
    checkpoint_step: int,
    judging: int | None,
) -> Generator[Wish, Any, int]:
    """Training step whose options judge: of the checkpoint, or of who played it.

    An episode in which they were switched is judged by those of most of its steps.
    """
    if checkpoint_step == AS_RECORDED or judging is None:
        session = context.archive.session()
        return (yield from _mostly(context, session, record))
    return judging


def _mostly(
    context: Context, session: Session, record: Mapping[str, Any]
) -> Generator[Wish, Any, int]:
    history = yield from context.archive.history(session)
    first, last = _made_in(record, session)
    return history.mostly(first, last)


def _switched_in(
    context: Context, session: Session, record: Mapping[str, Any], checkpoint_step: int
) -> Generator[Wish, Any, str]:
    """What is to be known of an episode in which options were switched."""
    if checkpoint_step != AS_RECORDED:
        return ""
    history = yield from context.archive.history(session)
    first, last = _made_in(record, session)
    found = history.switches(first + 1, last)
    if not found:
        return ""
    where = ", ".join(f"{it:,}" for it in found)
    side = "before it" if history.mostly(first, last) == found[0] else "after it"
    if len(found) > 1:
        side = "most of them had"
    return (
        f"In this episode options were switched, after training step {where}: all of "
        f"its steps are judged by the options {side}."
    )


def _made_in(record: Mapping[str, Any], session: Session) -> tuple[int, int]:
    """After which training step it began, and up to which it came.

    Who played an evaluation or a branch did not learn meanwhile.
    """
    last = last_step(record, session)
    if record["kind"] != "training" or "judge_step" in record:
        return last, last
    return int(record["step0"]), last


def _judged(
    context: Context,
    session: Session,
    record: dict[str, Any],
    checkpoint_step: int,
    step: int | None,
) -> Generator[Wish, Any, dict[str, Any]]:
    """The same, judged now by the weights of this training step, if there are any."""
    as_recorded = checkpoint_step == AS_RECORDED
    wanted = last_step(record, session) if as_recorded else checkpoint_step
    weights = yield from _weights(context, session, step)
    mind = None
    if weights is not None:
        mind = yield from context.minds.mind(session.configuration, session.card)
    seen = None
    if as_recorded:
        seen = yield from look_at_unrecorded(session, record, mind, weights)
    if seen is None:
        seen = yield from look(context, session, record, mind, weights)
    recorded = np.zeros(len(seen.q), bool)
    if as_recorded:
        recorded = merge_recorded(session, record, seen)
    notes = [seen.note, _provenance(weights, recorded, wanted, as_recorded)]
    judge_step = AS_RECORDED if weights is None else weights.step
    at = int(record["step0"]) if recorded.any() else judge_step
    result = _result(session, record, seen, at)
    result["recorded"] = recorded
    result["checkpoint_step"] = AS_RECORDED if recorded.any() else judge_step
    result["judged_by"] = judge_step
    result["note"] = " ".join(note for note in notes if note)
    return result


def _weights(
    context: Context, session: Session, step: int | None
) -> Generator[Wish, Any, Weights | None]:
    if step is None:
        return None
    arrays = yield from context.archive.weights(session, step)
    return Weights(step, arrays)


def last_step(record: Mapping[str, Any], session: Session) -> int:
    """Training step up to which the weights of this episode had come.

    A step of several environments at once counts once for each.
    """
    if "judge_step" in record:
        return int(record["judge_step"])
    if record["kind"] == "evaluation":
        return int(record["checkpoint_step"])
    together = session.configuration.training.environments
    return int(record["step0"]) + together * len(record["actions"])


def _provenance(
    weights: Weights | None, recorded: np.ndarray, wanted: int, as_recorded: bool
) -> str:
    if not as_recorded:
        if weights is None:
            return "There is no checkpoint to judge with."
        if weights.step != wanted:
            return f"Judged by the nearest checkpoint, step {weights.step:,}."
        return ""
    if recorded.all():
        return "Q-values as recorded; TD errors bootstrap on them."
    if weights is None:
        return "Q-values as recorded, where they were."
    missing = int((~recorded).sum())
    which = f"{missing:,} of {len(recorded):,} states were not, and are"
    if recorded[:-1].all():
        which = "the last state is"
    return (
        f"Q-values as recorded; {which} judged by the checkpoint of step "
        f"{weights.step:,}."
    )


def _result(
    session: Session, record: Mapping[str, Any], seen: Seen, step: int
) -> dict[str, Any]:
    card = session.card
    result = {
        "kind": record["kind"],
        "episode": record["episode"],
        "seed": record["seed"],
        "step0": record["step0"],
        "q": seen.q,
        "value": seen.q.max(axis=1),
        "advantage": seen.advantage,
        "liking": seen.liking,
        "value_head": seen.value_head,
        "td_error": td_errors(session, record, seen, step),
        "actions": record["actions"],
        "rewards": record["rewards"],
        "explored": record["explored"],
        "explored_known": bool(record.get("explored_known", True)),
        "terminations": record["terminations"],
        "truncations": record["truncations"],
        "action_names": list(card.action_names),
        "observation_names": list(card.observation_names),
        "exact": seen.exact,
    }
    for name in ("human", "forced", "life_lost"):
        if name in record:
            result[name] = record[name]
    if seen.observations is not None and card.observation != "image":
        result["observations"] = seen.observations
    return result


JUDGE_EPISODE = Question("judge_episode", JudgeArguments, _answer, Priority.MOMENT)
