"""The file by which processes find their supervisor, and the lock it holds."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from pathlib import Path

import msgspec
import psutil

from engine.contract.messages import PROTOCOL

SLICE_S = 0.1


class EngineProblem(RuntimeError):
    """The engine cannot be reached or refused; one sentence: what, why, how to fix."""


class Connection(msgspec.Struct, frozen=True):
    """All that a process of this user needs to talk to the hub.

    Attributes:
      endpoint: Address on the loopback interface.
      server_key: The hub's public CURVE key, new with each launch.
      client_key, client_secret: The one key pair that the hub lets in.
      pid: Of the supervisor.
      protocol: Version of the messages it speaks.
      logs, sessions: Its folders.
    """

    endpoint: str
    server_key: str
    client_key: str
    client_secret: str
    pid: int
    logs: str
    sessions: str
    protocol: int = PROTOCOL


def write_connection(path: Path, connection: Connection) -> None:
    """Put the file in place at once, readable by this user only."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(connection))
    os.replace(part, path)


def read_connection(path: Path) -> Connection | None:
    """The connection, or None where there is no usable file.

    Raises:
      EngineProblem: If other users could have read or written the keys, or if the
        engine speaks another protocol.
    """
    try:
        mine = _only_mine(path)
        data = path.read_bytes()
    except OSError:
        return None
    if not mine:
        raise EngineProblem(
            f"The connection file '{path.name}' is open to other users, so its keys "
            "cannot be trusted: delete it and start again."
        )
    try:
        connection = msgspec.json.decode(data, type=Connection)
    except msgspec.MsgspecError:
        return None
    _check_protocol(connection)
    return connection


def _only_mine(path: Path) -> bool:
    if sys.platform == "win32":
        return True
    status = path.stat()
    return status.st_uid == os.getuid() and not stat.S_IMODE(status.st_mode) & 0o077


def _check_protocol(connection: Connection) -> None:
    if connection.protocol != PROTOCOL and process_lives(connection.pid):
        raise EngineProblem(
            "An engine of another version of RL Lab is running (it speaks protocol "
            f"{connection.protocol}, this program {PROTOCOL}): close the other "
            f"window, or end process {connection.pid}, and start again."
        )


def process_lives(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def await_end(pid: int, timeout: float) -> bool:
    """Wait until a process has ended; False where it lives on after these seconds."""
    deadline = time.monotonic() + timeout
    while process_lives(pid):
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        # In slices: it would go on waiting for one that a third process has to reap.
        with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            psutil.Process(pid).wait(min(left, SLICE_S))
    return True


class Lock:
    """A file lock that ends with its process, however that ends."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+b")

    def take(self) -> bool:
        """Try once; True where this process holds it now."""
        try:
            _lock(self._file.fileno())
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let go of it."""
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
