"""What people leave in an open session: kept at once, put into its file later."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from engine.contract.messages import JobProgress, Message
from engine.service.keeper_sealing import JOB
from engine.sessions import (
    GuardedFile,
    LiveStore,
    SessionProblem,
    SessionSource,
)
from engine.sessions.folding import fold_notes

QUIET_S = 5.0
"""So long after the last change the file is written anew with the notes."""
SHARE = 20.0
"""And so many times as long as that took after the last time."""
LARGEST_BYTES = 64 << 20
"""A file that is larger is written anew on *Save* only."""

Done = Callable[[str], None]
Finish = Callable[[dict[str, Any], str], None]


class Folding:
    """One file that is being written anew, in a thread."""

    def __init__(self, path: Path, target: Path, done: Done) -> None:
        self.path, self._target, self._done = path, target, done
        self._error = ""
        self._began = time.monotonic()
        self.took_s = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """:meth:`settle` is due."""
        return not self._thread.is_alive()

    def settle(self) -> None:
        """Tell how it went."""
        self._done(self._error)

    def _run(self) -> None:
        try:
            fold_notes(self.path, self._target)
        except SessionProblem as problem:
            self._error = str(problem)
        except Exception as error:
            # A thread that dies in silence would look as if all had gone well.
            sys.stderr.write(traceback.format_exc())
            self._error = f"It could not be saved: {type(error).__name__}: {error}."
        self.took_s = time.monotonic() - self._began


class NotesKeeper:
    """Keeps notes in whatever form the session is in.

    Args:
      out: Takes messages for all windows, in any thread.
    """

    def __init__(self, out: SimpleQueue[Message]) -> None:
        self._out = out
        self._under_way: list[Folding] = []
        self._source: SessionSource | None = None
        self._due, self._not_before = math.inf, 0.0

    def keep(
        self, source: SessionSource | None, uuid: str, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        """Keep some entries of the views, durably; others stay as they are.

        Args:
          source: The session that is open.
          uuid: Of that session.
          arguments: ``uuid`` of the session that they are of, and ``views``.

        Raises:
          SessionProblem: If they cannot be kept with this session.
        """
        if source is None or arguments["uuid"] != uuid:
            raise SessionProblem("The notes are of a session that is not open.")
        views = source.views() | dict(arguments["views"])
        if isinstance(source, LiveStore):
            source.set_views(views)
        elif isinstance(source, GuardedFile):
            source.keep_views(views)
            self._look_at(source)
        else:
            raise SessionProblem(
                "The notes are not kept: another process is writing this session. "
                "Close it there first."
            )
        return {}

    def concerns(self, path: Path | None) -> bool:
        """The file of this session is being written anew."""
        return any(it.path == path for it in self._under_way)

    def settle(self, source: SessionSource | None) -> None:
        """Begin what is due, end what is over; ``source`` is open now."""
        if source is not self._source:
            self._source = source
            self._look_at(source)
        for folding in [it for it in self._under_way if it.is_over]:
            self._under_way.remove(folding)
            self._not_before = time.monotonic() + SHARE * folding.took_s
            folding.settle()
        if time.monotonic() >= self._due and isinstance(source, GuardedFile):
            self._due = math.inf
            if _may_replace(source.path) and not self.concerns(source.path):
                # Where it fails the notes stay beside the file, and nothing is lost.
                self._under_way.append(Folding(source.path, source.path, _nobody))

    def _look_at(self, source: SessionSource | None) -> None:
        """What lies beside its file is folded in when nothing changes for a while."""
        waits = isinstance(source, GuardedFile) and source.has_notes_beside()
        soon = max(time.monotonic() + QUIET_S, self._not_before)
        self._due = soon if waits else math.inf

    def save(self, path: Path, target: Path, finish: Finish) -> None:
        """*Save* and *save as* of a session that is only looked at."""

        def saved(error: str) -> None:
            result = "" if error else str(target)
            text = error or "Saved"
            self._out.put(JobProgress(JOB, 1.0, text, done=True, result=result))
            finish({} if error else {"path": str(target)}, error)

        self._under_way.append(Folding(path, target, saved))


def _nobody(error: str) -> None:
    """Nobody waits for it."""


def _may_replace(path: Path) -> bool:
    """A file that may not be written is not replaced either, unless it is asked for."""
    return os.access(path, os.W_OK) and path.stat().st_size <= LARGEST_BYTES
