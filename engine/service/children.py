"""The engine's processes: started, watched, and restarted a few times."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import psutil

from engine.contract.foreign_call import ForeignCall, call_under_way
from engine.service.cores import anywhere, told_of

REPOSITORY = Path(__file__).resolve().parents[2]
LOG_BYTES = 4 * 2**20
"""A log that outgrows this begins again."""
_CHILD_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of Linux

# One thread each: small networks get slower with more (measured 8 to 80 times), and
# rendering must find no display.
QUIET = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "SDL_VIDEODRIVER": "dummy",
    "SDL_AUDIODRIVER": "dummy",
    "PYGAME_HIDE_SUPPORT_PROMPT": "1",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONUNBUFFERED": "1",
}

# Each thread that writes a session file could else leave 64 MB in a heap of its own.
OF_ROLE = {"keeper": {"MALLOC_ARENA_MAX": "1"}}


class RestartRule:
    """At most so many restarts within so long."""

    def __init__(self, most: int = 3, within_s: float = 600.0) -> None:
        self._most, self._within_s = most, within_s
        self._times: deque[float] = deque()

    def allow(self, now: float) -> bool:
        """True, and counted, where one more restart is within the limit."""
        while self._times and now - self._times[0] > self._within_s:
            self._times.popleft()
        if len(self._times) >= self._most:
            return False
        self._times.append(now)
        return True


def python_command(module: str, *arguments: str) -> list[str]:
    """The command line that runs one of our modules in a process of its own."""
    return [sys.executable, "-m", module, *arguments]


@dataclass(slots=True)
class Child:
    """One process.

    Attributes:
      role: ``trainer``, ``stage``, ``keeper``, or ``spare`` until it is needed.
      identity: Its name on the hub; a restarted process has another one.
      log_start: Length of the log when it was started.
      end: Becomes readable when it ends; -1 where the system does not tell so.
      call: The call of an environment in which it ended, if it did.
    """

    role: str
    identity: str
    process: subprocess.Popen[bytes]
    log: Path
    log_start: int
    end: int = -1
    ready: bool = False
    call: ForeignCall | None = None

    def how_it_ended(self) -> str:
        """``was killed (signal 9)`` or ``ended with status 1``."""
        code = self.process.returncode
        if code is not None and code < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-code).name} (signal {-code})"
        return f"ended with status {code}"

    def log_tail(self) -> str:
        """The last lines that it wrote."""
        try:
            data = self.log.read_bytes()
        except OSError:
            return ""
        # A log that was begun again holds only what came after.
        data = data[self.log_start :] if len(data) >= self.log_start else data
        return "\n".join(data[-8000:].decode("utf-8", "replace").splitlines()[-30:])


def note_path(logs: Path, identity: str) -> Path:
    """Where a process notes which call of an environment it is in."""
    return logs / f"{identity}.call"


class Children:
    """Starts processes and notices their ends.

    Attributes:
      kept: Cores that a run has for itself: all but a trainer keep off from their
        start, for what they import takes the time of one.
    """

    def __init__(self, connection_file: Path, logs: Path) -> None:
        self._connection_file, self._logs = connection_file, logs
        self.kept: list[int] = []
        self._count = 0
        self._all: list[Child] = []

    def __iter__(self) -> object:
        return iter(list(self._all))

    def start(self, role: str) -> Child:
        """A new process of this role."""
        self._count += 1
        identity = f"{role}.{self._count}"
        log = self._logs / f"{role}.log"
        self._cap(log)
        kept = [] if role == "trainer" else self.kept
        with log.open("ab") as stream, anywhere(kept):
            start = stream.tell()
            process = subprocess.Popen(
                python_command(
                    f"engine.service.{role}_process",
                    str(self._connection_file),
                    identity,
                ),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                cwd=REPOSITORY,
                env=os.environ | QUIET | OF_ROLE.get(role, {}) | told_of(kept),
                # Its own group, so that what it has started ends with it.
                start_new_session=True,
            )
        child = Child(role, identity, process, log, start, _end_of(process.pid))
        self._all.append(child)
        return child

    def of_role(self, role: str) -> Child | None:
        """The process that plays this role now."""
        return next((it for it in self._all if it.role == role), None)

    def named(self, identity: str) -> Child | None:
        """The living process of this name."""
        return next((it for it in self._all if it.identity == identity), None)

    def ended(self) -> list[Child]:
        """Processes that have ended since the last call; forgotten with it."""
        gone = [it for it in self._all if it.process.poll() is not None]
        for child in gone:
            self._all.remove(child)
            child.call = call_under_way(note_path(self._logs, child.identity))
            self._clear(child)
        return gone

    def ends(self) -> list[int]:
        """Descriptors that become readable when a process ends."""
        return [it.end for it in self._all if it.end >= 0]

    def call_of(self, role: str) -> ForeignCall | None:
        """The call of an environment that this role's process is in now."""
        child = self.of_role(role)
        path = note_path(self._logs, child.identity) if child else None
        return call_under_way(path) if path else None

    def _clear(self, child: Child) -> None:
        """Nothing is left of a process that has ended."""
        _kill_group(child.process.pid)
        if child.end >= 0:
            os.close(child.end)
        note_path(self._logs, child.identity).unlink(missing_ok=True)

    def kill_orphans(self) -> None:
        """End what a process that has ended had started under a group of its own.

        Its orphans are ours on Linux, see :func:`adopt_orphans`.
        """
        ours = {it.process.pid for it in self._all}
        left = [it for it in psutil.Process().children() if it.pid not in ours]
        for orphan in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                orphan.kill()
        psutil.wait_procs(left, timeout=0.5)

    def kill(self, role: str) -> None:
        """End this role's process at once."""
        child = self.of_role(role)
        if child is not None:
            _kill_group(child.process.pid)

    def trace(self, role: str) -> None:
        """Have this role's process write down where it is, where systems know how."""
        child = self.of_role(role)
        if child is not None and child.ready and hasattr(signal, "SIGUSR1"):
            child.process.send_signal(signal.SIGUSR1)

    def end_all(self, within_s: float) -> None:
        """Wait for all to end by themselves; kill what has not in time."""
        deadline = time.monotonic() + within_s
        for child in self._all:
            if not child.ready:  # it is busy importing and hears nothing
                _kill_group(child.process.pid)
        for child in self._all:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
            _kill_group(child.process.pid)
            child.process.wait()
            self._clear(child)
        self._all.clear()
        self.kill_orphans()

    def cap_logs(self) -> None:
        """Begin those logs again that have grown too long."""
        for child in self._all:
            self._cap(child.log)

    @staticmethod
    def _cap(log: Path) -> None:
        # The writers append, so that after cutting they write at the new end.
        with contextlib.suppress(FileNotFoundError):
            if log.stat().st_size > LOG_BYTES:
                os.truncate(log, 0)


def adopt_orphans() -> None:
    """Become the parent of what our processes leave behind, where systems know how."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1)


def _end_of(pid: int) -> int:
    """A descriptor that tells at once; others are looked at now and then."""
    if sys.platform != "linux":
        return -1
    try:
        return os.pidfd_open(pid)
    except OSError:
        return -1


def _kill_group(pid: int) -> None:
    """End a process and what it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)
        else:
            os.killpg(pid, signal.SIGKILL)
