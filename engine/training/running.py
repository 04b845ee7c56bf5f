"""How acting and learning take turns: one after the other, or side by side.

- *alternate*: a step, then the updates that are due after it.
- *synchronized* (Daley & Amato 2021, https://arxiv.org/abs/2111.01264, "synchronized
  execution" with "concurrent training"): within a period of so many steps a copy of
  the network acts while the learner, in a thread, learns from what was remembered
  when the period began. Neither touches what the other does, so it makes no
  difference how they are interleaved. At the end of the period the new steps are
  remembered and the copy is refreshed.
- *asynchronous*: a copy acts, and the learner takes each step as it comes and makes
  the updates that are due when it can, up to a period late. How far it gets before
  the copy is refreshed depends on the computer.

Whenever :meth:`Running.run` has returned, no thread is at work.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Protocol

from engine.agents import Reported, ValueBasedAgent
from engine.agents.experience import BEGINS, Experience, from_columns, to_columns
from engine.contract.account import STORE, TELEMETRY, WAITING, Watch
from engine.contract.arrays import State
from engine.training.account import Account
from engine.training.due_updates import DueUpdates, Learning
from engine.training.stepping import Ended, Stepping, Taken


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where to stop, whichever comes first.

    Attributes:
      step: Environment step.
      deadline: Of ``time.perf_counter``.
      episode_end: An episode that ends.
      counted: Whether the step is why one stops, and not the time.
    """

    step: float
    deadline: float
    episode_end: bool
    counted: bool

    def reached(self, taken: Taken) -> bool:
        """Whether to stop after this step."""
        if taken.step >= self.step or (self.episode_end and taken.ended):
            return True
        return time.perf_counter() >= self.deadline


class Book(Protocol):
    """Where steps and updates are noted, in their order."""

    @property
    def step(self) -> int:
        """Environment steps so far."""

    def on_taken(self, taken: Taken) -> None:
        """A step of each environment."""

    def on_others_ended(self, seed: int, ended: list[Ended]) -> None:
        """Episodes of the agent with another seed, which takes its own steps."""

    def on_learned(self, update: Reported) -> None:
        """An update that was due after the newest step."""


class Running(Protocol):
    """Acting and learning; see this module."""

    @property
    def held(self) -> int:
        """Steps that are taken but not remembered yet."""

    def run(self, bounds: Bounds) -> None:
        """Go on, at least one step and at most up to these bounds.

        Raises:
          TrainingProblem: If an environment fails.
          NotFinite: If learning does.
        """

    def state(self) -> State:
        """Everything to go on exactly."""

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""


def make_running(
    agent: ValueBasedAgent, stepping: Stepping, book: Book, account: Account
) -> Running:
    """What ``training.mode`` asks for."""
    kinds: dict[str, Callable[[ValueBasedAgent, Stepping, Book, Account], Running]]
    kinds = {"synchronized": Synchronized, "asynchronous": Asynchronous}
    kind = kinds.get(agent.configuration.training.mode, Alternate)
    return kind(agent, stepping, book, account)


class InTurns(ABC):
    """A step, then the updates that are due after it; see :class:`Running`.

    Args:
      learning: Who makes the updates.
      book: Where steps and updates are noted.
      account: Of what takes how long.
    """

    held = 0

    def __init__(self, learning: Learning, book: Book, account: Account) -> None:
        self._book, self._side = book, account.acting
        self._due = DueUpdates(learning)

    def run(self, bounds: Bounds) -> None:
        """See :class:`Running`: one step."""
        watch = self._side.step()
        step = self._take(watch)
        self._due.grant(step)
        for update in self._due.updates(step, watch):
            self._book.on_learned(update)
            watch.lap(TELEMETRY)

    @abstractmethod
    def _take(self, watch: Watch) -> int:
        """Take a step, remember and note it; the environment step afterwards."""

    def state(self) -> State:
        """See :class:`Running`."""
        return {"credit": self._due.credit}

    def restore(self, state: State) -> None:
        """See :class:`Running`."""
        self._due.credit = float(state["credit"])


class Alternate(InTurns):
    """One agent steps and learns in turns."""

    def __init__(
        self, agent: ValueBasedAgent, stepping: Stepping, book: Book, account: Account
    ) -> None:
        super().__init__(agent, book, account)
        self._agent, self._stepping = agent, stepping

    def _take(self, watch: Watch) -> int:
        taken = Taken(self._book.step)
        try:
            self._stepping.step(taken, watch)
        finally:
            for it in taken.experiences:
                self._agent.store(it)
            watch.lap(STORE)
            self._book.on_taken(taken)
            watch.lap(TELEMETRY)
        return taken.step


@dataclass(frozen=True, slots=True)
class Stop:
    """The acting side stops; fewer updates than ``leave`` may stay due."""

    leave: float


Orders = SimpleQueue[Taken | Stop]


class Concurrent(ABC):
    """What both modes with a thread share; see :class:`Running`.

    A copy of the network acts here; the learner works in a thread of its own, which
    ends with each :meth:`run`.
    """

    in_a_thread = True
    """Off: learn after acting, not beside it."""

    def __init__(
        self, agent: ValueBasedAgent, stepping: Stepping, book: Book, account: Account
    ) -> None:
        self._agent, self._stepping, self._book = agent, stepping, book
        self._account = account
        self._due = DueUpdates(agent)
        self._steps = 0
        self._learned: list[tuple[int, Reported]] = []
        self._failure: Exception | None = None

    def run(self, bounds: Bounds) -> None:
        """See :class:`Running`: up to the bounds or the end of the period."""
        orders: Orders = SimpleQueue()
        taken: list[Taken] = []
        self._failure = None
        thread = Thread(target=self._work, args=(orders,), name="learner")
        if self.in_a_thread:
            thread.start()
        try:
            self._act(bounds, orders, taken)
        finally:
            orders.put(Stop(self._may_stay_due(bounds, taken)))
            watch = self._account.acting.around()
            thread.join() if self.in_a_thread else self._work(orders)
            watch.lap(WAITING)
            self._note(taken)
            watch.lap(TELEMETRY)
        if self._failure is not None:
            raise self._failure
        if self._steps >= self._agent.configuration.training.refresh:
            self._meet()
        watch.rest(STORE)

    def _act(self, bounds: Bounds, orders: Orders, taken: list[Taken]) -> None:
        refresh = self._agent.configuration.training.refresh
        step = self._book.step
        while self._failure is None:
            watch = self._account.acting.step()
            newest = Taken(step)
            try:
                self._stepping.step(newest, watch)
            finally:
                taken.append(newest)
                self._hold(newest.experiences)
                orders.put(newest)
                watch.lap(STORE)
            self._steps += newest.step - step
            step = newest.step
            if self._steps >= refresh or bounds.reached(newest):
                return

    def _work(self, orders: Orders) -> None:
        """The learner's thread; what goes wrong is kept for the other side."""
        side = self._account.learning
        side.begin()
        try:
            self._learn(orders)
        except Exception as error:
            self._failure = error
        side.end()

    def _note(self, taken: list[Taken]) -> None:
        """Note everything as if it had happened in the order of the steps."""
        learned = iter([*self._learned, (-1, None)])
        self._learned = []
        at, update = next(learned)
        for it in taken:
            self._book.on_taken(it)
            while update is not None and at <= it.step:
                self._book.on_learned(update)
                at, update = next(learned)

    def _meet(self) -> None:
        """The end of a period."""
        self._agent.refresh()
        self._steps = 0

    @abstractmethod
    def _hold(self, experiences: list[Experience]) -> None:
        """Keep what just happened, where the learner must not see it yet."""

    @abstractmethod
    def _may_stay_due(self, bounds: Bounds, taken: list[Taken]) -> float:
        """Fewer updates than this may be due when one stops here."""

    @abstractmethod
    def _learn(self, orders: Orders) -> None:
        """Learn until the acting side stops."""

    def state(self) -> State:
        """See :class:`Running`."""
        return {"credit": self._due.credit, "period": self._steps}

    def restore(self, state: State) -> None:
        """See :class:`Running`."""
        self._due.credit = float(state["credit"])
        self._steps = int(state["period"])


class Synchronized(Concurrent):
    """Acting and learning share nothing within a period; see :class:`Running`.

    Wherever one stops, as many updates have been made as were due: what comes of a
    run does not depend on where it is interrupted.
    """

    def __init__(
        self, agent: ValueBasedAgent, stepping: Stepping, book: Book, account: Account
    ) -> None:
        super().__init__(agent, stepping, book, account)
        self._held: list[Experience] = []

    @property
    def held(self) -> int:
        """See :class:`Running`."""
        return sum(it.action != BEGINS for it in self._held)

    def _hold(self, experiences: list[Experience]) -> None:
        self._held += experiences

    def _may_stay_due(self, bounds: Bounds, taken: list[Taken]) -> float:
        return 1.0

    def _learn(self, orders: Orders) -> None:
        watch = self._account.learning.step()
        while isinstance(it := orders.get(), Taken):
            watch.lap(WAITING)
            self._due.grant(it.step)
            for update in self._due.updates(it.step, watch):
                self._learned.append((it.step, update))
            watch = self._account.learning.step()
        watch.lap(WAITING)

    def _meet(self) -> None:
        for it in self._held:
            self._agent.store(it)
        self._held = []
        super()._meet()

    def state(self) -> State:
        """See :class:`Running`."""
        return super().state() | {"held": to_columns(self._held)}

    def restore(self, state: State) -> None:
        """See :class:`Running`."""
        super().restore(state)
        self._held = list(from_columns(state["held"]))


class Asynchronous(Concurrent):
    """The learner takes each step as it comes; see :class:`Running`.

    Acting waits at the end of a period, while more than a period's updates are due:
    the learner may be late, but is not left behind. A stop after so many steps, or at
    the end of an episode, waits for all that are due, so that single steps learn as in
    the other modes; a stop in time waits for none.
    """

    held = 0

    def _hold(self, experiences: list[Experience]) -> None:
        """The learner sees everything at once."""

    def _may_stay_due(self, bounds: Bounds, taken: list[Taken]) -> float:
        newest = taken[-1] if taken else Taken(self._book.step)
        if bounds.counted and newest.step >= bounds.step:
            return 1.0
        if bounds.episode_end and newest.ended:
            return 1.0
        of = self._agent.configuration
        if self._steps < of.training.refresh:
            return math.inf
        return max(1.0, of.training.refresh * of.agent.updates_per_step)

    def _learn(self, orders: Orders) -> None:
        step, stop = self._book.step, None
        while stop is None or self._due.credit >= stop.leave:
            watch = self._account.learning.step()
            # What is there now, and not what comes meanwhile: one has to learn too.
            for _ in range(orders.qsize() or int(self._due.credit < 1)):
                order = orders.get()
                watch.lap(WAITING)
                if isinstance(order, Stop):
                    stop = order
                    break
                step = order.step
                self._due.grant(step)
                for it in order.experiences:
                    self._agent.store(it)
                watch.lap(STORE)
            if (update := self._due.update(step, watch)) is not None:
                self._learned.append((step, update))
