"""Follows one run over the engine's messages, from its start to the sealed file."""

from __future__ import annotations

import time
from pathlib import Path

from engine.commands.output import Progress, duration
from engine.commands.private_engine import Interrupts
from engine.commands.problems import CommandProblem, Refused
from engine.contract.messages import (
    EvaluationFinished,
    JobProgress,
    Message,
    Problem,
    ResumeTraining,
    StartTraining,
    Stop,
    TrainerStatus,
)
from engine.service.client import Client
from engine.service.states import RESTING
from engine.sessions.live_folder import live_path

LOOK_EVERY_S = 0.1
START_WITHIN_S = 120.0
SEAL_WITHIN_S = 600.0
LOST = "engine.supervisor.died"


class HeadlessRun:
    """A run without a window.

    Attributes:
      failure: The sentence of what ended it, empty where it ended as it should.
    """

    def __init__(
        self, client: Client, path: Path, progress: Progress, interrupts: Interrupts
    ) -> None:
        self._client, self._path = client, path
        self._progress, self._interrupts = progress, interrupts
        self.failure = ""
        self._state = "idle"
        self._begun = self._stopping = False
        self._problems: list[str] = []
        self._saving_failed = ""
        self._return, self._evaluated_step = float("nan"), -1
        self._best = -float("inf")

    def to_the_end(self, message: StartTraining | ResumeTraining) -> None:
        """Start it and stay until its file is sealed.

        Raises:
          Refused: If it cannot start.
          CommandProblem: If the engine is lost, or the file cannot be written.
        """
        self._client.send(message)
        self._wait_while(lambda: not self._begun, START_WITHIN_S)
        self._wait_while(lambda: self._state not in RESTING, None)
        self._progress.move(1.0, "writing the session file")
        self._wait_while(lambda: not self._sealed, SEAL_WITHIN_S)
        if self._state == "failed":
            self.failure = " ".join(self._problems) or "Training failed."

    @property
    def _sealed(self) -> bool:
        """The file is there and whole, and the live store is gone."""
        if self._saving_failed:
            raise CommandProblem(self._saving_failed)
        return self._path.exists() and not live_path(self._path).exists()

    def _wait_while(self, condition: object, limit_s: float | None) -> None:
        assert callable(condition)
        deadline = time.monotonic() + (limit_s or float("inf"))
        while condition():
            if time.monotonic() > deadline:
                raise CommandProblem(
                    "The engine does not go on: what is durable is kept, and "
                    f"'rllab resume {self._path.name}' continues from there."
                )
            message = self._client.wait(_any, LOOK_EVERY_S)
            if message is not None:
                self._on_message(message)
            self._heed_interrupts()

    def _heed_interrupts(self) -> None:
        """The first Ctrl+C stops and saves, the second one leaves at once."""
        if self._interrupts.count > 1:
            raise CommandProblem(
                "Left before the session file was written: what is durable is kept, "
                f"and 'rllab resume {self._path.name}' continues from there."
            )
        if self._interrupts.count and self._begun and not self._stopping:
            self._stopping = True
            self._progress.say("stopping and saving; Ctrl+C again leaves at once")
            self._client.send(Stop())

    # ---------------------------------------------------------------- messages

    def _on_message(self, message: Message) -> None:
        match message:
            case TrainerStatus():
                self._on_status(message)
            case Problem():
                self._on_problem(message)
            case EvaluationFinished():
                self._on_evaluation(message)
            case JobProgress(job="save", done=True) if not message.result:
                self._saving_failed = message.text

    def _on_status(self, status: TrainerStatus) -> None:
        self._state = status.state
        self._begun |= status.state not in ("idle", "starting")
        if status.state != "failed":
            self._say_problems()
        share = status.step / max(1, status.steps_budget)
        text = f"{status.step:,} of {status.steps_budget:,} steps, "
        text += f"{status.steps_per_s:,.0f}/s"
        if status.remaining_s > 0:
            text += f", {duration(status.remaining_s)} left"
        if self._best > -float("inf"):
            text += f", evaluation {self._return:.4g} (best {self._best:.4g})"
        self._progress.move(share, text)

    def _on_problem(self, problem: Problem) -> None:
        sentence = problem.sentence()
        if problem.id == LOST:
            raise CommandProblem(sentence)
        if not self._begun and problem.id == "engine.start":
            raise Refused(sentence)
        self._problems.append(sentence)
        if problem.severity != "error":
            self._say_problems()

    def _say_problems(self) -> None:
        """Those that did not end the run; what ended it is said at the very end."""
        for sentence in self._problems:
            self._progress.say(sentence)
        self._problems.clear()

    def _on_evaluation(self, evaluation: EvaluationFinished) -> None:
        mean = float(evaluation.returns.mean())
        if evaluation.step >= self._evaluated_step:  # older ones may come later
            self._return, self._evaluated_step = mean, evaluation.step
        self._best = max(self._best, mean)
        self._progress.say(
            f"step {evaluation.step:,}: mean return {mean:.4g} over "
            f"{len(evaluation.returns)} greedy episodes"
        )


def _any(_: Message) -> bool:
    return True
