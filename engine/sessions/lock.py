"""One writer for each live store: a lock that a dead process cannot hold."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import IO, Any

import psutil

from engine.sessions.live_members import check_members
from engine.sessions.problems import SessionProblem


def boot_id() -> str:
    """A name for this start of the machine, so that an old process number is known."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return str(int(psutil.boot_time()))


class StoreLock:
    """Held from :meth:`acquire` to :meth:`release`, or until the process is gone.

    The lock is of the operating system, so it needs no cleaning after a crash. The
    file's text (pid, boot id, start time) serves the message, and decides where a
    file system knows no locks.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file: IO[str] | None = file

    @classmethod
    def acquire(cls, path: Path) -> StoreLock:
        """Take the lock file at ``path``.

        Raises:
          SessionProblem: If a living process has it, or the folder is not ours.
        """
        check_members(path.parent)
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115 - held, not used
        with contextlib.ExitStack() as unless_taken:
            unless_taken.callback(file.close)
            supported = _try_patiently(file)
            owner = _owner(file)
            if supported is False or (supported is None and _lives(owner)):
                raise _in_use(path, owner)
            _sign(file)
            unless_taken.pop_all()
        return cls(file)

    def release(self) -> None:
        """Let go; the file stays, also its text where the disk refuses to cut it."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.truncate(0)
            file.close()


def is_locked(path: Path) -> bool:
    """Whether a living process writes to the store of this lock file.

    Raises:
      SessionProblem: If the folder is not one of ours.
    """
    if not path.parent.is_dir():
        return False
    check_members(path.parent)
    if not path.exists():
        return False
    with path.open("a+", encoding="utf-8") as file:
        supported = _try_lock(file)
        return supported is False or (supported is None and _lives(_owner(file)))


def _sign(file: IO[str]) -> None:
    """Say in the file whose the lock is."""
    file.seek(0)
    file.truncate()
    own = psutil.Process().create_time()
    json.dump({"pid": os.getpid(), "boot": boot_id(), "started": own}, file)
    file.flush()


def _try_patiently(file: IO[str]) -> bool | None:
    """As :func:`_try_lock`; somebody who only looks holds the lock for a moment."""
    # Polled: a blocking lock has no time limit, and its real owner keeps it for hours.
    for _ in range(5):
        found = _try_lock(file)
        if found is not False:
            return found
        time.sleep(0.01)
    return False


def _try_lock(file: IO[str]) -> bool | None:
    """True: taken; False: another has it; None: no locks on this file system."""
    try:
        if sys.platform == "win32":
            import msvcrt

            # Far behind the text, so that it stays readable for the others.
            file.seek(1 << 20)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def _owner(file: IO[str]) -> dict[str, Any]:
    file.seek(0)
    with contextlib.suppress(ValueError, OSError):
        owner = json.loads(file.read(4096))
        if isinstance(owner, dict):
            return owner
    return {}


def _lives(owner: dict[str, Any]) -> bool:
    if owner.get("boot") != boot_id():
        return False
    try:
        started = float(psutil.Process(int(owner["pid"])).create_time())
    except (psutil.Error, KeyError, ValueError):
        return False
    return abs(started - float(owner.get("started", 0.0))) < 2.0


def _in_use(path: Path, owner: dict[str, Any]) -> SessionProblem:
    since = time.strftime("%H:%M", time.localtime(float(owner.get("started", 0.0))))
    who = f" (process {owner['pid']}, started at {since})" if "pid" in owner else ""
    return SessionProblem(
        f"The session '{path.parent.stem}' is being written by another process{who}. "
        "Close it there, or wait until it has finished.",
        "locked",
    )
