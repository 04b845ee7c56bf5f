"""Episodes of a file that somebody steps through, brought before they are asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from engine.stage.archive import Archive, Session
from engine.stage.jobs import JobQueue, Priority, Wish

OWNER = "read ahead"
AT_ONCE = 2
"""Who jumps meanwhile waits until no more than these have been read."""
AFTER_S = 0.5
"""What was asked for is answered first, and painted."""
NEAR = 64
"""So far to each side is looked first."""


class ReadAhead:
    """Fills the archive's room with episodes, those nearest to the cursor first.

    Half of the time, as reading takes a processor; not beside a run, which needs both.
    It ends where something cannot be read: whoever goes there is told why.

    Args:
      jobs: Where it goes on while nothing else is wanted.
      archive: What it fills.
      clock: Seconds, monotonic.
    """

    def __init__(
        self,
        jobs: JobQueue,
        archive: Archive,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs, self._archive, self._clock = jobs, archive, clock
        self._begun: Session | None = None
        self._near = ("", 0)

    def around(self, session: Session, kind: str, episode: int) -> None:
        """Somebody looks at this episode."""
        self._near = (kind, episode)
        if session.live or session == self._begun:
            return
        self.end()
        self._begun = session
        job = self._bring(session)
        self._jobs.start(job, Priority.FRAMES, _ended, _ended, OWNER)

    def end(self) -> None:
        """Another session is open, or who reads it has begun again."""
        self._begun = None
        self._jobs.cancel(OWNER)

    def _bring(self, session: Session) -> Generator[Wish, Any, None]:
        yield AFTER_S
        table = yield from self._archive.episodes(session)
        kinds, numbers = table["kind"], np.asarray(table["episode"])
        left = np.array(table["recorded"], bool)
        tried: set[int] = set()
        while self._archive.has_room:
            rows = _nearest(left, self._place(kinds, numbers))
            if not len(rows):
                return
            began = self._clock()
            left[rows] = False
            keys = [(str(kinds[it]), int(numbers[it])) for it in rows]
            lacking = [it for it in keys if not self._archive.holds(session, *it)]
            if lacking:
                job = self._archive.bring(session, lacking, others_wait=False)
                if not (yield from job):
                    return
            for row, key in zip(rows.tolist(), keys, strict=True):
                if not self._archive.holds(session, *key):
                    left[row] = row not in tried  # an answer has its limits
                    tried.add(row)
            yield self._clock() - began

    def _place(self, kinds: list[str], numbers: np.ndarray) -> int:
        """The row of what is looked at; the first one where it is in none."""
        kind, number = self._near
        same = np.flatnonzero(numbers == number)
        return next((int(it) for it in same if kinds[it] == kind), 0)


def _nearest(left: np.ndarray, place: int) -> np.ndarray:
    """Rows next to this one that are left; a few, the nearest first."""
    reach = NEAR
    while True:
        first = max(0, place - reach)
        found = first + np.flatnonzero(left[first : place + reach + 1])
        if len(found) >= AT_ONCE or reach >= len(left):
            break
        reach *= 4
    order = np.argsort(np.abs(found - place), kind="stable")
    return found[order[:AT_ONCE]]


def _ended(_: object) -> None:
    """Nobody has asked for it, so nobody is told."""
