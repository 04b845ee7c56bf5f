"""What trainer, stage and keeper have in common as processes.

A worker says hello, imports what it needs, says that it is ready, and then lives until
it is told to end or until its supervisor is gone.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from engine.contract.codec import MalformedMessage
from engine.contract.foreign_call import NOTE
from engine.contract.messages import Hello, KeepOff, Message, ProcessState, Shutdown
from engine.service.children import note_path
from engine.service.connection import read_connection
from engine.service.cores import stay_off
from engine.service.problems import malformed, mistake
from engine.service.transport import SUPERVISOR, WINDOWS, Line

PARENT_EVERY_S = 0.2
END_WITHIN_S = 3.0
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux


class Orphaned(Exception):
    """The supervisor is gone, so this process has nothing to do any more."""


class Work(Protocol):
    """What a role does; made when everything is imported."""

    def on_message(self, sender: str, message: Message) -> None:
        """Somebody said something."""

    def cycle(self) -> float:
        """Do a small piece of work; returns seconds that may be waited after it."""

    def close(self) -> None:
        """Finish, quickly."""


Begin = Callable[[Line], Work]


class Worker:
    """The line to the hub, and the loop of a role."""

    def __init__(self, connection_file: str, identity: str) -> None:
        connection = read_connection(Path(connection_file))
        if connection is None or connection.pid != os.getppid():
            raise Orphaned
        self._parent = connection.pid
        self.connection = connection
        NOTE.keep_in(note_path(Path(connection.logs), identity))
        self.line = Line(connection, identity, self._on_malformed)
        self._gone = threading.Event()
        threading.Thread(target=self._watch_parent, daemon=True).start()

    def run(self, role: str, begin: Begin) -> None:
        """Be this role until the end."""
        self.line.send(SUPERVISOR, Hello(role, os.getpid()))
        work = begin(self.line)
        self.line.send(SUPERVISOR, ProcessState(role, "ready", os.getpid()))
        try:
            while not self._gone.is_set() and self._serve(work):
                self.line.wait(min(work.cycle(), PARENT_EVERY_S))
        finally:
            work.close()
            self.line.close()
        if self._gone.is_set():
            _end_group()

    def _serve(self, work: Work) -> bool:
        """Hand over what has arrived; False where that was the word to end."""
        while (parcel := self.line.receive()) is not None:
            sender, message = parcel
            if isinstance(message, Shutdown) and sender == SUPERVISOR:
                return False
            if isinstance(message, KeepOff) and sender == SUPERVISOR:
                stay_off(message.cores, helpers=True)
                continue
            try:
                work.on_message(sender, message)
            except Exception as error:
                # One bad message must not end a process that holds a run.
                self._report(sender, message, error)
        return True

    def _report(self, sender: str, message: Message, error: Exception) -> None:
        sys.stderr.write(traceback.format_exc())
        role = self.line.identity.split(".")[0]
        what = f"{type(message).__name__} of {sender}"
        self.line.send(WINDOWS, mistake(role, what, error))

    def _on_malformed(self, sender: str, error: MalformedMessage) -> None:
        self.line.send(WINDOWS, malformed(sender, error))

    def _watch_parent(self) -> None:
        """A worker whose supervisor is gone ends, whatever it is busy with."""
        while os.getppid() == self._parent:
            self._gone.wait(PARENT_EVERY_S)
        self._gone.set()
        threading.Event().wait(END_WITHIN_S)
        _end_group()


def _end_group() -> None:
    """End this process, and what an environment has started in its group."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(3)


def main(role: str, begin: Begin, *, dies_with_parent: bool) -> int:
    """Entry point of a process: ``CONNECTION_FILE IDENTITY``.

    Args:
      role: What it is.
      begin: Imports what is needed and makes the role's work.
      dies_with_parent: Have the system end it at once with its supervisor; not for
        the keeper, which makes the last rows durable first.
    """
    faulthandler.enable()
    if hasattr(faulthandler, "register"):  # not on Windows
        faulthandler.register(signal.SIGUSR1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if dies_with_parent and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    try:
        worker = Worker(*sys.argv[1:3])
    except Orphaned:
        return 3
    worker.run(role, begin)
    return 0
