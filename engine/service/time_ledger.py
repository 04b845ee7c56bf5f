"""The time of the trainer's process while its run is not paused, second by second."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from engine.contract.account import LOOP, OTHER, WAITING, Spent, Stopwatch
from engine.contract.messages import MemoryReport, TimeReport
from engine.service.loop import Loop
from engine.service.outbox import Outbox

SECONDS = 5
"""A report is about so many of the newest seconds."""
PATIENCE = 200
"""Memory is counted again after so many times what it took: large tables take long."""


@dataclass(frozen=True, slots=True)
class _Point:
    """What had been spent and done up to a moment."""

    process: dict[str, float]
    acting: Spent
    learning: Spent | None
    step: int
    update: int
    recorded_bytes: int


class TimeLedger:
    """Knows what the process spent, and what of it the loop did with its part.

    Attributes:
      watch: To be told what the process has just done.
    """

    def __init__(self, loop: Loop, outbox: Outbox, clock: Callable[[], float]) -> None:
        self._loop, self._outbox = loop, outbox
        self._clock = clock
        self._memory: MemoryReport | None = None
        self._memory_due = 0.0
        self.watch = Stopwatch(clock)
        self._points = deque([self._now()], SECONDS + 1)

    def go(self, running: bool, stage: str) -> None:
        """A cycle begins; the time since the last one went into this stage."""
        if running and not self.watch.running:
            self.watch.go()
        elif running:
            self.watch.lap(stage)
        elif self.watch.running:
            self.watch.rest()
            self._points.append(self._now())

    def keep(self) -> None:
        """To be called every second; of a pause only its beginning is kept."""
        if self.watch.running:
            self._points.append(self._now())

    def reports(self) -> list[TimeReport | MemoryReport]:
        """Time of the newest seconds, once there are some, and memory."""
        memory = self._counted()
        waiting = self._outbox.bytes
        allocated, used = (
            it | {"recording": it.get("recording", 0) + waiting}
            for it in (memory.allocated, memory.used)
        )
        found: list[TimeReport | MemoryReport] = []
        if self._points[-1].step > self._points[0].step:
            found.append(self._times(self._points[0], self._points[-1]))
        return [*found, replace(memory, allocated=allocated, used=used)]

    def _counted(self) -> MemoryReport:
        begin = self._clock()
        if self._memory is None or begin >= self._memory_due:
            self._memory = self._loop.memory()
            now = self._clock()
            self._memory_due = now + PATIENCE * (now - begin)
        return self._memory

    def _times(self, first: _Point, last: _Point) -> TimeReport:
        process = {
            stage: seconds - first.process.get(stage, 0.0)
            for stage, seconds in last.process.items()
        }
        seconds = sum(process.values())
        looped = process.pop(LOOP, 0.0)
        acting = last.acting.since(first.acting)
        learning = {}
        if last.learning is not None:
            learner = last.learning.since(first.learning or Spent())
            learning = learner.stages()
            # While the process does other things, nobody learns.
            _add(learning, WAITING, seconds - learner.whole)
        for stage, share in acting.stages().items():
            _add(process, stage, share)
        _add(process, OTHER, looped - acting.whole)
        status = self._loop.status()
        return TimeReport(
            step=last.step,
            steps=last.step - first.step,
            updates=last.update - first.update,
            seconds=seconds,
            acting=process,
            learning=learning,
            timed=acting.steps,
            recorded_bytes=last.recorded_bytes - first.recorded_bytes,
            device=status.device,
            notes=self._loop.notes(),
        )

    def _now(self) -> _Point:
        acting, learning = self._loop.spent()
        return _Point(
            dict(self.watch.spent),
            acting,
            learning,
            self._loop.step,
            self._loop.update,
            self._outbox.sent_bytes,
        )


def _add(stages: dict[str, float], stage: str, seconds: float) -> None:
    stages[stage] = stages.get(stage, 0.0) + max(0.0, seconds)
