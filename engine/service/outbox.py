"""What the trainer has told the keeper and the keeper has not yet made durable."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from engine.contract.codec import encode
from engine.contract.messages import (
    Checkpoint,
    CheckpointStored,
    Message,
    Rows,
    RowsStored,
)
from engine.service.transport import Line

KEEPER = "keeper"
MOST_BYTES = 256 * 2**20
MOST_MESSAGES = 4_000
"""Beyond either the run has to wait for the keeper."""


@dataclass(frozen=True, slots=True)
class _Kept:
    frames: list[Any]
    size: int
    row: int
    step: int
    reason: str

    def is_settled_by(self, stored: RowsStored | CheckpointStored) -> bool:
        """Whether the keeper's word covers it."""
        if isinstance(stored, RowsStored):
            return not self.reason and self.row <= stored.number
        return (self.step, self.reason) == (stored.step, stored.reason)


class Outbox:
    """Sends rows and checkpoints in order, and again to a restarted keeper.

    Attributes:
      next_row: Number of the next rows.
      bytes: Of what is kept until it is durable.
      sent_bytes: Of everything that was handed over so far.
    """

    def __init__(self, line: Line, first_row: int) -> None:
        self._line = line
        self._kept: deque[_Kept] = deque()
        self.bytes = 0
        self.next_row = first_row
        self.sent_bytes = 0

    @property
    def is_full(self) -> bool:
        """The keeper is so far behind that nothing more should be produced."""
        return self.bytes > MOST_BYTES or len(self._kept) > MOST_MESSAGES

    @property
    def is_eased(self) -> bool:
        """After having been full: there is room again."""
        return self.bytes < MOST_BYTES // 2 and len(self._kept) < MOST_MESSAGES // 2

    def send_rows(self, rows: Rows) -> None:
        """Send numbered rows; ``rows.number`` is ``next_row``."""
        self.next_row = rows.number + 1
        self._send(rows, rows.number, rows.step, "")

    def send_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Send a checkpoint."""
        row, step = checkpoint.rows, checkpoint.step
        self._send(checkpoint, row, step, checkpoint.reason)

    def settle(self, stored: RowsStored | CheckpointStored) -> None:
        """Forget what is durable now."""
        kept = [it for it in self._kept if not it.is_settled_by(stored)]
        self._kept = deque(kept)
        self.bytes = sum(it.size for it in kept)

    def send_again(self) -> None:
        """Everything that is not durable, in its order, to a restarted keeper."""
        for kept in self._kept:
            self._line.send_frames(KEEPER, kept.frames)

    def _send(self, message: Message, row: int, step: int, reason: str) -> None:
        frames = encode(message)
        size = sum(len(frame) for frame in frames)
        self._kept.append(_Kept(frames, size, row, step, reason))
        self.bytes += size
        self.sent_bytes += size
        self._line.send_frames(KEEPER, frames)
