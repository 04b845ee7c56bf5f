"""The other end of a reader process: how it is started, asked and ended."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from engine.contract.codec import MalformedMessage
from engine.contract.messages import Answer, Ask
from engine.sessions.frames import PipeClosed, read_message, write_message
from engine.sessions.problems import SessionProblem

ANSWER_S = 30.0
HEAD_S = 5.0
_HEADS_AT_ONCE = 100
_MODULE = "engine.sessions.reader_process"


class Reader:
    """A process of its own that reads; see :mod:`engine.sessions.reader_process`.

    It is ended when it does not answer in time; every question after that raises a
    :class:`SessionProblem`.

    Args:
      name: What messages call the file.
      words: Its command line.
      module: What it runs.

    Attributes:
      is_lost: It has ended or hung, and was ended; nobody answers any more.
    """

    def __init__(self, name: str, words: Sequence[str], module: str = _MODULE) -> None:
        self.name, self._number = name, 0
        self._turn = threading.Lock()
        self.is_lost = False
        # Not -m from where we stand: a module that lies beside a file is not ours.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def ask(self, question: str, timeout_s: float, **arguments: Any) -> Any:
        """What it answers.

        Raises:
          SessionProblem: If the file cannot answer, or the process ends or hangs.
        """
        assert self._process.stdin is not None
        with self._turn:
            self._number += 1
            try:
                handle = self._process.stdin.fileno()
                write_message(handle, Ask(self._number, question, arguments))
            except (PipeClosed, ValueError) as error:
                raise self._lost("was closed") from error
            return self.receive(self._number, timeout_s)

    def receive(self, number: int, timeout_s: float) -> Any:
        """The answer of this number; see :meth:`ask`."""
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
        self.is_lost = True
        return SessionProblem(
            f"'{self.name}' {what}, so it was not opened. It is damaged, or not "
            "from RL Lab.",
            "foreign",
        )


def read_heads(paths: Sequence[Path]) -> dict[Path, int | SessionProblem]:
    """Of each session file its steps, or why it cannot be opened.

    One process reads many; after a file that ends it another goes on with the rest.
    """
    found: dict[Path, int | SessionProblem] = {}
    while left := [it for it in paths if it not in found][:_HEADS_AT_ONCE]:
        with Reader("", ["--heads", *map(_absolute, left)]) as reader:
            for number, path in enumerate(left):
                reader.name = path.name
                try:
                    found[path] = int(reader.receive(number, HEAD_S))
                except SessionProblem as problem:
                    found[path] = problem
                if reader.is_lost:
                    break
    return found


def _absolute(path: Path) -> str:
    """No name that begins with a dash."""
    return str(path.absolute())


def _environment() -> dict[str, str]:
    """Only what an interpreter needs; libraries that start threads start none."""
    kept = ("PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    single = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    return found | dict.fromkeys(single, "1")
