"""What ends a run: one exception that carries the message for the user."""

from __future__ import annotations

import traceback

import torch

from engine.agents.reports import NotFinite
from engine.contract.messages import Problem
from engine.environments import Unusable


class TrainingProblem(Exception):
    """Training cannot go on; the loop must not be advanced any further.

    Attributes:
      problem: What happened, why, and how to fix it.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence())
        self.problem = problem


def environment_failed(
    id: str, call: str, when: str, error: Exception
) -> TrainingProblem:
    """The environment raised an exception."""
    lines = str(error).strip().splitlines()
    reason = f": {lines[0]}" if lines else ""
    return TrainingProblem(
        Problem(
            id="training.environment.failed",
            what=f"The environment '{id}' failed in {call}() {when}.",
            why=f"It raised {type(error).__name__}{reason}.",
            fix="Everything up to the last step is kept; 'rllab check-env' looks "
            "into it.",
            details="".join(traceback.format_exception(error)),
        )
    )


def not_usable(id: str, when: str, error: Unusable) -> TrainingProblem:
    """What the environment returned is not what gymnasium's environments return."""
    return TrainingProblem(
        Problem(
            id="training.environment.unusable",
            what=f"The environment '{id}' returned something of no use {when}.",
            why=str(error),
            fix="It was not stored; the environment needs to be corrected.",
        )
    )


def wrong_observation(id: str, when: str) -> TrainingProblem:
    """An observation is not finite."""
    return TrainingProblem(
        Problem(
            id="training.environment.observation",
            what=f"The environment '{id}' returned an observation that is of no use "
            f"{when}.",
            why="It contains NaN or an infinite number.",
            fix="It was not stored; the environment needs to be corrected.",
        )
    )


def wrong_reward(id: str, when: str, reward: float) -> TrainingProblem:
    """A reward is not a finite number."""
    return TrainingProblem(
        Problem(
            id="training.environment.reward",
            what=f"The environment '{id}' returned a reward of {reward} {when}.",
            why="Values learned from it would never be numbers again.",
            fix="It was not stored; the environment needs to be corrected.",
        )
    )


def diverged(error: NotFinite, update: int) -> TrainingProblem:
    """A loss, a gradient or a weight is not finite: of this update or of another."""
    what, update = str(error), error.update or update
    return TrainingProblem(
        Problem(
            id="training.diverged",
            what=f"Training diverged: the {what} of update {update} is not a finite "
            "number.",
            why="The values have grown beyond all bounds.",
            fix="No checkpoint holds such numbers. Go on from the newest "
            "checkpoint with a lower agent.learning_rate, or use a slower target "
            "network.",
            fixes=[
                ("train.rewind", "Continue with a tenth of the learning rate"),
                ("train.start", "Train anew"),
            ],
        )
    )


def known_problem(error: Exception, device: str, step: int) -> Problem | None:
    """What is told of an error that was foreseen; None of any other.

    Args:
      error: What ended the run, or kept it from beginning.
      device: Where it computes.
      step: Environment steps so far, 0 where it has not begun.
    """
    if isinstance(error, TrainingProblem):
        return error.problem
    return _out_of_memory(error, device, step) if _lacks_memory(error) else None


_NO_MEMORY = ("can't allocate memory", "not enough memory", "_STATUS_ALLOC_FAILED")
"""How allocators say it that raise no exception of their own."""


def _lacks_memory(error: Exception) -> bool:
    """Whether the computer, or its GPU, had no room for what was asked."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    said = str(error) if isinstance(error, RuntimeError) else ""
    return any(it in said for it in _NO_MEMORY)


def _out_of_memory(error: Exception, device: str, step: int) -> Problem:
    lines = str(error).strip().splitlines()
    on_gpu = device.startswith("cuda")
    what = f"The memory of the {'GPU' if on_gpu else 'computer'} is used up"
    fix = "Continue with a smaller agent.batch_size, or train anew "
    fix += "with training.device=cpu" if on_gpu else "with a smaller replay.capacity"
    return Problem(
        id="training.memory",
        what=f"{what} at step {step:,}." if step else f"{what}: the run cannot begin.",
        why=lines[0].rstrip(".") + "." if lines else "",
        fix=f"{fix}. What was half done is in no checkpoint.",
        fixes=[
            ("train.halveBatch", "Continue with half the batch size"),
            ("train.start", "Train anew"),
        ],
        details="".join(traceback.format_exception(error)),
    )


def not_offline(name: str, why: str) -> TrainingProblem:
    """A recorded session cannot be learned from."""
    return TrainingProblem(
        Problem(
            id="training.offline",
            what=f"'{name}' cannot be learned from.",
            why=why,
            fix="Choose a session that recorded its episodes, with the options of "
            "'environment' as they are there.",
        )
    )


def not_restored(id: str, why: str) -> TrainingProblem:
    """A stored state cannot be continued exactly."""
    return TrainingProblem(
        Problem(
            id="training.not_restored",
            what="This run cannot be continued exactly where it stopped.",
            why=why,
            fix=f"Train '{id}' anew, or look back into what is recorded.",
        )
    )
