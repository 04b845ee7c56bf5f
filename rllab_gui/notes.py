"""What a person leaves in the open session: bookmarks, loop ranges, branches."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from engine.contract.messages import Problem, ProcessState
from engine.contract.notes import (
    MOST_NOTES,
    MOST_WORDS,
    Bookmark,
    Branch,
    LoopRange,
    Place,
    notes_from,
    place_from,
)
from engine.contract.notes import Notes as Kept
from rllab_gui.cursor import Position
from rllab_gui.history import Deed, History
from rllab_gui.link import Link
from rllab_gui.problems import Problems
from rllab_gui.store import Store

PROBLEM = "window.notes"


def new_id() -> str:
    """Names a bookmark or a branch."""
    return uuid.uuid4().hex[:12]


class Notes(QObject):
    """The notes of the open session; every change can be undone and is kept at once.

    Attributes:
      kept: All of them; another object after each change.
      place: Where somebody was when they left the session; None where nobody knows.

    Signals:
      changed(): There are others.
    """

    changed = Signal()

    def __init__(
        self,
        link: Link,
        store: Store,
        history: History,
        problems: Problems,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link, self._store = link, store
        self._history, self._problems = history, problems
        self._uuid = ""
        self._loaded = self._under_way = self._waiting = self._fetching = False
        self.kept = Kept()
        self.place: Place | None = None
        store.wasReset.connect(self._on_session)
        store.sessionChanged.connect(self._try_again)
        link.processChanged.connect(self._on_process)

    @property
    def bookmarks(self) -> list[Bookmark]:
        """By kind, episode and step."""
        return sorted(self.kept.bookmarks, key=lambda it: (it.kind, it.episode, it.t))

    def bookmarks_of(self, kind: str, episode: int) -> list[Bookmark]:
        """Those of one episode, by step."""
        own = (kind, episode)
        return [it for it in self.bookmarks if (it.kind, it.episode) == own]

    def branches_of(self, kind: str, episode: int) -> list[Branch]:
        """Those that leave one episode, by step."""
        own = (kind, episode)
        mine = [it for it in self.kept.branches if (it.kind, it.episode) == own]
        return sorted(mine, key=lambda it: it.t)

    def loop_of(self, kind: str, episode: int) -> LoopRange | None:
        """The range to loop over in one episode, if one is kept."""
        own = (kind, episode)
        return next(
            (it for it in self.kept.loops if (it.kind, it.episode) == own), None
        )

    # --------------------------------------------------------------- bookmarks

    def add_bookmark(self, position: Position, text: str = "") -> Bookmark | None:
        """Bookmark a moment; the one that is there already stays.

        Returns:
          The bookmark; None where there is no episode, or no room for more.
        """
        if position.episode < 0 or not position.session:
            return None
        there = self.bookmarks_of(position.kind, position.episode)
        found = next((it for it in there if it.t == position.t), None)
        if found is not None or not self._has_room(self.kept.bookmarks, "bookmarks"):
            return found
        made = Bookmark(
            id=new_id(),
            kind="evaluation" if position.kind == "evaluation" else "training",
            episode=position.episode,
            t=position.t,
            checkpoint=position.checkpoint,
            text=text[:MOST_WORDS],
        )
        self._do("bookmark", "bookmarks", [*self.kept.bookmarks, made])
        return made

    def rename_bookmark(self, bookmark_id: str, text: str) -> None:
        """Write its note."""
        self._change("note", "bookmarks", bookmark_id, text=text[:MOST_WORDS])

    def delete_bookmark(self, bookmark_id: str) -> None:
        """Take it away; can be undone."""
        self._delete("delete bookmark", "bookmarks", bookmark_id)

    # -------------------------------------------------------------- loop ranges

    def set_loop(self, loop: LoopRange) -> None:
        """Keep the range to loop over in its episode, in the place of another one."""
        others = [it for it in self.kept.loops if _episode(it) != _episode(loop)]
        if self._has_room(others, "loop ranges"):
            self._do("loop range", "loops", [*others, loop])

    def delete_loop(self, kind: str, episode: int) -> None:
        """Keep no range for this episode; can be undone."""
        others = [it for it in self.kept.loops if _episode(it) != (kind, episode)]
        self._do("delete loop range", "loops", others)

    # ----------------------------------------------------------------- branches

    def add_branch(self, branch: Branch) -> bool:
        """Keep a branch; False where there is no room for more."""
        if not self._has_room(self.kept.branches, "branches"):
            return False
        self._do("branch", "branches", [*self.kept.branches, branch])
        return True

    def rename_branch(self, branch_id: str, name: str) -> None:
        """Call it something else."""
        self._change("rename branch", "branches", branch_id, name=name[:MOST_WORDS])

    def delete_branch(self, branch_id: str) -> None:
        """Take it away; can be undone."""
        self._delete("delete branch", "branches", branch_id)

    # -------------------------------------------------------------------- place

    def set_place(self, place: Place, *, keep: bool) -> None:
        """Somebody is here; it is kept now, or with the next note."""
        if place != self.place:
            self.place = place
            if keep:
                self._keep()

    # ------------------------------------------------------------------ insides

    def _has_room(self, rows: list[Any], what: str) -> bool:
        if len(rows) < MOST_NOTES:
            return True
        self._tell(f"A session holds {MOST_NOTES:,} {what} at most: delete some first.")
        return False

    def _change(self, deed: str, rows_of: str, row_id: str, **values: Any) -> None:
        """Give one row of a list other values."""
        rows = getattr(self.kept, rows_of)
        after = [replace(it, **values) if it.id == row_id else it for it in rows]
        self._do(deed, rows_of, after)

    def _delete(self, text: str, name: str, row_id: str) -> None:
        rows = getattr(self.kept, name)
        self._do(text, name, [it for it in rows if it.id != row_id])

    def _do(self, text: str, name: str, after: list[Any]) -> None:
        """Change a list, so that it can be undone whatever is changed beside it."""
        before = getattr(self.kept, name)
        gone = [it for it in before if it not in after]
        new = [it for it in after if it not in before]
        if gone or new:
            swap = partial(self._swap, self._uuid, name)
            self._history.add(
                Deed(text, partial(swap, new, gone), partial(swap, gone, new))
            )
            swap(gone, new)

    def _swap(self, of: str, name: str, gone: list[Any], new: list[Any]) -> None:
        """Take rows out, put others in; a deed of another session is none of ours."""
        if of != self._uuid or not of:
            return
        rows = [it for it in getattr(self.kept, name) if it not in gone]
        self.kept = replace(self.kept, **{name: [*rows, *new]})
        self.changed.emit()
        self._keep()

    # ----------------------------------------------------------- the session

    def _on_session(self) -> None:
        self._uuid = self._store.session.uuid
        self._loaded = self._under_way = self._waiting = False
        self.kept, self.place = Kept(), None
        self.changed.emit()
        self._problems.solve(PROBLEM)
        self._fetching = False
        if self._uuid:
            self._fetch()

    def _fetch(self) -> None:
        """Ask what the session holds; what is not known cannot be added to."""
        if self._fetching:
            return
        self._fetching, of = True, self._uuid
        self._link.ask(
            "views", {}, partial(self._on_views, of), partial(self._on_no_views, of)
        )

    def _on_no_views(self, of: str, sentence: str) -> None:
        if of == self._uuid:
            self._fetching = False
            self._on_trouble(of, sentence)

    def _on_views(self, of: str, answer: dict[str, Any]) -> None:
        """What the session holds, before what was added while it was fetched."""
        if of != self._uuid:
            return
        self._fetching = False
        found, new = notes_from(answer.get("views", {})), self.kept
        self._loaded = True
        self.place = self.place or place_from(answer.get("views", {}))
        self.kept = Kept(
            bookmarks=[*found.bookmarks, *new.bookmarks],
            loops=[*found.loops, *new.loops],
            branches=[*found.branches, *new.branches],
        )
        self.changed.emit()
        if new != Kept():
            self._keep()

    def _keep(self) -> None:
        """Send them; while one answer is awaited, the next goes when it is here."""
        if not self._loaded or self._under_way:
            self._waiting = True
            return
        self._under_way, self._waiting, of = True, False, self._uuid
        views = {"notes": msgspec.to_builtins(self.kept)}
        if self.place is not None:
            views["place"] = msgspec.to_builtins(self.place)
        self._link.ask(
            "keep_views",
            {"uuid": of, "views": views},
            partial(self._on_kept, of),
            partial(self._on_trouble, of),
        )

    def _on_process(self, process: ProcessState) -> None:
        """A keeper that begins again knows nothing of what the old one was asked."""
        if process.role != "keeper" or process.state != "ready":
            return
        self._fetching = False
        if self._under_way:
            self._under_way, self._waiting = False, True

    def _try_again(self) -> None:
        """The keeper says that it has the session: keep what could not be kept."""
        if self._uuid and not self._loaded:
            self._fetch()
        elif self._waiting:
            self._keep()

    def _on_kept(self, of: str, answer: dict[str, Any]) -> None:
        if of == self._uuid:
            self._problems.solve(PROBLEM)
            self._go_on()

    def _on_trouble(self, of: str, sentence: str) -> None:
        if of == self._uuid:
            self._tell(f"{sentence} They stay in this window until it is closed.")
            self._under_way, self._waiting = False, True

    def _go_on(self) -> None:
        self._under_way = False
        if self._waiting:
            self._keep()

    def _tell(self, sentence: str) -> None:
        self._problems.report(Problem(id=PROBLEM, what=sentence, severity="warning"))


def _episode(loop: LoopRange) -> tuple[str, int]:
    return loop.kind, loop.episode
