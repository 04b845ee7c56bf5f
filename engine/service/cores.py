"""Leaving a processor core to the run, where there are two.

A run keeps one core busy. The window, the stage, the keeper and the supervisor need
most of another one, but wake up some hundred times a second, and a system that places
each of them where it was last takes the trainer's core away from it for a moment each
time. With three cores or more they find a free one by themselves.

Linux only: elsewhere a process cannot say where it runs, or it was not measured.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import psutil

from engine.contract.messages import KeepOff
from engine.contract.options import Configuration

_PROCESSES = Path("/proc")
_LOOKS = 5


def usable_cores() -> frozenset[int]:
    """The cores that this process may run on; empty where that cannot be set."""
    if sys.platform != "linux":
        return frozenset()
    return frozenset(os.sched_getaffinity(0))


KEPT = "RLLAB_KEPT_CORES"
"""Variable of the environment: cores that a run had when this process was started."""


def told_of(kept: Collection[int]) -> dict[str, str]:
    """The environment of a process that is started while a run has these cores."""
    return {KEPT: " ".join(map(str, kept))}


ALL = usable_cores().union(map(int, os.environ.get(KEPT, "").split()))
"""Those that this process may run on by the will of whoever started the lab."""


def core_of(configuration: Configuration, usable: frozenset[int] = ALL) -> list[int]:
    """The core that this run is to have for itself; empty where it needs none."""
    training = configuration.training
    one_thread = training.threads == 1 and training.mode == "alternate"
    return [min(usable)] if one_thread and len(usable) == 2 else []


class Reservation:
    """The core that the run under way has for itself; this process keeps off it.

    Attributes:
      message: What other processes are told.
    """

    def __init__(self) -> None:
        self.message = KeepOff([])

    def follow(self, running: Configuration | None) -> bool:
        """Of the run that goes on, None for none; True where others must be told."""
        message = KeepOff([] if running is None else core_of(running))
        changed = message != self.message
        if changed:
            self.message = message
            stay_off(message.cores)
        return changed


def stay_off(cores: Collection[int], *, helpers: bool = False) -> None:
    """Keep all threads of this process away from these cores; none: from no core.

    Processes that are started afterwards stay off as well, but see :func:`anywhere`.

    Args:
      cores: Numbers as the system counts them.
      helpers: Keep away, or let back, what this process has started as well; not for
        who has started a trainer.
    """
    allowed = ALL.difference(cores) or ALL
    _put_process(os.getpid(), allowed)
    for helper in _helpers() if helpers and allowed else ():
        _put_process(helper, allowed)


def _helpers() -> list[int]:
    """All that this process has started, and what these have."""
    with contextlib.suppress(psutil.Error):
        return [it.pid for it in psutil.Process().children(recursive=True)]
    return []


def _put_process(pid: int, cores: frozenset[int]) -> None:
    # A thread that another one makes meanwhile may be as that was before.
    for _ in range(_LOOKS):
        if not _put_threads(pid, cores):
            return


@contextlib.contextmanager
def anywhere(but: Collection[int] = ()) -> Iterator[None]:
    """What this thread starts in here may run on every core, or on every other one.

    It has to be :func:`told_of` those that it may not run on.
    """
    before = usable_cores()
    _put(ALL.difference(but) or ALL)
    try:
        yield
    finally:
        _put(before)


def _put_threads(pid: int, cores: frozenset[int]) -> bool:
    """Whether there were threads that could run elsewhere."""
    found = False
    # One has ended, there is no such folder, or the machine has lost a core.
    with contextlib.suppress(OSError):
        tasks = _PROCESSES / str(pid) / "task"
        for thread in tasks.iterdir() if cores else ():
            with contextlib.suppress(OSError):
                if os.sched_getaffinity(int(thread.name)) != cores:
                    os.sched_setaffinity(int(thread.name), cores)
                    found = True
    return found


def _put(cores: frozenset[int]) -> None:
    if cores:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, cores)
