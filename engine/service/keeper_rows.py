"""Rows and checkpoints on their way to the disk, and what is said about them."""

from __future__ import annotations

import math
import time
from pathlib import Path

from msgspec.structs import replace

from engine.contract.messages import (
    Checkpoint,
    CheckpointStored,
    Problem,
    Rows,
    RowsStored,
    SessionStatus,
    Solved,
)
from engine.service.disk_guard import DiskGuard
from engine.service.transport import SUPERVISOR, WINDOWS, Line
from engine.sessions import LiveStore, SessionProblem, SessionSource
from engine.sessions.parts import Parts

RETRY_S = 0.5
PART_S, REST_S = 0.002, 0.02
"""A checkpoint of a small network takes twenty milliseconds: it is written in parts,
with rests between. Then whoever asks is answered, and window and stage, which may have
no other core than this process, go on with what they are at."""
RESTS_WITHIN_S = 1.0
"""A larger one is gone on with after this without a rest."""
WANTED = frozenset({"stop", "pause", "save"})
"""Checkpoints that somebody waits for: they are written on any disk."""


class RowKeeper:
    """Holds the session that is open, and makes durable what is sent to it.

    Attributes:
      source: The session that is open, for questions.
      store: The same where it is being written.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self.source: SessionSource | None = None
        self.store: LiveStore | None = None
        self._path: Path | None = None
        self._uuid = self._configuration = ""
        self._sealed_at = self._retry_at = 0.0
        self._in_trouble = False
        self._guard = DiskGuard()
        self._replay_given_up = False
        self._unstored: list[Checkpoint] = []
        self._parts: Parts[list[int]] | None = None
        self._parts_began = 0.0

    def _take_rows(self, rows: Rows) -> None:
        """Only in order: what is missing in between is sent again, and then this."""
        if self.store is None:
            return
        expected = self.store.next_numbers.get(rows.source, 0)
        if rows.source == "trainer" and rows.number > expected:
            return
        if self._guard.stopped:
            rows = replace(rows, scalars=None, finished=[], episodes=[], replay={})
        elif self._replay_given_up:
            rows = replace(rows, replay={})
        self.store.append(rows)

    def _watch_disk(self) -> None:
        """Stop recording before the disk is full, and go on when there is room."""
        if self.store is None:
            return
        before = self._guard.stopped
        told = self._guard.look(self.store.folder)
        if told is not None:
            self._line.send(WINDOWS, told)
        if self._guard.stopped == before:
            return
        self._finish_checkpoint()
        step = self.store.durable_step
        if not self._guard.stopped:
            self.store.note("state", "Recording goes on.", step)
            return
        self.store.note("problem", "Recording stopped: the disk is nearly full.", step)
        try:
            self.store.forget_replay()
            self._replay_given_up = True
        except SessionProblem as problem:
            self._tell_trouble(problem)

    def _commit(self) -> None:
        """Group commit; a full disk is told, and tried again until it works."""
        if self.store is None or time.monotonic() < self._retry_at:
            return
        self._store_checkpoints(PART_S)
        try:
            stored = self.store.commit_if_due()
        except SessionProblem as problem:
            self._retry_at = time.monotonic() + RETRY_S
            self._tell_trouble(problem)
            return
        if stored and not self._unstored:
            self._tell_solved()
        for source, (number, step) in stored.items():
            self._line.send(source, RowsStored(source, number, step))

    def _take_checkpoint(self, checkpoint: Checkpoint) -> None:
        if self.store is None:
            return
        if self._guard.stopped and checkpoint.reason not in WANTED:
            # It need not be sent again.
            stored = CheckpointStored(checkpoint.step, checkpoint.reason)
            self._line.send("trainer", stored)
            return
        self._finish_checkpoint()
        # One that could not be stored and that nobody waits for is replaced.
        self._unstored = [it for it in self._unstored if it.reason in WANTED]
        self._unstored.append(checkpoint)
        self._store_checkpoints(0.0)

    def _finish_checkpoint(self) -> None:
        """Before anything else is done with the store than rows and questions."""
        if self._parts is not None:
            self._store_checkpoints()

    def _store_checkpoints(self, seconds: float = math.inf) -> None:
        """Those that wait, in their order; what the disk refuses is tried again.

        Args:
          seconds: After these and at least one part go on another time, unless
            somebody waits for one of them.
        """
        if any(it.reason in WANTED for it in self._unstored):
            seconds = math.inf
        until = time.monotonic() + seconds
        while self._unstored and self.store is not None:
            # One that has raised something would say at once that it is stored.
            parts, self._parts = self._parts, None
            try:
                if parts is None:
                    parts = self.store.checkpoint_in_parts(self._unstored[0])
                    self._parts_began = time.monotonic()
                next(parts)
            except StopIteration as end:
                self._tell_solved()
                self._tell_stored(self._unstored.pop(0), end.value)
            except SessionProblem as problem:
                self._tell_trouble(problem)
                if problem.kind in ("disk-full", "io"):
                    self._retry_at = time.monotonic() + RETRY_S
                    return
                self._unstored.pop(0)
            else:
                self._parts = parts
                if time.monotonic() >= until:
                    return

    def _rest_s(self) -> float:
        """How long to do nothing more of the checkpoint that is under way."""
        return REST_S if time.monotonic() < self._parts_began + RESTS_WITHIN_S else 0.0

    def _tell_stored(self, checkpoint: Checkpoint, kept: list[int]) -> None:
        stored = CheckpointStored(checkpoint.step, checkpoint.reason, kept)
        for who in ("trainer", "stage", SUPERVISOR):
            self._line.send(who, stored)
        self._tell_status()

    def _tell_trouble(self, problem: SessionProblem) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            self._line.send(WINDOWS, Problem("session.write", str(problem)))

    def _tell_solved(self) -> None:
        if self._in_trouble:
            self._in_trouble = False
            self._line.send(WINDOWS, Solved("session.write"))

    def _tell_status(self) -> None:
        if self._path is None or self.source is None:
            return
        store = self.store
        status = SessionStatus(
            name=self._path.stem,
            path=str(self._path),
            uuid=self._uuid,
            live=store is not None,
            configuration=self._configuration,
            durable_step=store.durable_step if store else self._step(),
            durable_s_ago=max(0.0, time.time() - store.durable_at) if store else 0.0,
            sealed_at=self._sealed_at,
        )
        self._line.send(SUPERVISOR, status)

    def _step(self) -> int:
        assert self.source is not None
        return int(self.source.summary().get("steps", 0))

    # ------------------------------------------------------------ what is open

    def _show(self, source: SessionSource, path: Path) -> None:
        """Answer questions from this source from now on."""
        summary = source.summary()
        self.source, self._path = source, path
        self._uuid = str(summary.get("uuid", ""))
        self._sealed_at = float(summary.get("sealed", 0.0))
        self._configuration = source.configuration()

    def _hold(self, store: LiveStore, path: Path) -> None:
        """The same, and store what is sent."""
        self._show(store, path)
        self.store = store
        self._unstored, self._parts = [], None
        self._replay_given_up = store.replay_given_up
        # What was told about the last store is gone with it; this one may be elsewhere.
        self._in_trouble = False
        self._guard.begin_anew()
