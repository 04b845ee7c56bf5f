"""Long work in small slices, so that the picture keeps moving beside it.

A job is a generator. Each ``yield None`` is a place where it may be interrupted;
``yield 0.1`` asks to be left alone for so many seconds; ``yield OTHERS`` until another
job has gone on; ``yield Request(...)`` asks another process and gets its answer sent
in; what it returns is its result. Closing it cancels it. One thread runs all of them,
so no job needs a lock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Any

from engine.contract.messages import Answer, Ask, Message

Send = Callable[[Message, str], None]
"""Hand a message over: the message, and who gets it."""

ANSWER_WITHIN_S = 30.0
STINT_S = 0.008
"""A job at leisure works so long before it rests."""
TURN_S = 0.001
"""Steps of microseconds are put together up to this."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a job wants to know from another process: ``keeper`` or ``trainer``."""

    target: str
    question: str
    arguments: dict[str, Any] = field(default_factory=dict)


OTHERS = math.inf
"""What a job waits for is brought by another one."""

Wish = Request | float | None
Job = Generator[Wish, Any, Any]


class Priority(IntEnum):
    """Who goes first; jobs of one priority go in the order of their arrival.

    Branches share the time with questions: somebody waits for both, and pictures round
    the cursor are asked for all the time. Before both goes how the episode at the
    cursor is judged: without it nothing of it can be shown. The map comes before
    evaluations, for somebody looks at it, and it takes little: where evaluations always
    wait, it would never be made.
    """

    MOMENT = -1
    QUESTION = 0
    BRANCH = 1
    EMBEDDING = 2
    EVALUATION = 3
    FILM = 4
    FRAMES = 5


class RequestFailed(ValueError):
    """Another process could not answer; the message is its sentence."""


@dataclass(eq=False, slots=True)
class _Running:
    job: Job
    priority: Priority
    number: int
    owner: Hashable
    on_done: Callable[[Any], None]
    on_error: Callable[[Exception], None]
    send_in: dict[str, Any] | None = None
    throw_in: Exception | None = None
    asked: int = 0
    deadline: float = 0.0
    not_before: float = 0.0

    def ready(self, now: float) -> bool:
        """Whether it waits for nothing."""
        return not self.asked and now >= self.not_before


class JobQueue:
    """Runs jobs by priority, a few milliseconds at a time.

    Args:
      send: Takes the questions that jobs ask to other processes.
      clock: Seconds, monotonic.
    """

    def __init__(self, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self._send, self._clock = send, clock
        self._jobs: list[_Running] = []
        self._numbers = count()
        self._asks = count(1)
        self._branch_lead_s = 0.0

    def start(
        self,
        job: Job,
        priority: Priority,
        on_done: Callable[[Any], None],
        on_error: Callable[[Exception], None],
        owner: Hashable = None,
    ) -> None:
        """Add a job; exactly one of the two functions is called unless cancelled."""
        number = next(self._numbers)
        self._jobs.append(_Running(job, priority, number, owner, on_done, on_error))
        self._jobs.sort(key=lambda it: (it.priority, it.number))

    def cancel(self, owner: Hashable) -> bool:
        """Close the jobs of this owner; False where there were none."""
        found = [it for it in self._jobs if it.owner == owner]
        try:
            for running in found:
                self._jobs.remove(running)
                running.job.close()
        finally:
            self._wake()
        return bool(found)

    def close(self) -> None:
        """Close all jobs."""
        for owner in {it.owner for it in self._jobs}:
            self.cancel(owner)

    def count(self, priority: Priority) -> int:
        """How many jobs of this priority are unfinished."""
        return sum(it.priority == priority for it in self._jobs)

    def wait_s(self) -> float:
        """Seconds until some job can go on by itself; infinite where none can."""
        now = self._clock()
        waits = [it.deadline if it.asked else it.not_before for it in self._jobs]
        return max(0.0, min(waits, default=math.inf) - now)

    def run(self, until: float) -> None:
        """Run slices of the most urgent jobs until this time, at least one."""
        self._give_up_late_answers()
        while True:
            now = self._clock()
            running = self._next(now)
            if running is None:
                return
            self._slice(running)
            ended = self._clock()
            branch = running.priority == Priority.BRANCH
            self._branch_lead_s += ended - now if branch else now - ended
            if ended >= until:
                return

    def _next(self, now: float) -> _Running | None:
        """The most urgent job; of question and branch the one that had less time."""
        ready = [it for it in self._jobs if it.ready(now)]
        first = ready[0] if ready else None
        branch = next((it for it in ready if it.priority == Priority.BRANCH), None)
        if first is None or branch is None or first.priority != Priority.QUESTION:
            self._branch_lead_s = 0.0
            return first
        return branch if self._branch_lead_s <= 0.0 else first

    def on_answer(self, answer: Answer) -> bool:
        """Give an answer to the job that asked; False where none did."""
        running = next((it for it in self._jobs if it.asked == answer.id), None)
        if running is None or not answer.id:
            return False
        running.asked = 0
        if answer.error:
            running.throw_in = RequestFailed(answer.error)
        else:
            running.send_in = answer.result
        return True

    def _slice(self, running: _Running) -> None:
        try:
            wish = self._resume(running)
        except StopIteration as end:
            self._jobs.remove(running)
            running.on_done(end.value)
        except Exception as error:
            # A job may fail in any way, as environments are other people's code;
            # whoever started it says what that means.
            if running in self._jobs:
                self._jobs.remove(running)
            running.on_error(error)
        else:
            if isinstance(wish, Request):
                self._ask(running, wish)
            elif wish is not None:
                running.not_before = self._clock() + wish
            if wish == OTHERS:
                return
        self._wake()

    def _wake(self) -> None:
        """Who waits for another job looks again."""
        for running in self._jobs:
            if running.not_before == OTHERS:
                running.not_before = 0.0

    @staticmethod
    def _resume(running: _Running) -> Wish:
        error, running.throw_in = running.throw_in, None
        if error is not None:
            return running.job.throw(error)
        value, running.send_in = running.send_in, None
        return running.job.send(value)

    def _ask(self, running: _Running, request: Request) -> None:
        running.asked = next(self._asks)
        running.deadline = self._clock() + ANSWER_WITHIN_S
        ask = Ask(running.asked, request.question, request.arguments)
        self._send(ask, request.target)

    def _give_up_late_answers(self) -> None:
        now = self._clock()
        for running in self._jobs:
            if running.asked and now > running.deadline:
                running.asked = 0
                running.throw_in = RequestFailed(
                    f"No answer came within {ANSWER_WITHIN_S:.0f} seconds. Try again."
                )


def ask(
    target: str, question: str, **arguments: Any
) -> Generator[Request, dict[str, Any], dict[str, Any]]:
    """What another process answers; a job says ``yield from`` to this.

    Raises:
      RequestFailed: With the other process's sentence.
    """
    return (yield Request(target, question, arguments))


class Pace:
    """Says of a job with many quick steps when it is time to let others go on."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def due(self) -> bool:
        """Whether the last time is long enough ago."""
        now = time.perf_counter()
        if now - self._since < TURN_S:
            return False
        self._since = now
        return True


def at_leisure(
    job: Generator[None, None, Any],
    share: float,
    in_haste: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
) -> Job:
    """A job that asks nobody, in this share of the time unless somebody is in haste."""
    worked, began = 0.0, clock()
    try:
        while True:
            try:
                next(job)
            except StopIteration as end:
                return end.value
            # A haste that is over is nothing to rest from.
            worked = 0.0 if in_haste() else worked + clock() - began
            if worked < STINT_S:
                yield None
            else:
                yield worked * (1.0 / share - 1.0)
                worked = 0.0
            began = clock()
    finally:
        job.close()


def finish(job: Generator[Any, Any, Any]) -> Any:
    """Run a job that asks nobody to its end; for the command line and tests."""
    while True:
        try:
            request = next(job)
        except StopIteration as end:
            return end.value
        if isinstance(request, Request):
            job.close()
            raise RequestFailed("This needs an open session.")
