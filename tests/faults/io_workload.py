"""What a keeper does in a short run: rows, checkpoints, saving, the end.

Real code but for the line to the others, which is a list here, and the clock: rows are
committed at once, so that a run takes a tenth of a second.
"""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import session_samples as samples

from engine.contract.messages import (
    Answer,
    Ask,
    CheckpointStored,
    Message,
    Problem,
    RowsStored,
    SessionStatus,
)
from engine.service import keeper as keeper_module
from engine.service import keeper_rows
from engine.service.disk_guard import DiskGuard
from engine.service.keeper import Keeper
from engine.sessions import ballast, live_store

ROWS = 20
CHECKPOINTS = {5: "periodic", 11: "recovery", 16: "periodic"}
SAVED_AT = 9
TRIES = 12
NAMES = (
    "given",
    "stored",
    "checkpoint",
    "claimed",
    "saved",
    "ended",
    "told",
    "waited",
    "told_at",
    "failed_at",
    "room_at",
    "went_on_at",
)


class Shared:
    """Numbers that outlive the process which wrote them; -1 at first."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, 4096)
        self.reset()

    def reset(self) -> None:
        for name in NAMES:
            self[name] = -1

    def __getitem__(self, name: str) -> int:
        return struct.unpack_from("<q", self.memory, 8 * NAMES.index(name))[0]

    def __setitem__(self, name: str, value: int) -> None:
        struct.pack_into("<q", self.memory, 8 * NAMES.index(name), value)


class NotedLine:
    """What the keeper says, and what it has promised so far."""

    def __init__(self, shared: Shared, note: Callable[[str], None]) -> None:
        self._shared, self._note = shared, note
        self.answers: dict[int, Answer] = {}
        self.problems: list[str] = []

    def send(self, destination: str, message: Message) -> None:
        match message:
            case Answer():
                self.answers[message.id] = message
                if message.error:
                    self._tell()
            case RowsStored(source="trainer"):
                self._promise("stored", message.number)
            case CheckpointStored():
                self._promise("checkpoint", message.step)
            case SessionStatus() if message.live:
                self._promise("claimed", message.durable_step)
            case Problem():
                self._tell()
                self.problems.append(message.what)

    def _tell(self) -> None:
        self._shared["told"] += 1
        if self._shared["told_at"] < 0:
            self._shared["told_at"] = time.monotonic_ns()

    def _promise(self, what: str, value: int) -> None:
        if self._shared[what] < value:
            self._shared[what] = value
            self._note(f"{what} {value}")


def quick() -> None:
    """Nothing waits: rows are due at once, and so is another try."""
    live_store.COMMIT_PERIOD_S = 0.0
    keeper_rows.RETRY_S = 0.0
    keeper_module.STATUS_EVERY_S = 0.0
    ballast.BALLAST_BYTES = 1 << 16


class Workload:
    """One run from its first row to its file; gives up where nothing comes of it."""

    def __init__(
        self,
        folder: Path,
        shared: Shared,
        *,
        make_room: Callable[[], None] = lambda: None,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._shared, self._make_room, self._note = shared, make_room, note
        self._line = NotedLine(shared, note)
        self._keeper = Keeper(self._line, folder)  # type: ignore[arg-type]
        self._keeper._guard = DiskGuard(free=lambda _: 10**12)
        self._asked = 0

    def run(self) -> None:
        """All of it."""
        self._order("create", path="run.h5", configuration=samples.configuration(),
                    card=samples.CARD.to_dict(), paused=False)  # fmt: skip
        for number in range(ROWS):
            self._row(number)
            if number in CHECKPOINTS:
                self._checkpoint(number, CHECKPOINTS[number])
            if number == SAVED_AT:
                self._order("seal", path="", final=False)
                self._promise("saved", number)
        self._checkpoint(ROWS - 1, "stop")
        self._order("seal", path="", final=True)
        self._promise("ended", 1)
        self._keeper.close()

    def _promise(self, what: str, value: int) -> None:
        self._shared[what] = value
        self._note(f"{what} {value}")

    def _order(self, question: str, **arguments: Any) -> None:
        """Ask until it is done, as a person would who reads the sentence."""
        for _ in range(TRIES):
            self._asked += 1
            again = self._asked > 1
            ask = Ask(self._asked, question, arguments | {"overwrite": again})
            self._keeper.on_message("supervisor", ask)
            self._until(lambda: self._asked in self._line.answers, 1000)
            if not self._line.answers[self._asked].error:
                return
            self._make_room()
        error = self._line.answers[self._asked].error
        raise RuntimeError(f"'{question}' is refused for ever: {error}")

    def _row(self, number: int) -> None:
        self._shared["given"] = number
        self._keeper.on_message("trainer", samples.rows(number))
        self._until(lambda: self._shared["stored"] >= number)

    def _checkpoint(self, number: int, reason: str) -> None:
        step = (number + 1) * samples.SLOTS_PER_ROW
        checkpoint = samples.checkpoint(step, number, reason)
        self._keeper.on_message("trainer", checkpoint)
        if reason == "stop":
            self._until(lambda: self._shared["checkpoint"] >= step)

    def _until(self, reached: Callable[[], bool], tries: int = TRIES) -> None:
        """The keeper's cycles until it is so; room is made after a few."""
        for attempt in range(tries):
            self._keeper.cycle()
            if reached():
                if attempt and tries == TRIES:
                    self._shared["waited"] += 1
                return
            if attempt == 2:
                self._make_room()
            if tries > TRIES:  # a thread is at work
                time.sleep(0.0005)
        told = self._line.problems[-3:]
        raise RuntimeError(f"it does not go on by itself; it said {told}")
