"""Writing session files beside the recording: in a thread, from a frozen view."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from engine.contract.messages import JobProgress, Message
from engine.sessions import LiveStore, SessionProblem
from engine.sessions.session_writer import write_session
from engine.sessions.store_reader import StoreReader

JOB = "save"
TELL_EVERY_S = 0.1

Done = Callable[[str], None]


class Sealing:
    """One file that is being written from one live store.

    Attributes:
      store: Goes on recording meanwhile.
      target: The file.
      done: Called with an empty text, or with the sentence of what went wrong, by
        :meth:`settle` in the thread that owns the store.
    """

    def __init__(
        self, store: LiveStore, target: Path, done: Done, out: SimpleQueue[Message]
    ) -> None:
        self.store, self.target, self.done, self._out = store, target, done, out
        self._revision = 0
        self._told_at = 0.0
        self._error = ""
        store.flush()
        self._reader = self._snapshot()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """The thread has ended: :meth:`settle` is due."""
        return not self._thread.is_alive()

    def settle(self) -> None:
        """Tell the store and whoever waits how it went."""
        self._thread.join()
        if not self._error and self.target == self.store.path:
            try:
                self.store.mark_sealed(self._revision)
            except SessionProblem as problem:
                self._error = str(problem)
        text = self._error or "Saved"
        result = "" if self._error else str(self.target)
        self._out.put(JobProgress(JOB, 1.0, text, done=True, result=result))
        self.done(self._error)

    def _snapshot(self) -> StoreReader:
        self._revision = self.store.revision
        return StoreReader.snapshot(self.store.folder)

    def _write(self) -> None:
        try:
            write_session(self._reader, self.target, self._tell)
        except SessionProblem as problem:
            self._error = str(problem)
        finally:
            self._reader.close()

    def _tell(self, fraction: float, text: str) -> None:
        if time.monotonic() < self._told_at + TELL_EVERY_S:
            return
        self._told_at = time.monotonic()
        self._out.put(JobProgress(JOB, min(fraction, 0.999), text))
