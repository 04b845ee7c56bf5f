"""A branch as an episode, about which every other question can be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from engine.stage.archive import Session
from engine.stage.branch_records import record_job
from engine.stage.branching import Line
from engine.stage.context import Arguments, Asker, Context, Question, QuestionError
from engine.stage.episodes import AS_RECORDED
from engine.stage.jobs import Job
from engine.stage.questions.branch import how_restored
from engine.stage.questions.judge_episode import last_step

MOST_HELD = 100_000
"""Steps of a branch that a file may hold."""


class HoldArguments(Arguments, frozen=True, kw_only=True):
    """One rollout: its actions and rewards, and the number of its random numbers.

    See ``contract.notes.Rollout`` for ``human``, ``tried`` and ``explored``.
    """

    kind: Literal["training", "evaluation"]
    episode: int
    t: int
    actions: list[int]
    rewards: list[float]
    number: int = 0
    checkpoint: int = AS_RECORDED
    human: list[int] = msgspec.field(default_factory=list)
    tried: list[int] = msgspec.field(default_factory=list)
    explored: list[int] = msgspec.field(default_factory=list)


def _hold(context: Context, arguments: HoldArguments, asker: Asker) -> Job:
    """Make an episode of it, of the kind ``branch``, which other questions take.

    Returns:
      ``episode``: its number, ``steps``, ``exact``, ``note`` where it is not.
    """
    session = context.archive.session()
    record = yield from context.archive.episode(
        session, arguments.kind, arguments.episode
    )
    _check_held(session, record, arguments)
    step = arguments.checkpoint
    made = yield from record_job(
        session.configuration.environment,
        record,
        arguments.t,
        Line(tuple(arguments.actions), arguments.number),
        last_step(record, session) if step == AS_RECORDED else step,
    )
    human = _marked(arguments, len(made["actions"]), arguments.human)
    tried = _marked(arguments, len(human), arguments.tried)
    chance = _marked(arguments, len(human), arguments.explored)
    made["human"], made["forced"] = human, tried & ~human
    made["explored"] = made["explored"] | (chance & ~human & ~tried)
    context.archive.hold(session, made)
    exactness, why = how_restored(record, arguments.t)
    same = np.array_equal(made["rewards"][arguments.t :], arguments.rewards)
    note = "" if same else "This branch does not bring the rewards that it once did."
    exact = exactness == "exact" and same
    return {
        "episode": made["episode"],
        "steps": len(made["actions"]),
        "exact": exact,
        "note": "" if exact else note or why,
    }


def _marked(arguments: HoldArguments, steps: int, numbers: list[int]) -> np.ndarray:
    """Actions of the branch by their numbers, bool [T] of the whole episode."""
    marked = np.zeros(steps, bool)
    known = [it for it in numbers if 0 <= it < len(arguments.actions)]
    marked[[arguments.t + it for it in known]] = True
    return marked


def _check_held(
    session: Session, record: Mapping[str, Any], arguments: HoldArguments
) -> None:
    """What is held may come from a file that others have written."""
    if not 0 <= arguments.t < len(record["actions"]):
        raise QuestionError(f"The episode has no action at step {arguments.t:,}.")
    actions, most = arguments.actions, session.card.actions
    inside = all(0 <= it < most for it in actions)
    if not (inside and 0 < len(actions) <= MOST_HELD):
        raise QuestionError(
            f"This branch cannot be played: it has {len(actions):,} actions, and each "
            f"has to be one of 0 to {most - 1}."
        )


HOLD_BRANCH = Question("hold_branch", HoldArguments, _hold)
