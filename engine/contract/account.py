"""Where the time of training goes: its stages, and how they are timed.

A *watch* is told each time a stage ends (:meth:`Watch.lap`). Most steps are not taken
apart; they are given :data:`UNWATCHED`, which does nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

ACT = "act"
ENVIRONMENT = "environment"
STORE = "store"
SAMPLE = "sample"
UPDATE = "update"
TELEMETRY = "telemetry"
RECORDING = "recording"
WAITING = "waiting"
OTHER = "other"
LOOP = "loop"
"""To the trainer's process one stage, which the loop itself takes apart."""

STAGES: dict[str, str] = {
    ACT: "choosing actions: the network's values, and exploration",
    ENVIRONMENT: "the environment's own code: its steps and resets",
    STORE: "putting what happened into the replay memory",
    SAMPLE: "drawing a batch from it",
    UPDATE: "loss, gradient, optimizer, priorities and target network",
    TELEMETRY: "measuring, and telling the windows and the shown agent",
    RECORDING: "episodes, replay log, rows and checkpoints for the session file",
    WAITING: "one thread waits for the other, or for the disk",
    OTHER: "everything between the stages",
}
"""What each stage is, in the order in which they are shown."""

COMPILED = "Updates are compiled."
"""The note (``TimeReport.notes``) of a run whose updates do not run as written."""


class Watch(Protocol):
    """Who is told that a stage has ended."""

    def lap(self, stage: str) -> None:
        """The time since the last lap went into this stage."""


class Unwatched:
    """Nobody looks."""

    def lap(self, stage: str) -> None:
        """See :class:`Watch`."""


UNWATCHED = Unwatched()


class Stopwatch:
    """Sums up what each stage took; belongs to one thread.

    Attributes:
      spent: Seconds by stage.
      running: Laps count; see :meth:`go` and :meth:`rest`.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._last = 0.0
        self.spent: dict[str, float] = defaultdict(float)
        self.running = False

    def go(self) -> None:
        """Time counts from now on."""
        self._last = self._clock()
        self.running = True

    def rest(self, stage: str = OTHER) -> None:
        """A last lap; time counts no more."""
        self.lap(stage)
        self.running = False

    def lap(self, stage: str) -> None:
        """See :class:`Watch`."""
        if self.running:
            now = self._clock()
            self.spent[stage] += now - self._last
            self._last = now


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds that one thread has spent.

    Attributes:
      whole: All in all.
      exact: Of it, by stage, what is always timed.
      sampled: By stage, what the steps took that were taken apart.
      steps: How many those were.
    """

    whole: float = 0.0
    exact: Mapping[str, float] = field(default_factory=dict)
    sampled: Mapping[str, float] = field(default_factory=dict)
    steps: int = 0

    def since(self, earlier: Spent) -> Spent:
        """What was spent after that."""
        return Spent(
            self.whole - earlier.whole,
            _difference(self.exact, earlier.exact),
            _difference(self.sampled, earlier.sampled),
            self.steps - earlier.steps,
        )

    def stages(self) -> dict[str, float]:
        """Seconds by stage, which sum up to the whole.

        What is not always timed is shared out as in the steps that were taken apart.
        """
        found = defaultdict(float, self.exact)
        left = max(0.0, self.whole - sum(found.values()))
        sampled = sum(self.sampled.values())
        if not sampled:
            found[OTHER] += left
        for stage, seconds in self.sampled.items():
            found[stage] += left * seconds / sampled if sampled else 0.0
        return {it: of for it, of in found.items() if of > 0.0}


def _difference(
    now: Mapping[str, float], earlier: Mapping[str, float]
) -> dict[str, float]:
    return {stage: of - earlier.get(stage, 0.0) for stage, of in now.items()}
