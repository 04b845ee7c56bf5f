"""Where a person was in each session, so that it opens there again."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import msgspec
from PySide6.QtCore import QObject, QTimer

from engine.contract.notes import Place
from rllab_gui.cursor import Cursor, Position
from rllab_gui.notes import Notes
from rllab_gui.settings import Settings
from rllab_gui.store import Store

REST_MS = 2_000
MOST_SESSIONS = 200
_NAME = "places"


class Whereabouts(QObject):
    """Remembers the place that the cursor rests at, by session.

    On this machine always; in the session itself where that is written anyway: that of
    a run, or with notes. Merely to look at somebody's file does not change it.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        cursor: Cursor,
        notes: Notes,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings, self._store = settings, store
        self._cursor, self._notes = cursor, notes
        self._now: tuple[str, Place] | None = None
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.keep)
        cursor.changed.connect(self._on_cursor)

    def of(self, uuid: str) -> Place | None:
        """Where this person was in a session, else who left the file; or None."""
        with suppress(msgspec.ValidationError):
            if uuid in (known := self._known()):
                return msgspec.convert(known[uuid], Place)
        return self._notes.place if uuid == self._store.session.uuid else None

    def keep(self) -> None:
        """Remember the last place now: the session or the window is left."""
        self._rest.stop()
        if self._now is None:
            return
        (uuid, place), self._now = self._now, None
        known = self._known()
        known.pop(uuid, None)
        known[uuid] = msgspec.to_builtins(place)
        newest = list(known.items())[-MOST_SESSIONS:]
        self._settings.set(_NAME, json.dumps(dict(newest)))
        if uuid == self._store.session.uuid:
            self._notes.set_place(place, keep=self._store.session.live)

    def _on_cursor(self, position: Position) -> None:
        if self._now is not None and self._now[0] != self._store.session.uuid:
            self.keep()
        # While another session is being opened, the cursor lets go of the old one.
        open_still = position.session and position.session == self._store.session.uuid
        recorded = position.episode >= 0 and not position.branch
        if open_still and recorded and self._cursor.mode != "following":
            place = Place(
                "evaluation" if position.kind == "evaluation" else "training",
                position.episode,
                position.t,
                position.checkpoint,
            )
            self._now = position.session, place
            self._rest.start()

    def _known(self) -> dict[str, Any]:
        """What is remembered; a value that somebody has damaged counts as nothing."""
        try:
            found = json.loads(self._settings.text(_NAME, "{}"))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}
