"""Finding the engine that lives, and starting one where none does."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from engine.service.children import QUIET, REPOSITORY, python_command
from engine.service.connection import (
    Connection,
    EngineProblem,
    await_end,
    process_lives,
    read_connection,
)
from engine.service.cores import anywhere
from engine.service.home import Home

MODULE = "engine.service.supervisor_process"
START_WITHIN_S = 60.0
END_WITHIN_S = 30.0


def reach(home: Home, *, private: bool) -> Connection:
    """How to reach the engine that lives, or a new one."""
    try:
        home.prepare()
    except OSError as error:
        raise EngineProblem(
            f"The folder '{home.runtime.name}' for the engine cannot be written: "
            f"{error.strerror}. Set RLLAB_HOME to a folder of yours."
        ) from error
    started: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        connection = read_connection(home.connection_file)
        if connection is not None and process_lives(connection.pid):
            return connection
        if started is None:
            started = _start(home, private=private)
        elif started.poll() not in (None, 0):
            break
        elif started.returncode == 0:  # it left the place to another one
            started = None
        # Polled: it is a file that says that the engine can be reached.
        time.sleep(0.01)
    raise EngineProblem(
        "The engine could not be started: "
        f"{_last_line(home.logs / 'supervisor.log')} Look into the folder of its logs."
    )


def reach_another(home: Home, old: Connection, *, by_force: bool = False) -> Connection:
    """As :func:`reach`, when the old engine has ended.

    Args:
      home: Where engines of this person live.
      old: The one that has to end first; it has been told to.
      by_force: It has had its time, and is ended now.

    Raises:
      EngineProblem: If it does not end, or none can be started.
    """
    if by_force:
        _kill_engine(old.pid)
    if not await_end(old.pid, END_WITHIN_S):
        raise EngineProblem(
            "The old one has not ended yet: it may still be writing the session. Wait "
            "a moment and start it again; that ends it by force, and the run goes on "
            "from its last checkpoint."
        )
    reap()
    return reach(home, private=False)


def _kill_engine(pid: int) -> None:
    """End it at once; its processes end with it. Another program keeps its life."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if MODULE in process.cmdline():
            process.kill()


_STARTED: list[subprocess.Popen[bytes]] = []
"""Engines that this process has started; asked for their end, so that none is left
behind as a zombie."""


def _start(home: Home, *, private: bool) -> subprocess.Popen[bytes]:
    options = ["--home", str(home.runtime)] if home.logs.parent == home.runtime else []
    options += ["--private"] if private else []
    flags: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = {"creationflags": 0x00000208}  # detached, in a group of its own
    with (home.logs / "supervisor.log").open("ab") as log, anywhere():
        process = subprocess.Popen(
            python_command(MODULE, *options),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=REPOSITORY,
            env=os.environ | QUIET,
            **flags,
        )
    reap()
    _STARTED.append(process)
    return process


def reap() -> None:
    """Take note of engines that have ended."""
    _STARTED[:] = [it for it in _STARTED if it.poll() is None]


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text("utf-8", "replace").splitlines()
    except OSError:
        return "it wrote no log."
    return (lines[-1][:200].rstrip(".") + ".") if lines else "it wrote nothing."
