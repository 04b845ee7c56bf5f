"""Noting what is at the cursor: a bookmark, the way to the next one, a loop."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from engine.contract.notes import Bookmark, Kind, LoopRange
from rllab_gui.cursor import Cursor
from rllab_gui.episode import ShownEpisode
from rllab_gui.notes import Notes


class Noting(QObject):
    """Joins the notes of the session and the cursor.

    Signals:
      noteWanted(str): The person wants to write the note of this bookmark now.
    """

    noteWanted = Signal(str)

    def __init__(
        self,
        cursor: Cursor,
        episode: ShownEpisode,
        notes: Notes,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._cursor, self._episode, self._notes = cursor, episode, notes
        episode.changed.connect(self._take_loop)
        notes.changed.connect(self._take_loop)

    @property
    def possible(self) -> bool:
        """Whether there is a recorded step at the cursor that can be marked."""
        position = self._cursor.position
        return position.episode >= 0 and not position.branch

    def mark(self) -> None:
        """Bookmark the step at the cursor, and write its note."""
        if not self.possible:
            return
        self._cursor.set_mode("paused")
        made = self._notes.add_bookmark(self._cursor.position)
        if made is not None:
            self.noteWanted.emit(made.id)

    def go_to(self, bookmark: Bookmark) -> None:
        """Look at a marked moment, judged as it was when it was marked."""
        self._cursor.show_episode(
            bookmark.kind,
            bookmark.episode,
            t=bookmark.t,
            checkpoint=bookmark.checkpoint,
        )

    def go(self, by: int) -> None:
        """To the next or previous bookmark, also in another episode."""
        position = self._cursor.position
        here = (position.kind, position.episode, position.t)
        ahead = [it for it in self._notes.bookmarks if (_place(it) > here) == (by > 0)]
        ahead = [it for it in ahead if _place(it) != here]
        if ahead:
            self.go_to(ahead[0] if by > 0 else ahead[-1])

    # ------------------------------------------------------------------- loops

    def keep_loop(self) -> None:
        """The person has selected steps, or none: so it is kept for this episode."""
        position, chosen = self._cursor.position, self._cursor.selection
        if not self.possible:
            return
        if chosen is None:
            self._notes.delete_loop(position.kind, position.episode)
            return
        kind: Kind = "evaluation" if position.kind == "evaluation" else "training"
        self._notes.set_loop(LoopRange(kind, position.episode, *chosen))

    def _take_loop(self) -> None:
        """Select what is kept for the episode that is shown."""
        data, position = self._episode.data, self._cursor.position
        if data is None:
            return
        found = self._notes.loop_of(position.kind, position.episode)
        chosen = None
        if found is not None and self.possible and found.first < data.steps:
            chosen = (found.first, min(found.last, data.steps))
        if chosen != self._cursor.selection:
            self._cursor.select(chosen)


def _place(bookmark: Bookmark) -> tuple[str, int, int]:
    return bookmark.kind, bookmark.episode, bookmark.t
