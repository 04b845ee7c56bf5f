"""What the keeper does beside its work: questions whose answer takes a while."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.messages import Answer, Ask, Message
from engine.sessions import SessionProblem, open_session
from engine.sessions.forking import fork
from engine.sessions.source import NEWEST

CERTIFY_WITHIN_S = 900.0
ERRANDS = frozenset({"configuration_of", "fork", "certify"})

Deed = Callable[[], dict[str, Any]]
Send = Callable[[str, Message], None]


class Errand:
    """One of them, in a thread of its own."""

    def __init__(self, sender: str, ask: Ask, deed: Deed) -> None:
        self.sender, self._ask, self._deed = sender, ask, deed
        self._result: dict[str, Any] = {}
        self._error = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """There is an answer."""
        return not self._thread.is_alive()

    def answer(self) -> Answer:
        """What came of it."""
        return Answer(self._ask.id, self._result, self._error)

    def _run(self) -> None:
        try:
            self._result = self._deed()
        except SessionProblem as problem:
            self._error = str(problem)
        except OSError as error:
            self._error = f"It could not be done: {error.strerror or error}."
        except Exception as error:
            # A thread that dies in silence would look as if all had gone well.
            sys.stderr.write(traceback.format_exc())
            self._error = f"It failed: {type(error).__name__}: {error}."


class Errands:
    """All that are under way."""

    def __init__(self) -> None:
        self._under_way: list[Errand] = []
        self._certifying: subprocess.Popen[str] | None = None

    def start(self, sender: str, ask: Ask, deed: Deed) -> None:
        """Do it, and answer when it is done."""
        self._under_way.append(Errand(sender, ask, deed))

    def settle(self, send: Send) -> None:
        """Answer what is done."""
        for errand in [it for it in self._under_way if it.is_over]:
            self._under_way.remove(errand)
            send(errand.sender, errand.answer())

    def close(self) -> None:
        """Nothing of ours stays behind."""
        if self._certifying is not None:
            self._certifying.kill()

    def deed(
        self,
        ask: Ask,
        path: Path | None,
        resolve: Callable[[str], Path],
        *,
        live: bool,
    ) -> Deed | None:
        """What a question asks for; None where it is no errand.

        Args:
          ask: The question.
          path: Of the session that is open.
          resolve: The full path of a name.
          live: The session that is open is being written.

        Raises:
          SessionProblem: If it cannot be done now.
          KeyError: If an argument is missing.
        """
        if ask.question not in ERRANDS:
            return None
        arguments = ask.arguments
        if ask.question == "configuration_of":
            wanted = resolve(str(arguments["path"]))
            return lambda: configuration_of(wanted)
        if path is None:
            raise SessionProblem("No session is open.")
        if ask.question == "fork":
            target, step = resolve(str(arguments["target"])), int(arguments["step"])
            overwrite = bool(arguments["overwrite"])
            return lambda: forked(path, target, step, overwrite=overwrite)
        if live:
            raise SessionProblem(
                f"'{path.stem}' is still being written: stop it, and certify it when "
                "it is saved."
            )
        updates = int(arguments["updates"])
        return lambda: self.certify(path, updates)

    def certify(self, path: Path, updates: int) -> dict[str, Any]:
        """The facts of a certificate (``engine.training.certificate``).

        Raises:
          SessionProblem: If it cannot be tried.
        """
        words = ["certify", str(path), "--json", "--updates", str(updates)]
        self._certifying = process = subprocess.Popen(
            [sys.executable, "-m", "engine.command_line", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            out, error = process.communicate(timeout=CERTIFY_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise SessionProblem(
                f"The certificate was not ready within {CERTIFY_WITHIN_S / 60:.0f} "
                "minutes: try it with fewer updates."
            ) from None
        finally:
            self._certifying = None
        if not out.startswith("{"):
            raise SessionProblem(error.strip().removeprefix("rllab: ") or "It ended.")
        return dict(json.loads(out))


def forked(path: Path, target: Path, step: int, *, overwrite: bool) -> dict[str, Any]:
    """A new session from a checkpoint of this one; -1 is the newest.

    Raises:
      SessionProblem: See :func:`engine.sessions.forking.fork`.
    """
    made = fork(path, target, NEWEST if step < 0 else step, overwrite=overwrite)
    return {"path": str(target), **made._asdict()}


def configuration_of(path: Path) -> dict[str, Any]:
    """Of a session that is not open, and how many episodes it has recorded.

    Raises:
      SessionProblem: If it cannot be opened.
    """
    source = open_session(path)
    try:
        recorded = int(np.count_nonzero(source.episodes()["recorded"]))
        return {
            "path": str(path),
            "configuration": source.configuration(),
            "recorded": recorded,
        }
    finally:
        source.close()
