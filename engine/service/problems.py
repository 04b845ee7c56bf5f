"""What the service says when something goes wrong with its own processes."""

from __future__ import annotations

import traceback

from engine.contract.foreign_call import ForeignCall
from engine.contract.messages import Problem
from engine.service.children import Child


def died(child: Child) -> Problem:
    """A process has ended and is being replaced."""
    return Problem(
        f"engine.{child.role}.died",
        f"The {child.role} {child.how_it_ended()} and is being restarted; the other "
        "processes go on.",
        why=_where(child.call),
        severity="warning",
        details=child.log_tail(),
    )


def given_up(child: Child) -> Problem:
    """A process has ended too often."""
    return Problem(
        f"engine.{child.role}.gone",
        f"The {child.role} {child.how_it_ended()} for the fourth time in ten minutes "
        "and is not started again.",
        why=_where(child.call) or "The last lines that it wrote are below.",
        fix="Restart the engine; what is durable is kept.",
        fixes=[("engine.restart", "Restart the engine")],
        details=child.log_tail(),
    )


STALLED = "training.stalled"


def _where(call: ForeignCall | None) -> str:
    """The environment that has probably ended a process."""
    return f"The environment '{call.id}' was in {call.place} just then." if call else ""


def stalled(call: ForeignCall | None, after_s: float) -> Problem:
    """The trainer says nothing any more; what becomes of it is the user's choice."""
    return Problem(
        STALLED,
        f"The trainer has not answered for {after_s:g} s.",
        why=f"The environment '{call.id}' does not come back from {call.place}."
        if call
        else "It is in none of the environment's calls: an update takes very long.",
        fix="Wait, stop the run here, or end the trainer: the run then goes on from "
        "its last checkpoint.",
        fixes=[
            ("train.stop", "Stop the run"),
            ("train.endTrainer", "End the trainer"),
        ],
        severity="warning",
    )


def stage_stuck(call: ForeignCall, after_s: float) -> Problem:
    """The stage hangs in an environment and is replaced."""
    return Problem(
        "engine.stage.stuck",
        f"The environment '{call.id}' has not come back from {call.place} for "
        f"{after_s:g} s where it is shown and evaluated.",
        why="Training runs in a process of its own and goes on.",
        fix="The stage is restarted; 'rllab check-env' looks into the environment.",
        severity="warning",
    )


def malformed(sender: str, error: Exception) -> Problem:
    """Bytes came that are no message."""
    return Problem(
        "engine.message.malformed",
        f"A message of {sender} was not understood and is dropped.",
        why=str(error)[:300],
        severity="warning",
    )


def mistake(who: str, what: str, error: Exception) -> Problem:
    """A process of ours failed at a message, and goes on."""
    return Problem(
        f"engine.{who}.error",
        f"The {who} made a mistake at {what}.",
        why=f"{type(error).__name__}: {error}.",
        fix="Save the session, and report it with the details.",
        details="".join(traceback.format_exception(error)),
    )


LOST = "engine.supervisor.died"


def lost_engine(*, silent: bool, goes_on: bool) -> Problem:
    """Nothing is heard of the engine, or its connection has ended.

    More than the last checkpoint may be durable, but only measured: there is no
    network of that step to go on with.
    """
    what = "The engine does not answer any more" if silent else "The engine has ended"
    kept = "; the last checkpoint of the run is on disk"
    back = ": the run goes on from there, and the steps since are trained again"
    return Problem(
        LOST,
        f"{what}{kept if goes_on else ''}.",
        fix=f"Start it again{back if goes_on else ''}.",
        fixes=[("engine.restart", "Start the engine again")],
    )
