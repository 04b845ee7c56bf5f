"""Files for other programs, and data sets from them; the engine does the work."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.contract.exports import EXPORTS
from engine.contract.messages import Problem
from rllab_gui.cursor import Position
from rllab_gui.link import Link
from rllab_gui.problems import Problems
from rllab_gui.run import Run
from rllab_gui.sessions import Sessions

PROBLEM = "window.exchange"


class Exchange(QObject):
    """One export or import at a time; what came of it is a row among the messages.

    Signals:
      changed(): It has begun, or there is an answer.
    """

    changed = Signal()

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
        self._under_way = -1

    @property
    def busy(self) -> bool:
        """Something is being written."""
        return self._under_way >= 0

    def write(self, name: str, path: str, shown: Position) -> None:
        """Export the open session; ``shown`` says which episode where it is of one."""
        words: dict[str, Any] = {"name": name, "path": path}
        if EXPORTS[name].of == "episode":
            words |= {"kind": shown.kind, "episode": shown.episode}
        self._begin("export", words)

    def take(self, path: str) -> None:
        """Make a session of a data set."""
        self._begin("import", {"path": path})

    def cancel(self) -> None:
        """Give it up; nothing of it stays."""
        self._link.cancel(self._under_way)
        self._end()

    def _begin(self, question: str, words: dict[str, Any]) -> None:
        self._problems.solve(PROBLEM)
        done = self._on_written if question == "export" else self._on_taken
        self._under_way = self._link.ask(question, words, done, self._on_refused)
        self.changed.emit()

    def _end(self) -> None:
        self._under_way = -1
        self.changed.emit()

    def _on_written(self, facts: dict[str, Any]) -> None:
        self._end()
        parts = [
            f"Exported as '{PurePath(str(facts['file'])).name}': {facts['holds']}."
        ]
        if "checked" in facts:
            parts.append(f"Checked: {facts['checked']}.")
        self._tell(" ".join(parts), "information")

    def _on_taken(self, facts: dict[str, Any]) -> None:
        self._end()
        path = str(facts["session"])
        count = f"{int(facts['episodes']):,} episodes of {facts['environment']}"
        self._tell(f"Imported as '{PurePath(path).stem}': {count}.", "information")
        self._sessions.refresh()
        if not self._run.active:
            self._sessions.open(path)

    def _on_refused(self, sentence: str) -> None:
        self._end()
        self._tell(sentence, "warning")

    def _tell(self, sentence: str, severity: str) -> None:
        self._problems.report(
            Problem(PROBLEM, sentence, severity=severity)  # type: ignore[arg-type]
        )
