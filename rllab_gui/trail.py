"""Where the cursor has been: back and forward, as in a browser."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from rllab_gui.cursor import Cursor, Position

MOST = 100


class Trail(QObject):
    """Remembers the places that were left for another episode, or on purpose.

    Args:
      cursor: The one cursor.
      held: What ``Position.branch`` can be now; from others one gets back to the
        main line, as from a game by hand, which is over.
      parent: Of Qt.

    Signals:
      changed(): One can go back or forward now, or no longer.
    """

    changed = Signal()

    def __init__(
        self,
        cursor: Cursor,
        held: Container[str] = (),
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._held = held
        self._cursor = cursor
        self._last = cursor.position
        self._behind: list[Position] = []
        self._ahead: list[Position] = []
        self._walking = False
        cursor.changed.connect(self._on_moved)

    @property
    def can_go_back(self) -> bool:
        """Whether anything was left."""
        return bool(self._behind)

    @property
    def can_go_forward(self) -> bool:
        """Whether somebody went back."""
        return bool(self._ahead)

    def go_to(self, kind: str, episode: int, t: int) -> None:
        """Go to a step of an episode; the way back is remembered."""
        self._leave(self._cursor.position)
        self._walk(lambda: self._cursor.show_episode(kind, episode, t=t))

    def back(self) -> None:
        """Where one was before."""
        self._exchange(self._behind, self._ahead)

    def forward(self) -> None:
        """Where one went back from."""
        self._exchange(self._ahead, self._behind)

    def _exchange(self, off: list[Position], onto: list[Position]) -> None:
        if not off:
            return
        place, now = off.pop(), self._cursor.position
        onto.append(now)
        if place.branch and place.branch not in self._held:
            place = replace(place, branch="")
            if _line(place) == _line(now):  # others are clamped when they arrive
                place = replace(place, t=min(place.t, self._cursor.last))
        if self._cursor.mode != "paused":
            self._cursor.set_mode("paused")
        fields = ("checkpoint", "kind", "episode", "t", "branch")
        where = {name: getattr(place, name) for name in fields}
        self._walk(lambda: self._cursor.place(**where))
        self.changed.emit()

    def _walk(self, move: Callable[[], None]) -> None:
        self._walking = True
        try:
            move()
        finally:
            self._walking = False

    def _leave(self, place: Position) -> None:
        if place.episode < 0:
            return
        self._behind = [*self._behind[1 - MOST :], place]
        self._ahead.clear()
        self.changed.emit()

    def _on_moved(self, position: Position) -> None:
        before, self._last = self._last, position
        if position.session != before.session:
            self._behind, self._ahead = [], []
            self.changed.emit()
        elif self._walking or self._cursor.mode == "following":
            return
        elif (position.kind, position.episode) != (before.kind, before.episode):
            self._leave(before)


def _line(place: Position) -> tuple[str, int, str]:
    return place.kind, place.episode, place.branch
