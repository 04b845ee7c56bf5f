"""A session file of a stranger, read by a process under limits."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.contract.codec import MalformedMessage
from engine.contract.messages import Answer, Ask, Checkpoint, EvaluationFinished, Event
from engine.sessions.frames import PipeClosed, read_message, write_message
from engine.sessions.problems import SessionProblem
from engine.sessions.source import NEWEST, CheckpointRow, ResumePoint

ANSWER_S = 30.0


class GuardedFile:
    """As :class:`SessionFile`, but nothing in the file can reach this process.

    The helper is ended when it does not answer within 30 s; every question after
    that raises a :class:`SessionProblem`.
    """

    def __init__(self, path: Path, process: subprocess.Popen[bytes]) -> None:
        self.path, self._process = path, process
        self._number = 0
        self._turn = threading.Lock()

    @classmethod
    def open(cls, path: Path | str, *, timeout_s: float = ANSWER_S) -> GuardedFile:
        """Open a file in a helper process.

        Raises:
          SessionProblem: If it is refused, or the helper ends or hangs.
        """
        path = Path(path)
        command = [sys.executable, "-m", "engine.sessions.reader_process", str(path)]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        found = cls(path, process)
        with ExitStack() as unless_opened:
            unless_opened.callback(found.close)
            found._receive(0, timeout_s)
            unless_opened.pop_all()
        return found

    def close(self) -> None:
        """End the helper."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> GuardedFile:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def ask(self, question: str, timeout_s: float = ANSWER_S, **arguments: Any) -> Any:
        """What the helper answers.

        Raises:
          SessionProblem: If the file cannot answer, or the helper ends or hangs.
        """
        assert self._process.stdin is not None
        with self._turn:
            self._number += 1
            try:
                handle = self._process.stdin.fileno()
                write_message(handle, Ask(self._number, question, arguments))
            except (PipeClosed, ValueError) as error:
                raise self._lost("was closed") from error
            return self._receive(self._number, timeout_s)

    def _receive(self, number: int, timeout_s: float) -> Any:
        assert self._process.stdout is not None
        try:
            found = read_message(self._process.stdout.fileno(), timeout_s)
        except TimeoutError as error:
            self._process.kill()
            raise self._lost(f"took longer than {timeout_s:.0f} s to read") from error
        except (PipeClosed, MalformedMessage) as error:
            self._process.kill()
            raise self._lost("made its reader fail") from error
        if not isinstance(found, Answer) or found.id != number:
            raise self._lost("made its reader fail")
        if found.error:
            raise SessionProblem(found.error, found.result.get("kind", "foreign"))
        return found.result["value"]

    def _lost(self, what: str) -> SessionProblem:
        return SessionProblem(
            f"'{self.path.name}' {what}, so it was not opened. It is damaged, or not "
            "from RL Lab.",
            "foreign",
        )

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
        """See :class:`SessionSource`."""
        return dict(self.ask("views"))

    def series(self) -> list[str]:
        """See :class:`SessionSource`."""
        return list(self.ask("series"))

    def problems(self) -> list[str]:
        """See :class:`SessionSource`."""
        return list(self.ask("problems"))

    def verify(self) -> list[str]:
        """Check everything; one sentence for each problem."""
        return list(self.ask("verify", timeout_s=600.0))

    def history(self, series: str, max_points: int = 0) -> dict[str, np.ndarray]:
        """See :class:`SessionSource`."""
        return dict(self.ask("history", series=series, max_points=max_points))

    def episodes(self) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        return dict(self.ask("episodes"))

    def episode(self, kind: str, index: int) -> dict[str, Any]:
        """See :class:`SessionSource`."""
        return dict(self.ask("episode", kind=kind, index=index))

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


def _environment() -> dict[str, str]:
    """Only what an interpreter needs; libraries that start threads start none."""
    kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    single = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return found | dict.fromkeys(single, "1")
