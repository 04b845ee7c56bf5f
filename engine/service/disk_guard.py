"""Watches how much room the disk of a session has left."""

from __future__ import annotations

import shutil
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from engine.contract.messages import Problem, Solved

WARN_BYTES = 1_000_000_000
STOP_BYTES = 200_000_000
GO_ON_BYTES = 300_000_000
"""So much must be free again before recording goes on."""
LOOK_EVERY_S = 1.0
RATE_OVER_S = 60.0
DISK = "session.disk"


def free_bytes(folder: Path) -> int:
    """Free on the disk of this folder."""
    return shutil.disk_usage(folder).free


class DiskGuard:
    """Warns below 1 GB; below 200 MB recording stops, training does not.

    Attributes:
      stopped: Nothing large may be recorded now.
    """

    def __init__(
        self,
        free: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free, self._clock = free, clock
        self.begin_anew()

    def begin_anew(self) -> None:
        """It is another folder now, of which nothing has been said yet."""
        self._seen: deque[tuple[float, int]] = deque()
        self._looked_at = -LOOK_EVERY_S
        self._told = ""
        self.stopped = False

    def look(self, folder: Path) -> Problem | Solved | None:
        """Once a second: what is to be said about the room that is left."""
        now = self._clock()
        if now - self._looked_at < LOOK_EVERY_S:
            return None
        self._looked_at = now
        free = self._free(folder)
        self._seen.append((now, free))
        while now - self._seen[0][0] > RATE_OVER_S:
            self._seen.popleft()
        self.stopped = free < (GO_ON_BYTES if self.stopped else STOP_BYTES)
        return self._say(free)

    def _say(self, free: int) -> Problem | Solved | None:
        """Only what is new; a warning is repeated when the time left has halved."""
        level = "stopped" if self.stopped else "little" if free < WARN_BYTES else ""
        left_s = self._left_s(free)
        told = f"{level}{left_s.bit_length() if level == 'little' else ''}"
        if told == self._told:
            return None
        before, self._told = self._told, told
        if not level:
            return Solved(DISK) if before else None
        return _stopped(free) if self.stopped else _little(free, left_s)

    def _left_s(self, free: int) -> int:
        """Seconds until recording stops at the rate of the last minute; 0: unknown."""
        (then, had), (now, _) = self._seen[0], self._seen[-1]
        used = had - free
        if used <= 0 or now - then < LOOK_EVERY_S:
            return 0
        return int((free - STOP_BYTES) * (now - then) / used)


def _little(free: int, left_s: int) -> Problem:
    why = ""
    if left_s:
        minutes = max(1, round(left_s / 60))
        hours = f"{minutes / 60:.0f} h" if minutes > 90 else f"{minutes} min"
        why = f"At the rate of the last minute recording stops in about {hours}."
    return Problem(
        DISK,
        f"Only {free / 1e9:.2g} GB are left on the disk of the session.",
        why=why,
        fix="Free some space, or record less (recording.level).",
        severity="warning",
    )


def _stopped(free: int) -> Problem:
    return Problem(
        DISK,
        f"Recording has stopped: only {free / 1e6:.0f} MB are left on the disk.",
        why="Training goes on, but its curves, episodes and checkpoints are not kept.",
        fix="Free some space, and recording goes on by itself; Stop still saves.",
    )
