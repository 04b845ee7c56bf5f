"""Which call of an environment is under way, noted where it outlives the process.

An environment is other people's code: it may end the process that runs it, or never
come back. Who watches that process reads here what it was doing, and for which step.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from struct import Struct
from typing import NamedTuple

NO_CALL, MAKE, RESET, STEP, RENDER = range(5)
_NAMES = ("", "being made", "its reset()", "its step()", "its render()")
_NOW = Struct("<BxHI")
_EPISODE = Struct("<q120s")
SIZE = _NOW.size + _EPISODE.size


class ForeignCall(NamedTuple):
    """A call that has not come back.

    Attributes:
      id: Of the environment.
      call: One of the constants of this module.
      step: Of the episode, from 1 on; 0 where it has not begun.
      seed: Of the episode.
      number: Of the call, from 0 on and again after 65,535: another one is another.
    """

    id: str
    call: int
    step: int
    seed: int
    number: int = 0

    @property
    def place(self) -> str:
        """``its step() (step 12 of the episode with seed 7)``."""
        name = _NAMES[self.call]
        if self.call == MAKE:
            return name
        episode = f"the episode with seed {self.seed}"
        at = f"step {self.step} of {episode}" if self.step else episode
        return f"{name} ({at})"


class CallNote:
    """Written around each call; costs a few hundred nanoseconds."""

    def __init__(self) -> None:
        self._memory: bytearray | mmap.mmap = bytearray(SIZE)
        self._pid = os.getpid()
        self._number = 0

    def keep_in(self, path: Path) -> None:
        """From now on in this file, where another process can read it."""
        with path.open("w+b") as file:
            file.truncate(SIZE)
            self._memory = mmap.mmap(file.fileno(), SIZE)
        self._pid = os.getpid()

    def episode(self, id: str, seed: int) -> None:
        """The calls that follow are of this environment and episode."""
        seed &= 2**63 - 1
        _EPISODE.pack_into(self._memory, _NOW.size, seed, id.encode()[:120])

    def enter(self, call: int, step: int = 0) -> None:
        """This call begins."""
        self._number = (self._number + 1) & 0xFFFF
        _NOW.pack_into(self._memory, 0, call, self._number, step)

    def leave(self) -> None:
        """It has come back, unless this is a copy of the process that it made.

        A copy would act and write a second time: it ends here.
        """
        if os.getpid() != self._pid:
            os._exit(0)
        self._memory[0] = NO_CALL


NOTE = CallNote()
"""The one of this process."""


def call_under_way(path: Path) -> ForeignCall | None:
    """What the process that keeps its note in this file is, or was, in."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if len(data) != SIZE or not NO_CALL < data[0] < len(_NAMES):
        return None
    call, number, step = _NOW.unpack_from(data)
    seed, id = _EPISODE.unpack_from(data, _NOW.size)
    name = id.rstrip(b"\0").decode("utf-8", "replace")
    return ForeignCall(name, call, step, seed, number)
