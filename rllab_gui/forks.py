"""Forks of the open session: another arm that begins where this one is."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QObject

from engine.contract.messages import Problem
from rllab_gui.link import Link
from rllab_gui.problems import Problems
from rllab_gui.run import Run
from rllab_gui.sessions import Sessions

PROBLEM = "window.fork"
NEWEST = -1


class Forks(QObject):
    """Makes one, says so, and opens it where nothing runs."""

    def __init__(
        self,
        link: Link,
        sessions: Sessions,
        run: Run,
        problems: Problems,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link, self._sessions = link, sessions
        self._run, self._problems = run, problems

    def make(self, path: str, step: int = NEWEST, *, overwrite: bool = False) -> None:
        """A new session at ``path``, from the checkpoint of this step."""
        words = {"target": path, "step": step, "overwrite": overwrite}
        self._link.ask("fork", words, self._on_made, self._on_failed)

    def _on_made(self, made: dict[str, Any]) -> None:
        name = PurePath(str(made["path"])).stem
        text = f"Forked as '{name}' at step {int(made['step']):,}."
        self._tell(f"{text} {made['note']}".strip(), "information")
        self._sessions.refresh()
        if not self._run.active:
            self._sessions.open(str(made["path"]))

    def _on_failed(self, sentence: str) -> None:
        self._tell(sentence, "warning")

    def _tell(self, sentence: str, severity: str) -> None:
        self._problems.solve(PROBLEM)
        self._problems.report(
            Problem(PROBLEM, sentence, severity=severity)  # type: ignore[arg-type]
        )
