"""Which steps of training are taken apart, so that it costs next to nothing.

One step in so many is timed stage by stage. Which ones is decided by multiples of the
golden ratio: they are spread evenly, whatever period something in the steps has (an
update after every fourth, say). How many depends on how long a step takes: laps may
take :data:`BUDGET` of the processor's time. Nothing of this touches a random number, a
number that is learned from, or the state of a run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from time import perf_counter, thread_time

import torch

from engine.contract.account import (
    OTHER,
    UNWATCHED,
    WAITING,
    Spent,
    Stopwatch,
    Watch,
)

BUDGET = 0.0005
"""Share of the processor's time that laps may take. It is reckoned with laps in a row:
those between two stages find nothing of theirs in the caches, and take some times as
long."""
FIRST_SHARE = 1 / 16
"""Of steps that are taken apart, until it is known how long they take."""
MOST_ON_GPU = 1 / 64
LEAST_SHARE = 1 / 64
"""Laps of so few steps cost next to nothing, however short the steps are."""
LEAST_STEPS = 8
"""Steps taken apart after which the share is reckoned anew."""
GOLDEN = (5**0.5 - 1) / 2
_TRIES, _LAPS = 9, 20


class Side:
    """The time of one thread: its steps, and what lies around them.

    Args:
      most: Largest share of steps that are taken apart.
      settle: Waits until the device has done what it was told, where it works on
        its own; called before each lap of a step that is taken apart.
      clock: Seconds.
      processor: Seconds in which this thread had a processor.

    Attributes:
      share: Of steps that are taken apart; ``most`` at most.
      laps_of_a_step: How many one has that is taken apart.
    """

    def __init__(
        self,
        most: float = 1.0,
        settle: Callable[[], None] | None = None,
        clock: Callable[[], float] = perf_counter,
        processor: Callable[[], float] = thread_time,
    ) -> None:
        self.most, self._settle = most, settle
        self._clock, self._processor = clock, processor
        self._lap_s = _lap_seconds(clock)
        self._exact = Stopwatch(clock)
        self._sampled: dict[str, float] = defaultdict(float)
        self._whole = self._since = self._last = 0.0
        self._busy = self._busy_since = 0.0
        self._open = False
        self._phase = 0.0
        self._laps = self._steps = 0
        self.laps_of_a_step = 0.0
        self._reckoned = Spent()
        self.share = min(FIRST_SHARE, most)

    def begin(self) -> None:
        """This thread works from now on."""
        self._since, self._busy_since = self._clock(), self._processor()
        self._open = False

    def end(self) -> None:
        """It does no more."""
        self._close()
        self._whole += self._clock() - self._since
        self._busy += self._processor() - self._busy_since
        if self._steps >= self._reckoned.steps + LEAST_STEPS:
            self._reckon()

    def step(self) -> Watch:
        """A step begins; who is to be told of its stages."""
        if self._open:
            self._close()
        self._phase += GOLDEN
        if self._phase >= 1.0:
            self._phase -= 1.0
        if self._phase >= self.share:
            return UNWATCHED
        self._open = True
        self._steps += 1
        self._last = self._clock()
        return self

    def lap(self, stage: str) -> None:
        """See :class:`Watch`: of a step that is taken apart."""
        if self._settle is not None:
            self._settle()
        now = self._clock()
        self._sampled[stage] += now - self._last
        self._last = now
        self._laps += 1

    def around(self) -> Stopwatch:
        """No step is under way; this watch is always listened to, until it rests."""
        self._close()
        self._exact.go()
        return self._exact

    def spent(self) -> Spent:
        """Up to the last :meth:`end`."""
        exact, sampled = dict(self._exact.spent), dict(self._sampled)
        return Spent(self._whole, exact, sampled, self._steps)

    def _close(self) -> None:
        if self._open:
            self.lap(OTHER)
            self._open = False

    def _reckon(self) -> None:
        """Laps of a step, and how many of them its time allows."""
        fresh = self.spent().since(self._reckoned)
        seconds = sum(fresh.sampled.values()) / fresh.steps
        # Other programs, and other threads, make steps longer, and laps as well.
        in_steps = fresh.whole - sum(fresh.exact.values())
        seconds *= min(1.0, self._busy / max(in_steps, 1e-9))
        self.laps_of_a_step = self._laps / fresh.steps
        cost = self.laps_of_a_step * self._lap_s
        self.share = min(self.most, max(LEAST_SHARE, BUDGET * seconds / cost))
        self._reckoned, self._laps, self._busy = self.spent(), 0, 0.0


class Account:
    """The time of a training loop.

    Attributes:
      acting: The thread that steps environments; where they take turns, it learns too.
      learning: The thread of the learner, where it has one.
    """

    def __init__(
        self,
        most: float = 1.0,
        settle: Callable[[], None] | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.acting = Side(most, settle, clock)
        self.learning = Side(most, settle, clock)

    def spent(self) -> tuple[Spent, Spent | None]:
        """Of both threads so far; while there is no learner's thread, it waits."""
        acting, learning = self.acting.spent(), self.learning.spent()
        if not learning.whole:
            return acting, None
        exact = dict(learning.exact)
        exact[WAITING] = exact.get(WAITING, 0.0) + max(
            0.0, acting.whole - learning.whole
        )
        return acting, Spent(acting.whole, exact, learning.sampled, learning.steps)


def make_account(device: str) -> Account:
    """The account of a loop whose networks are on this device."""
    if not device.startswith("cuda"):
        return Account()
    # Waiting for the device in the middle of a step holds it up: seldom, then.
    return Account(MOST_ON_GPU, torch.cuda.synchronize)


def _lap_seconds(clock: Callable[[], float]) -> float:
    """What a lap takes here, at least 0.1 µs."""
    watch, found = Stopwatch(clock), []
    watch.go()
    for _ in range(_TRIES):  # other programs may have the processor in between
        begin = clock()
        for _ in range(_LAPS):
            watch.lap(OTHER)
        found.append((clock() - begin) / _LAPS)
    return max(1e-7, sorted(found)[_TRIES // 2])
