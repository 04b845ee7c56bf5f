"""Opening, saving and finding sessions; the engine does the work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.contract.messages import (
    CloseSession,
    DiscardSession,
    OpenSession,
    SaveSession,
)
from rllab_gui.link import Link
from rllab_gui.run import Run
from rllab_gui.store import Store

SUFFIX = ".h5"


@dataclass(frozen=True, slots=True)
class RecentSession:
    """A session in the sessions folder.

    Attributes:
      live: A crash left its live store: it can be recovered.
    """

    name: str
    path: str
    size: int
    modified: float
    live: bool


class Sessions(QObject):
    """What can be done with sessions.

    Signals:
      recentChanged(): The list of recent sessions is another.
      saved(str path): The session file has been written.
    """

    recentChanged = Signal()
    saved = Signal(str)

    def __init__(
        self, link: Link, store: Store, run: Run, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link, self._store, self._run = link, store, run
        self._sealed_at = 0.0
        self._path = ""
        self.recent: tuple[RecentSession, ...] = ()
        store.sessionChanged.connect(self._on_session)

    @property
    def path(self) -> str:
        """File of the open session; empty where none is open."""
        return self._store.session.path

    @property
    def is_open(self) -> bool:
        """Whether a session is open, live or looked back at."""
        return bool(self._store.session.uuid)

    @property
    def can_continue(self) -> bool:
        """Whether the open session's run can go on."""
        session = self._store.session
        return self.is_open and not session.live and self._run.can("start")

    @property
    def can_be_certified(self) -> bool:
        """Whether its run could go on from the file, which has to be there."""
        return self.can_continue and not self._store.session.unwritten

    def open(self, path: str) -> None:
        """Look back into a session file."""
        self._link.send(OpenSession(path))

    def close(self) -> None:
        """Let go of the open session."""
        self._link.send(CloseSession())

    def save(self, path: str = "", *, overwrite: bool = False) -> None:
        """Write the session file now; empty takes its own name."""
        self._link.send(SaveSession(path, overwrite))

    def continue_run(self) -> None:
        """Go on training the open session."""
        if self.can_continue:
            self._run.continue_session(self.path, self._further_steps())

    def _further_steps(self) -> int:
        budget = self._store.options_at().training.steps
        return self._run.further_steps(self._store.session.durable_step, budget)

    def rewind(self) -> None:
        """Go on from its newest checkpoint, with a tenth of the learning rate."""
        if self.can_continue:
            self._run.rewind(self.path, self._further_steps())

    def halve_batch(self) -> None:
        """Go on from its newest checkpoint, with half the batch size."""
        if self.can_continue:
            self._run.halve_batch(self.path, self._further_steps())

    def recover(self, path: str) -> None:
        """Go on with a session that a crash interrupted."""
        self._run.continue_session(path)

    def discard(self, path: str) -> None:
        """Remove what a crash left of this session."""
        self._link.send(DiscardSession(path))
        self.recent = tuple(it for it in self.recent if it.path != path)
        self.recentChanged.emit()

    def interrupted(self) -> tuple[RecentSession, ...]:
        """Sessions that a crash interrupted, other than the one that runs."""
        return tuple(it for it in self.recent if it.live and it.path != self.path)

    def refresh(self) -> None:
        """Ask for the list of recent sessions."""
        self._link.ask("recent", {}, self._on_recent, lambda sentence: None)

    def _on_recent(self, result: dict[str, Any]) -> None:
        self.recent = tuple(
            RecentSession(
                name=str(row["name"]),
                path=str(row["path"]),
                size=int(row.get("size", 0)),
                modified=float(row.get("modified", 0.0)),
                live=bool(row.get("live", False)),
            )
            for row in result.get("rows", ())
        )
        self.recentChanged.emit()

    def _on_session(self) -> None:
        session = self._store.session
        another = session.path != self._path
        if session.sealed_at != self._sealed_at and session.sealed_at and not another:
            self.saved.emit(session.path)
        if another or session.sealed_at != self._sealed_at:
            self._sealed_at, self._path = session.sealed_at, session.path
            self.refresh()


def dropped_session(paths: list[str]) -> tuple[str, str]:
    """The session among dropped files, and else the reason why there is none."""
    if len(paths) != 1:
        return "", "Drop one session file at a time."
    path = Path(paths[0])
    if path.suffix.lower() != SUFFIX:
        return "", f"'{path.name}' is no session: session files end with {SUFFIX}."
    return str(path), ""
