"""Letting other processes of the lab go first."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

_GROUP = Path("/proc/self/autogroup")


def step_back(by: int) -> None:
    """Make this process nicer by so much, where processes have a niceness.

    On Linux with autogroups, each session of processes gets an equal share of the
    processors and the niceness of a process counts inside its session only (see the
    manual page sched(7)). A process that leads a session makes that nicer as well.

    Args:
      by: 1 to 19; on Windows any number means *below normal*.
    """
    process = psutil.Process()
    if psutil.WINDOWS:
        process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        return
    process.nice(process.nice() + by)
    if os.getsid(0) == os.getpid():
        # Kernels without autogroups, and containers that hide them, have no such file.
        with contextlib.suppress(OSError):
            _GROUP.write_text(str(by))
