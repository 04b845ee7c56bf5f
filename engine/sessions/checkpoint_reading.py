"""Who reads the checkpoints of a live store.

What this process has written it reads itself. All else may be a stranger's, also where
it lies in a folder that looks like ours: a process under limits reads it, as it does
with session files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from engine.contract.messages import Checkpoint
from engine.sessions.checkpoint_files import (
    check_state,
    checkpoint_numbers,
    checkpoint_path,
    is_own,
    open_sealed,
    read_checkpoint_file,
    read_row_file,
)
from engine.sessions.problems import SessionProblem
from engine.sessions.reader import ANSWER_S, Reader
from engine.sessions.source import CheckpointRow

AT_ONCE = 100
"""So many files at most are open in the process."""
MOST_LOST = 3
"""Where so many have ended their reader, no other of the folder is tried."""


class CheckpointReading:
    """The checkpoints in a folder; the process is started when it is needed.

    Args:
      folder: ``NAME.live``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader: Reader | None = None
        self._numbers: list[int] = []
        self._lost = 0

    def is_own(self, number: int) -> bool:
        """Whether this process wrote it."""
        return is_own(checkpoint_path(self._folder, number))

    def checkpoint(self, number: int) -> tuple[Checkpoint, dict[str, Any]]:
        """A checkpoint and its head, verified.

        Raises:
          SessionProblem: If it is missing, damaged or no checkpoint.
        """
        path = checkpoint_path(self._folder, number)
        if self.is_own(number):
            with open_sealed(path) as file:
                return read_checkpoint_file(file, path.name)
        found = self._ask("checkpoint", number)
        checkpoint = Checkpoint(**found["checkpoint"])
        check_state(checkpoint)
        return checkpoint, dict(found["head"])

    def row(self, number: int) -> CheckpointRow:
        """Its entry for the list; raises as :meth:`checkpoint`."""
        path = checkpoint_path(self._folder, number)
        if self.is_own(number):
            with open_sealed(path) as file:
                return read_row_file(file, path.name)
        return CheckpointRow(**self._ask("row", number))

    def close(self) -> None:
        """End the process."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _ask(self, question: str, number: int) -> Any:
        """From the process; one that the file has ended is no more asked."""
        name = checkpoint_path(self._folder, number).name
        if self._lost >= MOST_LOST:
            raise SessionProblem(
                f"'{name}' was not read: {MOST_LOST} others in its folder have made "
                "their reader fail.",
                "foreign",
            )
        reader = self._reader_of(number)
        reader.name = name
        try:
            return reader.ask(question, ANSWER_S, at=self._numbers.index(number))
        except SessionProblem:
            if reader.is_lost:
                self._lost += 1
                self.close()
            raise

    def _reader_of(self, number: int) -> Reader:
        if self._reader is not None and number in self._numbers:
            return self._reader
        self.close()
        others = [
            it
            for it in checkpoint_numbers(self._folder)
            if it != number and not self.is_own(it)
        ]
        self._numbers = [number, *reversed(others)][:AT_ONCE]
        paths = [checkpoint_path(self._folder, it) for it in self._numbers]
        words = ["--checkpoints", *(str(it.absolute()) for it in paths)]
        self._reader = Reader(paths[0].name, words)
        return self._reader
