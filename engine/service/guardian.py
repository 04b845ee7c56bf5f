"""Who clears up when the supervisor itself is killed, on Linux.

The engine's processes end when their supervisor does, but not what an environment has
started: it knows nothing of us, may have left its group, and the system's word that a
parent has died is not passed on to children of children. So the supervisor has a parent
that does nothing but wait: what is left behind becomes its child, and is ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from types import FrameType

import psutil

from engine.service.children import adopt_orphans

KEEPER = "engine.service.keeper_process"
"""It makes the last rows durable before it ends by itself."""
KEEPER_WITHIN_S = 4.0
LOOK_EVERY_S = 0.05


def guard() -> None:
    """Return in a child of this process, which waits for it, then clears up.

    Where the system gives nobody what is left behind, nothing happens.
    """
    if sys.platform != "linux":
        return
    adopt_orphans()
    child = os.fork()
    if child:
        os._exit(_watch(child))


def _watch(child: int) -> int:
    """Wait for the end of the child; returns the status that it had."""

    def pass_on(number: int, _: FrameType | None) -> None:
        os.kill(child, number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    # Not reaped before the signals are given up: the number is the child's until then.
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    _, status = os.waitpid(child, 0)
    _clear_up()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _clear_up() -> None:
    """End all that is left, the keeper only where it does not end by itself."""
    keeper_by = time.monotonic() + KEEPER_WITHIN_S
    while left := psutil.Process().children(recursive=True):
        spared = time.monotonic() < keeper_by
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                if not (spared and _is_keeper(process)):
                    process.kill()
        _reap()
        # Looked at again and again: a process that is ended may leave others behind.
        time.sleep(LOOK_EVERY_S)


def _is_keeper(process: psutil.Process) -> bool:
    return KEEPER in process.cmdline()


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
