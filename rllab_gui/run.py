"""The run as the window sees it: its state, and what can be done in each state."""

from __future__ import annotations

import json
from typing import get_args

from PySide6.QtCore import QObject, QTimer, Signal

from engine.contract.messages import (
    Advance,
    EndTrainer,
    Message,
    Pause,
    Problem,
    Resume,
    ResumeTraining,
    RunState,
    StartTraining,
    Stop,
    TrainerStatus,
)
from engine.contract.options import spec
from rllab_gui.draft import Draft
from rllab_gui.link import Link
from rllab_gui.problems import Problems

STATES: tuple[str, ...] = get_args(RunState)
ACTIVE = frozenset({"starting", "running", "pausing", "paused", "stopping"})
PATIENCE_MS = 20_000
"""How long a command may stay unanswered before the engine's word counts again."""

_STALE = {
    "starting": frozenset({"idle", "finished", "failed"}),
    "pausing": frozenset({"running"}),
    "stopping": frozenset({"starting", "running", "pausing", "paused"}),
    "running": frozenset({"paused"}),
}
"""What an engine that has not yet heard of a command may still be saying."""


class Run(QObject):
    """State machine of the run; the engine's word counts, ours bridges the delay.

    Signals:
      stateChanged(str): One of ``RunState``.
      refused(str key): Train was pressed, but this option stands in the way.
    """

    stateChanged = Signal(str)
    refused = Signal(str)

    def __init__(
        self,
        link: Link,
        draft: Draft,
        problems: Problems,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._draft = draft
        self._problems = problems
        self._state: str = "idle"
        self._stale: frozenset[str] = frozenset()
        self._again = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(PATIENCE_MS)
        self._patience.timeout.connect(self._believe)
        link.statusChanged.connect(self._on_status)
        link.problemRaised.connect(self._on_problem)
        link.lostChanged.connect(self._on_lost)
        draft.complaintsChanged.connect(self._on_complaints)

    @property
    def state(self) -> str:
        """One of ``RunState``."""
        return self._state

    @property
    def active(self) -> bool:
        """A run exists that has not ended."""
        return self._state in ACTIVE

    def can(self, what: str) -> bool:
        """Whether ``start``, ``pause``, ``resume``, ``stop``, ``advance`` is legal.

        Nothing is while the engine is lost: nobody would do it.
        """
        if self._link.lost:
            return False
        return {
            "start": not self.active,
            "pause": self._state == "running",
            "resume": self._state == "paused",
            "advance": self._state == "paused",
            "stop": self._state in ACTIVE - {"stopping"},
        }[what]

    # --------------------------------------------------------------- commands

    def toggle(self) -> None:
        """Train, pause or resume: what the one large button does."""
        for what in ("start", "pause", "resume"):
            if self.can(what):
                {"start": self.start, "pause": self.pause, "resume": self.resume}[
                    what
                ]()
                return

    def start(self, *, paused: bool = False) -> None:
        """Begin a new run of the draft, unless something stands in the way."""
        if not self.can("start") or self._is_refused():
            return
        configuration = self._draft.configuration.to_json()
        self._order(StartTraining(configuration, paused=paused), "starting")

    def continue_session(self, path: str, steps: int = 0) -> None:
        """Go on with the run of a session file, exactly where it stopped."""
        if self.can("start"):
            self._order(ResumeTraining(path, steps), "starting")

    def further_steps(self, done: int, budget: int) -> int:
        """How many steps a run goes on for that has used up its budget.

        Those that the form's budget has more than were done, or as many again; 0
        while some of its own budget are left.
        """
        if done < budget:
            return 0
        wanted = self._draft.configuration.training.steps
        return wanted - done if wanted > done else budget

    def rewind(self, path: str, steps: int = 0) -> None:
        """Go on from the newest checkpoint with a tenth of the learning rate."""
        key = "agent.learning_rate"
        rate = self._draft.configuration.get(key) / 10
        self._continue_with(path, steps, key, max(spec(key).minimum or 0.0, rate))

    def halve_batch(self, path: str, steps: int = 0) -> None:
        """Go on from the newest checkpoint with half the batch size."""
        size = self._draft.configuration.agent.batch_size
        self._continue_with(path, steps, "agent.batch_size", max(1, size // 2))

    def _continue_with(self, path: str, steps: int, key: str, value: float) -> None:
        if self.can("start") and self._draft.set(key, value):
            changes = {key: json.dumps(value)}
            self._order(ResumeTraining(path, steps, changes), "starting")

    def end_trainer(self) -> None:
        """End the process that hangs; another one goes on from what is durable."""
        if self.can("stop"):
            self._link.send(EndTrainer())

    def start_again(self) -> None:
        """End the run that is active, saved, and begin one of the draft."""
        if self._link.lost or self._is_refused():
            return
        if self.active:
            self._again = True
            self.stop()
        else:
            self.start()

    def pause(self) -> None:
        """Hold after the step under way."""
        if self.can("pause"):
            self._order(Pause(), "pausing")

    def resume(self) -> None:
        """Go on after a pause."""
        if self.can("resume"):
            self._order(Resume(), "running")

    def stop(self) -> None:
        """End the run, with a checkpoint."""
        if self.can("stop"):
            self._order(Stop(), "stopping")

    def advance_step(self) -> None:
        """One environment step, while paused."""
        if self.can("advance"):
            self._link.send(Advance("step"))

    def advance_episode(self) -> None:
        """To the end of the episode, while paused."""
        if self.can("advance"):
            self._link.send(Advance("episode"))

    def _order(self, command: Message, expected: str) -> None:
        self._link.send(command)
        self._stale = _STALE[expected]
        self._patience.start()
        self._enter(expected)

    def _is_refused(self) -> bool:
        complaints = self._draft.complaints
        for key, sentence in complaints.items():
            install = self._draft.install if key == "environment.id" else ""
            fixes = [(f"copy:{install}", "Copy the line")] if install else []
            problem = Problem(id="window.configuration", what=sentence, fixes=fixes)
            self._problems.report(problem)
            self.refused.emit(key)
            return True
        return False

    # ----------------------------------------------------------- what is heard

    def _on_status(self, status: TrainerStatus) -> None:
        if status.state not in self._stale:
            self._believe()
            self._enter(status.state)

    def _on_problem(self, problem: Problem) -> None:
        """A start that failed leaves the engine in the state it was in."""
        if self._state == "starting" and problem.severity == "error":
            self._believe()

    def _on_lost(self, lost: bool) -> None:
        """No order is under way any more; the next engine's word counts at once."""
        self._again = False
        self._believe()

    def _believe(self) -> None:
        self._stale = frozenset()
        self._patience.stop()

    def _on_complaints(self) -> None:
        if not self._draft.complaints:
            self._problems.solve("window.configuration")

    def _enter(self, state: str) -> None:
        if state == self._state:
            return
        self._state = state
        self.stateChanged.emit(state)
        if self._again and not self.active:
            self._again = False
            self.start()
