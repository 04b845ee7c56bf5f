"""The certificate of exact resume, asked for and shown."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.contract.messages import Problem
from rllab_gui.link import Link
from rllab_gui.problems import Problems

PROBLEM = "window.certificate"
UPDATES = 100
HASH_DIGITS = 12


class Certificate(QObject):
    """One row among the messages: that it is tried, and what came of it.

    Signals:
      changed(): It has begun, or there is an answer.
    """

    changed = Signal()

    def __init__(
        self, link: Link, problems: Problems, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link, self._problems = link, problems
        self.under_way = False

    def ask(self) -> None:
        """Have the open session certified; it is not touched."""
        if self.under_way:
            return
        self.under_way = True
        self._tell(
            f"Certifying: {UPDATES} updates are trained straight, and again through "
            "save and reload."
        )
        words = {"updates": UPDATES}
        self._link.ask("certify", words, self._on_facts, self._on_failed)
        self.changed.emit()

    def _on_facts(self, facts: dict[str, Any]) -> None:
        severity = "information" if facts["exact"] else "warning"
        self._end(str(facts["sentence"]), severity, written(facts))

    def _on_failed(self, sentence: str) -> None:
        self._end(f"Not certified: {sentence}", "warning", "")

    def _end(self, sentence: str, severity: str, details: str) -> None:
        self.under_way = False
        self._tell(sentence, severity, details)
        self.changed.emit()

    def _tell(
        self, sentence: str, severity: str = "information", details: str = ""
    ) -> None:
        self._problems.solve(PROBLEM)  # the words before it are no other problem
        self._problems.report(
            Problem(PROBLEM, sentence, severity=severity, details=details)  # type: ignore[arg-type]
        )


def written(facts: dict[str, Any]) -> str:
    """The parts and their hashes, line by line."""
    lines = [
        f"From step {facts['first']:,}, cut at step {facts['cut']:,} "
        f"({facts['episode_steps']:,} steps into an episode), compared at step "
        f"{facts['last']:,} on {facts['device']}.",
        "",
    ]
    for part in facts["parts"]:
        equal = "equal" if part["equal"] else "DIFFERENT"
        hashes = " ".join(part[it][:HASH_DIGITS] for it in ("straight", "reloaded"))
        lines.append(f"{equal:<10}{hashes}  {part['name']}")
    return "\n".join(lines)
