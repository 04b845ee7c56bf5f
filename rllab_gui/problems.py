"""What is wrong now: one entry for each kind of problem, with a counter."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import msgspec
from PySide6.QtCore import QObject, Signal

from engine.contract.messages import Problem, SessionStatus
from rllab_gui.link import Link
from rllab_gui.titles import with_titles

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]

NOT_KEPT = Problem(
    id="window.settings",
    what="The arrangement of the window and its settings are not kept.",
    why="Their file cannot be written.",
    fix="Make room on the disk, or allow writing to the folder of RL Lab's settings.",
    severity="warning",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A problem and how often it has been reported."""

    problem: Problem
    count: int = 1


class Problems(QObject):
    """All problems that have not been solved or dismissed, and still say something.

    Signals:
      changed(str id): The entry of this id is new, counted up, or gone.
    """

    changed = Signal(str)

    def __init__(self, link: Link, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: dict[str, Entry] = {}
        self._session = SessionStatus()
        link.problemRaised.connect(self.report)
        link.problemSolved.connect(self.solve)
        link.sessionChanged.connect(self._on_session)

    def entries(self) -> tuple[Entry, ...]:
        """Everything that is wrong now, oldest first."""
        return tuple(self._entries.values())

    def get(self, problem_id: str) -> Entry | None:
        """The entry of this id, None where all is well."""
        return self._entries.get(problem_id)

    def report(self, problem: Problem) -> None:
        """Add it, or count it up and take over its newest words."""
        problem = _in_window_words(problem)
        known = self._entries.get(problem.id)
        self._entries[problem.id] = Entry(problem, known.count + 1 if known else 1)
        self.changed.emit(problem.id)

    def solve(self, problem_id: str) -> None:
        """It is over, or the person does not want to see it; unknown ids are fine."""
        if self._entries.pop(problem_id, None) is not None:
            self.changed.emit(problem_id)

    def _on_session(self, session: SessionStatus) -> None:
        """Another one is open, or none: what was said about the last one goes."""
        before, self._session = self._session, session
        if session.is_same(before):
            return
        for entry in self.entries():
            if entry.problem.of_session:
                self.solve(entry.problem.id)

    def report_exception(self, error: BaseException) -> None:
        """Show a mistake of the window itself, with its traceback folded."""
        lines = traceback.format_exception(error)
        self.report(
            Problem(
                id=f"window.exception.{type(error).__name__}",
                what="The window made a mistake.",
                why=f"{type(error).__name__}: {str(error).rstrip('.')}.",
                fix="Training is not affected; please report it with the details.",
                details="".join(lines),
            )
        )


def _in_window_words(problem: Problem) -> Problem:
    """Options by the titles of their rows in the form."""
    parts = {it: with_titles(getattr(problem, it)) for it in ("what", "why", "fix")}
    return msgspec.structs.replace(problem, **parts)


def install_hook(problems: Problems) -> None:
    """Show exceptions that no slot caught, then do what was done before.

    To be called after pyqtgraph is imported: it puts a hook of its own in place.
    """
    before: Hook = sys.excepthook

    def hook(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            problems.report_exception(error)
        before(kind, error, trace)

    sys.excepthook = hook
