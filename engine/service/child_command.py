"""A command of ``rllab`` in a process of its own, which can be given up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import Any

from engine.sessions import SessionProblem

Tell = Callable[[float, str], None]


class ChildCommand:
    """Runs once, in the thread that calls :meth:`run`.

    Args:
      words: After ``rllab``; with ``--json`` among them.
      within_s: After that it is ended.
      tell: Is told how far it is, 0 to 1, and what it does.
    """

    def __init__(
        self, words: Sequence[str], within_s: float, tell: Tell | None = None
    ) -> None:
        self._words, self._within_s = list(words), within_s
        self._tell = tell or (lambda fraction, text: None)
        self._process: subprocess.Popen[str] | None = None
        self._turn = threading.Lock()
        self._given_up = self._late = False

    def run(self) -> dict[str, Any]:
        """What it prints.

        Raises:
          SessionProblem: With its own sentence, or because it was ended.
        """
        with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
            sentence = self._to_its_end(out)
            out.seek(0)
            text = out.read()
        if text.startswith("{"):
            return dict(json.loads(text))
        if self._late:
            minutes = f"{self._within_s / 60:.0f} minutes"
            raise SessionProblem(f"It was not ready within {minutes}: try less of it.")
        raise SessionProblem(sentence or "It was given up.")

    def kill(self) -> None:
        """End it; nothing is started any more."""
        with self._turn:
            self._given_up = True
            if self._process is not None:
                self._process.kill()

    def _to_its_end(self, out: Any) -> str:
        """Run it; the last that it said but for its progress."""
        with self._turn:
            if self._given_up:
                return ""
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "engine.command_line", *self._words],
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | {"RLLAB_PROGRESS": "lines"},
            )
        timer = threading.Timer(self._within_s, self._on_late)
        timer.start()
        try:
            return self._listen(process)
        finally:
            timer.cancel()
            process.wait()

    def _listen(self, process: subprocess.Popen[str]) -> str:
        sentence = ""
        assert process.stderr is not None
        with process.stderr as said:
            for line in said:
                fraction, _, text = line.strip().partition(" ")
                if fraction.replace(".", "", 1).isdigit():
                    self._tell(float(fraction), text)
                elif line.startswith("rllab: "):
                    sentence = line.strip().removeprefix("rllab: ")
        return sentence

    def _on_late(self) -> None:
        self._late = True
        self.kill()
