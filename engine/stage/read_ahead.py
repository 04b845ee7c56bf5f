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


class ReadAhead:
    """Fills the archive's room with episodes, those nearest to the cursor first.

    Half of the time, as reading takes a processor; not beside a run, which needs both.

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
        self._begun = session
        self._jobs.cancel(OWNER)
        job = self._bring(session)
        self._jobs.start(job, Priority.FRAMES, _ended, _ended, OWNER)

    def _bring(self, session: Session) -> Generator[Wish, Any, None]:
        yield AFTER_S
        table = yield from self._archive.episodes(session)
        kinds, numbers = table["kind"], table["episode"].tolist()
        keys = list(zip(kinds, numbers, strict=True))
        places = {key: place for place, key in enumerate(keys)}
        left = np.flatnonzero(table["recorded"])
        while len(left) and self._archive.open == session and self._archive.has_room:
            began = self._clock()
            near = places.get(self._near, 0)
            order = np.argsort(np.abs(left - near), kind="stable")
            wanted, left = left[order[:AT_ONCE]], left[np.sort(order[AT_ONCE:])]
            yield from self._archive.bring(session, [keys[it] for it in wanted])
            yield self._clock() - began


def _ended(_: object) -> None:
    """Where it failed, so does the next jump, whose answer says it."""
