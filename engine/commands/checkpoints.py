"""Which checkpoint of a session is meant, and the agent with its weights."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.commands.arguments import not_negative
from engine.commands.problems import CommandProblem, Refused

if TYPE_CHECKING:
    from engine.sessions import CheckpointRow, SessionSource
    from engine.stage.minds import Mind


@dataclass(frozen=True, slots=True)
class Choice:
    """Which checkpoint it is, and why this one."""

    step: int
    why: str


def add_checkpoint(parser: argparse.ArgumentParser, of: str = "") -> None:
    """``--checkpoint``; ``of`` begins its help."""
    parser.add_argument(
        "--checkpoint",
        type=_step,
        default="best",
        metavar="STEP",
        help=f"{of}best (by the evaluations while it trained, default), last, or a "
        "step",
    )


def _step(text: str) -> int | str:
    return text if text in ("best", "last") else not_negative(text)


def choose(source: SessionSource, wanted: int | str) -> Choice:
    """The checkpoint that is meant.

    Raises:
      Refused: If there is none at this step.
    """
    rows = source.checkpoints()
    if not rows:
        raise Refused("The session holds no checkpoint, so nobody can play: train it.")
    best = next((row for row in rows if row.best), None)
    if wanted == "best" and best is not None:
        return Choice(best.step, "the best of the evaluations while it trained")
    if wanted == "best":
        return Choice(rows[-1].step, "the last: none was evaluated while it trained")
    if wanted == "last":
        return Choice(rows[-1].step, "the last")
    if wanted not in [row.step for row in rows]:
        raise Refused(_no_such(rows, int(wanted)))
    return Choice(int(wanted), "as asked")


def _no_such(rows: list[CheckpointRow], wanted: int) -> str:
    near = sorted(rows, key=lambda row: abs(row.step - wanted))[:3]
    steps = ", ".join(f"{row.step}" for row in sorted(near, key=lambda it: it.step))
    return f"There is no checkpoint at step {wanted}: the nearest are {steps}."


def mind_of(source: SessionSource, choice: Choice) -> Mind:
    """The agent with the weights of this checkpoint.

    Raises:
      Refused: If its environment is not known here, or does not suit.
      CommandProblem: If the weights do not fit.
    """
    from engine.environments import UnknownEnvironment, describe
    from engine.sessions.options_then import options_at
    from engine.stage.archive import network_arrays
    from engine.stage.jobs import RequestFailed
    from engine.stage.minds import Mind, WrongWeights

    configuration = options_at(source, choice.step)
    try:
        card = describe(configuration.environment)
    except UnknownEnvironment as problem:
        raise Refused(str(problem)) from problem
    if not card.suits:
        raise Refused(" ".join(it for it in (card.reason, card.install) if it))
    mind = Mind(configuration, card)
    try:
        mind.load(choice.step, network_arrays(source.checkpoint(choice.step).arrays))
    except (WrongWeights, RequestFailed) as problem:
        raise CommandProblem(str(problem)) from problem
    return mind
