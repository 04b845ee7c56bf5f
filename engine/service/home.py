"""Where the engine keeps its connection file, its logs and new sessions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from pathlib import Path

import platformdirs

from engine.contract.options import Configuration

_REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one engine.

    Attributes:
      runtime: Connection file and lock; only the user may look inside.
      logs: What the processes write to stderr, capped.
      sessions: Where a new session goes that was given no path.
    """

    runtime: Path
    logs: Path
    sessions: Path

    @property
    def connection_file(self) -> Path:
        """How to reach the engine, written by the supervisor once it listens."""
        return self.runtime / "engine.json"

    @property
    def processes_file(self) -> Path:
        """The same for its own processes, who need it until the very end."""
        return self.runtime / "processes.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one supervisor of this home for as long as it lives."""
        return self.runtime / "engine.lock"

    def new_session(self, configuration: Configuration) -> str:
        """The path of a session that begins now: its environment and the time."""
        name = configuration.environment.id.rsplit("/", 1)[-1].lower()
        return str(self.dated_session(name))

    def dated_session(self, name: str) -> Path:
        """A path of this name and the time at which nothing is yet."""
        stem = f"{name}-{datetime.now():%Y-%m-%d-%H%M%S}"
        # Who begins twice within a second has two of them.
        names = chain([stem], (f"{stem}-{number}" for number in count(2)))
        taken = {it.stem for it in self.sessions.glob("*-*")}
        return self.sessions / f"{next(it for it in names if it not in taken)}.h5"

    def prepare(self) -> None:
        """Make the folders; the runtime one is closed to other users."""
        self.runtime.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.logs.mkdir(parents=True, exist_ok=True)


def find_home(explicit: str | Path | None = None) -> Home:
    """The given folder, else ``RLLAB_HOME``, else the places of this system."""
    named = explicit or os.environ.get("RLLAB_HOME")
    if named:
        root = Path(named).expanduser().resolve()
        return Home(root, root / "logs", root / "sessions")
    return Home(
        platformdirs.user_runtime_path("rllab", appauthor=False),
        platformdirs.user_log_path("rllab", appauthor=False),
        _default_sessions(),
    )


def _default_sessions() -> Path:
    if (_REPOSITORY / "pyproject.toml").exists():
        return _REPOSITORY / "sessions"
    return platformdirs.user_documents_path() / "RL Lab"


def compiled_folder() -> Path:
    """Where compiled updates are kept for the next run with the same options."""
    named = os.environ.get("RLLAB_HOME")
    if named:
        return Path(named).expanduser().resolve() / "compiled"
    return platformdirs.user_cache_path("rllab", appauthor=False) / "compiled"
