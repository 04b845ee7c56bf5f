"""The states of a run: which may follow which, and which command is legal when."""

from __future__ import annotations

from typing import get_args

from engine.contract.messages import (
    Advance,
    CloseSession,
    DiscardSession,
    EndTrainer,
    Message,
    OpenSession,
    Pause,
    Problem,
    Resume,
    ResumeTraining,
    RunState,
    SaveSession,
    SetOption,
    StartTraining,
    Stop,
)

STATES: tuple[RunState, ...] = get_args(RunState)
RESTING: frozenset[RunState] = frozenset({"idle", "finished", "failed"})
ACTIVE: frozenset[RunState] = frozenset(STATES) - RESTING

FOLLOWS: dict[RunState, frozenset[RunState]] = {
    "idle": frozenset({"starting"}),
    "starting": frozenset({"running", "paused", "stopping", "failed", "idle"}),
    "running": frozenset({"pausing", "stopping", "failed"}),
    "pausing": frozenset({"paused", "running", "stopping", "failed"}),
    "paused": frozenset({"running", "stopping", "failed"}),
    "stopping": frozenset({"idle", "finished", "failed"}),
    "finished": frozenset({"starting", "idle"}),
    "failed": frozenset({"starting", "idle"}),
}
"""Every change that there is; ``idle`` from ``starting`` is a refused start."""

LEGAL: dict[type[Message], frozenset[RunState]] = {
    StartTraining: RESTING,
    ResumeTraining: RESTING,
    OpenSession: RESTING,
    DiscardSession: frozenset(STATES),
    CloseSession: frozenset(STATES) - {"starting", "stopping"},
    SaveSession: frozenset(STATES) - {"starting", "stopping"},
    Pause: frozenset({"running"}),
    Resume: frozenset({"pausing", "paused"}),
    Advance: frozenset({"paused"}),
    Stop: ACTIVE - {"stopping"},
    EndTrainer: ACTIVE - {"stopping"},
    SetOption: ACTIVE - {"stopping"},
}
"""The states in which a command means something."""

_VERBS: dict[type[Message], str] = {
    StartTraining: "A new run cannot start",
    ResumeTraining: "A saved run cannot go on",
    OpenSession: "Another session cannot be opened",
    CloseSession: "The session cannot be closed",
    SaveSession: "The session cannot be saved",
    Pause: "There is nothing to pause",
    Resume: "There is nothing to go on with",
    Advance: "Single steps need a paused run",
    Stop: "There is nothing to stop",
    EndTrainer: "There is no run whose trainer could be ended",
    SetOption: "The option cannot change now",
}

_WHY: dict[RunState, tuple[str, str]] = {
    "idle": ("No run is under way.", "Press Train first."),
    "starting": ("a run is starting.", "Wait a moment."),
    "running": ("training runs.", "Stop it first."),
    "pausing": ("training is about to pause.", "Wait a moment."),
    "paused": ("a paused run is open.", "Stop it first."),
    "stopping": ("the run is just being saved.", "Wait a moment."),
    "finished": ("The run has finished.", "Continue it or press Train."),
    "failed": ("The run has failed.", "Continue it or press Train."),
}


class Refused(Exception):
    """A command that cannot be done now; holds the sentence for the user."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence())
        self.problem = problem


def check_legal(message: Message, state: RunState) -> None:
    """Refuse a command that means nothing in this state.

    Raises:
      Refused: With what, why and how to go on.
    """
    kind = type(message)
    if state in LEGAL[kind]:
        return
    what, (why, fix) = _VERBS[kind], _WHY[state]
    if kind is Advance and state == "running":
        fix = "Pause it first."
    text = f"{what}: {why[0].lower()}{why[1:]}"
    raise Refused(
        Problem(f"engine.command.{kind.__name__}", text, fix=fix, severity="warning")
    )
