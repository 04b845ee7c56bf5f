"""The process that compiles updates, and the folder in which they are kept."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine.agents import ValueBasedAgent
from engine.agents.compiled import ENDING, fingerprint

COMMAND = [sys.executable, "-P", "-m", "engine.agents.compiling"]
LONGEST_S = 300.0
"""A compiler that takes longer is given up."""
PATIENCE_S = 1.0
"""So long a compiler that is told to end may tidy up."""


class Libraries(NamedTuple):
    """Where compiled updates are kept.

    Attributes:
      folder: It may be missing yet.
      unasked: Whether runs go over to compiled updates that were not so before.
    """

    folder: Path
    unasked: bool = True

    def place(self, agent: ValueBasedAgent) -> Path:
        """Of the library for this agent's options."""
        of = fingerprint(agent.configuration, agent.card)
        return self.folder / f"{of}{ENDING}"


class Known(msgspec.Struct, frozen=True):
    """What a library was measured to be, kept beside it.

    Attributes:
      difference: How far both forms were apart, relative to the largest number.
      eager_s, compiled_s: What an update takes as written, and compiled.
      problem: Why there is none, as a sentence; empty where there is one.
    """

    difference: float = 0.0
    eager_s: float = 0.0
    compiled_s: float = 0.0
    problem: str = ""


def look_up(library: Path) -> Known | None:
    """What is known of a library that is there; None where it has to be made.

    Raises:
      OSError: If the folder cannot be read, or others may write into it: what is
        in it would be run.
    """
    if not library.exists():
        return None
    _check_own(library.parent)
    _check_own(library)
    if _marker(library).exists():
        # Whoever used it last ended before the first update was made.
        forget(library)
        return Known(problem="Its compiled form ended the process that last tried it.")
    try:
        text = library.with_suffix(".json").read_bytes()
        return msgspec.json.decode(text, type=Known)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def begin_use(library: Path) -> None:
    """To be called before a library is tried in this process."""
    _marker(library).touch()


def end_trial(library: Path) -> None:
    """The first update has been made with it."""
    _marker(library).unlink(missing_ok=True)


def forget(library: Path) -> None:
    """Remove a library and all that is known of it."""
    for path in (library, library.with_suffix(".json"), _marker(library)):
        path.unlink(missing_ok=True)


def _marker(library: Path) -> Path:
    return library.with_suffix(".trying")


def _check_own(path: Path) -> None:
    if not hasattr(os, "geteuid"):
        return
    found = path.stat()
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"others can write to {path.name}")


class Compiler:
    """One process that writes one library; it ends with whoever started it.

    Raises:
      OSError: If it cannot be started.
    """

    def __init__(self, agent: ValueBasedAgent, library: Path) -> None:
        library.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_own(library.parent)
        order = {
            "configuration": agent.configuration.to_json(),
            "card": msgspec.to_builtins(agent.card),
            "library": str(library),
        }
        self._until = time.monotonic() + LONGEST_S
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=os.name == "posix",
        )
        assert self._process.stdin is not None
        # It stays open: the process ends when nobody holds the other end any more.
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    @property
    def running(self) -> bool:
        """Whether it is still at work; one that takes too long is ended here."""
        if self._process.poll() is None and time.monotonic() > self._until:
            self._signal("SIGKILL")
            self._process.wait()
        return self._process.poll() is None

    def answer(self) -> Known:
        """What came of it, once it has ended."""
        text = self._process.communicate()[0]
        try:
            return msgspec.json.decode(text, type=Known)
        except msgspec.MsgspecError:
            status = self._process.returncode
            return Known(problem=f"The compiler ended with status {status}.")

    def wait(self, seconds: float) -> None:
        """Until it has ended, but no longer."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, seconds))

    def close(self) -> None:
        """End it and what it has started."""
        if self._process.poll() is None:
            self._signal("SIGTERM")
            self.wait(PATIENCE_S)
        if self._process.poll() is None:
            self._signal("SIGKILL")
        self._process.communicate()

    def _signal(self, name: str) -> None:
        if os.name != "posix":
            self._process.terminate()
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, getattr(signal, name))
