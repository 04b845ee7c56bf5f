"""What a live store says of itself: whose it is, what it came from, what is sealed."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from pathlib import Path
from typing import Any

from engine.sessions.beside import check_views, drop_beside, find_beside
from engine.sessions.checkpoint_ring import HEAD
from engine.sessions.database import DATABASE
from engine.sessions.durable import DurableWriter
from engine.sessions.live_folder import write_identity
from engine.sessions.problems import SessionProblem
from engine.sessions.store_reader import REPLAY_LOST, StoreReader


class LiveHead(StoreReader):
    """A store that can be written, but for its rows; see :class:`LiveStore`.

    Attributes:
      path: The session file that belongs to it.
    """

    def __init__(
        self, path: Path, folder: Path, connection: sqlite3.Connection
    ) -> None:
        super().__init__(folder, connection)
        self.path = path
        database = folder / DATABASE
        self._writer = DurableWriter(database, connection, path.stem, self._renewed)

    def set_views(self, views: dict[str, Any]) -> None:
        """Keep what the window wants to find again.

        Raises:
          SessionProblem: If it is too large, or cannot be written.
        """
        check_views(views)
        self._writer.change(lambda: self._writer.put("views", views))

    def take_notes_beside(self) -> None:
        """Take in what was kept beside the file while it was only looked at, once.

        Raises:
          SessionProblem: If the store cannot be changed.
        """
        try:
            views, crc = find_beside(self.path, str(self.meta("uuid")))
        except SessionProblem as problem:  # the run is worth more than the notes
            self.tell(str(problem).rstrip("."))
            return
        if crc == -1:
            return
        if crc != self.meta("notes_taken", -1):
            everything = self.views() | views

            def put() -> None:
                self._writer.put("views", everything)
                self._writer.put("notes_taken", crc)

            self._writer.change(put)
        drop_beside(self.path)

    def set_offline_source(self, path: str) -> None:
        """The session that this run learns from; shared files never hold a path."""
        self._writer.change(lambda: self._writer.put("offline_source", path))

    @property
    def offline_source(self) -> str:
        """As it was set, else the session of that name beside this one; or empty."""
        name = json.loads(self.configuration())["training"].get("offline", "")
        if not name:
            return ""
        return str(self.meta("offline_source", "") or self.path.parent / name)

    @property
    def replay_given_up(self) -> bool:
        """Whether :meth:`forget_replay` has been called."""
        return bool(self.meta(REPLAY_LOST, False))

    def become_fork(self) -> None:
        """From now on another session, whose parent is the one that this was."""
        parent = str(self.meta("uuid"))
        own = {"uuid": uuid.uuid4().hex, "parent_uuid": parent, "created": time.time()}

        def put() -> None:
            for name, value in own.items():
                self._writer.put(name, value)

        self._writer.change(put)
        self._keep_identity()

    def mark_sealed(self, revision: int) -> None:
        """The session file holds everything up to this revision."""
        sealed = {"time": time.time(), "revision": revision}
        self._writer.change(lambda: self._writer.put("sealed", sealed), counts=False)

    @property
    def revision(self) -> int:
        """Counts up with every change of the store."""
        return self._writer.revision

    @property
    def disk_full(self) -> bool:
        """From the first write that found no room until there is room again."""
        return self._writer.disk_full

    @property
    def is_sealed(self) -> bool:
        """Whether the session file holds everything that is durable here."""
        sealed = self.meta("sealed", {})
        known = isinstance(sealed, dict) and sealed.get("revision") == self.revision
        return known and self.path.is_file()

    # ------------------------------------------------------------- insides

    def _keep_identity(self) -> None:
        """What a repair needs to know, beside the database."""
        write_identity(self.folder, {name: self.meta(name) for name in HEAD})

    def _renewed(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
