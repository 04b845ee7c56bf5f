"""A session file of a stranger, read by a process under limits."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.contract.messages import Checkpoint, EvaluationFinished, Event
from engine.sessions.beside import find_beside, put_beside
from engine.sessions.problems import SessionProblem
from engine.sessions.reader import ANSWER_S, Reader
from engine.sessions.source import NEWEST, CheckpointRow, ResumePoint

VERIFY_S = 600.0


class GuardedFile:
    """As :class:`SessionFile`, but nothing in the file can reach this process.

    The reader is ended when it does not answer within 30 s; every question after
    that raises a :class:`SessionProblem`.
    """

    def __init__(self, path: Path, reader: Reader) -> None:
        self.path, self._reader = path, reader
        self._damage: list[str] = []
        self._newer: dict[str, Any] = {}

    @classmethod
    def open(cls, path: Path | str, *, timeout_s: float = ANSWER_S) -> GuardedFile:
        """Open a file in a reader process.

        Raises:
          SessionProblem: If it is refused, or the reader ends or hangs.
        """
        path = Path(path)
        reader = Reader(path.name, [str(path.absolute())])
        with ExitStack() as unless_opened:
            unless_opened.callback(reader.close)
            reader.receive(0, timeout_s)
            unless_opened.pop_all()
        return cls(path, reader)

    def close(self) -> None:
        """End the reader."""
        self._reader.close()

    def __enter__(self) -> GuardedFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def ask(self, question: str, timeout_s: float = ANSWER_S, **arguments: Any) -> Any:
        """What the reader answers.

        Raises:
          SessionProblem: If the file cannot answer, or the reader ends or hangs.
        """
        return self._reader.ask(question, timeout_s, **arguments)

    # ------------------------------------------------------------- questions

    def summary(self) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        return dict(self.ask("summary"))

    def configuration(self) -> str:
        """See :class:`SessionSource`."""
        return str(self.ask("configuration"))

    def card(self) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        return dict(self.ask("card"))

    def views(self) -> dict[str, Any]:
        """See :class:`SessionSource`; what lies beside the file is newer."""
        self.has_notes_beside()
        return dict(self.ask("views")) | self._newer

    def keep_views(self, views: dict[str, Any]) -> None:
        """Keep what the window wants to find again, beside the file.

        Raises:
          SessionProblem: If it is too large, or the folder cannot be written.
        """
        put_beside(self.path, self._uuid(), views)

    def has_notes_beside(self) -> bool:
        """Whether something is kept beside the file that is not in it yet."""
        try:
            views, crc = find_beside(self.path, self._uuid())
        except SessionProblem as problem:
            self._damage = [str(problem)]
            return False
        if crc != -1:  # also when they have gone into a file that took this one's place
            self._newer = views
        return crc != -1

    def _uuid(self) -> str:
        return str(self.summary()["uuid"])

    def series(self) -> list[str]:
        """See :class:`SessionSource`."""
        return list(self.ask("series"))

    def problems(self) -> list[str]:
        """See :class:`SessionSource`."""
        return [*self.ask("problems"), *self._damage]

    def verify(self) -> list[str]:
        """Check everything; one sentence for each problem."""
        return list(self.ask("verify", timeout_s=VERIFY_S))

    def history(self, series: str, max_points: int = 0) -> dict[str, np.ndarray]:
        """See :class:`SessionSource`."""
        return dict(self.ask("history", series=series, max_points=max_points))

    def episodes(self) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        return dict(self.ask("episodes"))

    def episode(self, kind: str, index: int, *, frames: bool = True) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        return dict(self.ask("episode", kind=kind, index=index, frames=frames))

    def frames(self, kind: str, index: int, first: int, end: int) -> np.ndarray:
        """See :class:`SessionSource`."""
        found = self.ask("frames", kind=kind, index=index, first=first, end=end)
        return np.asarray(found)

    def events(self) -> list[Event]:
        """See :class:`SessionSource`."""
        return [msgspec.convert(it, Event) for it in self.ask("events")]

    def checkpoints(self) -> list[CheckpointRow]:
        """See :class:`SessionSource`."""
        return [CheckpointRow(**it) for it in self.ask("checkpoints")]

    def checkpoint(self, step: int = NEWEST) -> Checkpoint:
        """See :class:`SessionSource`."""
        return Checkpoint(**self.ask("checkpoint", step=step))

    def evaluations(self) -> list[EvaluationFinished]:
        """See :class:`SessionSource`."""
        return [EvaluationFinished(**it) for it in self.ask("evaluations")]

    def resume_point(self) -> ResumePoint:
        """See :class:`SessionSource`."""
        found = self.ask("resume_point")
        return ResumePoint(
            **(found | {"checkpoint": Checkpoint(**found["checkpoint"])})
        )

    # ------------------------------------------- for a live store made from it

    def is_newer(self) -> bool:
        """Whether a later version of the lab wrote it; it is only read then."""
        return bool(self.ask("is_newer"))

    def progress(self) -> dict[str, tuple[int, int]]:
        """For each source the number and the step of its last row."""
        found = self.ask("progress")
        return {source: (n, step) for source, (n, step) in found.items()}

    def series_lines(self, series: str) -> dict[str, np.ndarray]:
        """All lines of a series, with the rows that brought them."""
        return dict(self.ask("series_lines", series=series))

    def finished_lines(self) -> dict[str, np.ndarray]:
        """The columns of all finished episodes as they came."""
        return dict(self.ask("finished_lines"))

    def numbered_events(self) -> list[tuple[int, Event]]:
        """Events with the row that brought each, negative for none."""
        found = self.ask("numbered_events")
        return [(row, msgspec.convert(it, Event)) for row, it in found]

    def recorded_keys(self) -> list[tuple[str, int]]:
        """Kind and number of every recorded episode, in the order of the file."""
        return [(kind, number) for kind, number in self.ask("recorded_keys")]

    def episode_row(self, kind: str, index: int) -> int:
        """The row that brought a recorded episode."""
        return int(self.ask("episode_row", kind=kind, index=index))

    def checkpoint_of(self, row: CheckpointRow) -> Checkpoint:
        """The checkpoint of an entry in the list."""
        return Checkpoint(**self.ask("checkpoint_of", row=row._asdict()))

    def replay_count(self) -> int:
        """Lines of the replay memory of the newest checkpoint; 0 where it is not in."""
        return int(self.ask("replay_count"))

    def replay_lines(self, first: int, end: int) -> dict[str, np.ndarray]:
        """So many of them, as they are loaded back into the memory."""
        return dict(self.ask("replay_lines", first=first, end=end))
