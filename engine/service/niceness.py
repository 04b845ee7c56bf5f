"""Letting other processes of the lab go first."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

_PROCESSES = Path("/proc")


def step_back(by: int, pid: int | None = None) -> None:
    """Make a process nicer by so much, where processes have a niceness.

    On Linux with autogroups, each session of processes gets an equal share of the
    processors and the niceness of a process counts inside its session only (see the
    manual page sched(7)). A process that leads a session makes that nicer as well.

    Args:
      by: 1 to 19; on Windows any number means *below normal*.
      pid: Which process; this one if it is not said. What it starts is as nice.
    """
    process = psutil.Process(pid)
    if psutil.WINDOWS:
        process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        return
    process.nice(process.nice() + by)
    if os.getsid(process.pid) == process.pid:
        # Kernels without autogroups, and containers that hide them, have no such file.
        with contextlib.suppress(OSError):
            (_PROCESSES / str(process.pid) / "autogroup").write_text(str(by))
