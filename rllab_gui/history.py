"""Undo and redo of what a person did in the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

KEPT = 200


@dataclass(slots=True)
class Deed:
    """Something that was done, and how to take it back and do it again.

    Attributes:
      text: For the menu: "Learning rate".
      merge: Successive deeds of the same name are taken back together.
    """

    text: str
    undo: Callable[[], object]
    redo: Callable[[], object]
    merge: str = ""


class History(QObject):
    """The stack of deeds.

    Signals:
      changed(): What can be undone or redone is another.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._done: list[Deed] = []
        self._undone: list[Deed] = []

    @property
    def undo_text(self) -> str:
        """What *undo* would take back; empty where there is nothing."""
        return self._done[-1].text if self._done else ""

    @property
    def redo_text(self) -> str:
        """What *redo* would do again; empty where there is nothing."""
        return self._undone[-1].text if self._undone else ""

    def add(self, deed: Deed) -> None:
        """Remember something that has just been done."""
        last = self._done[-1] if self._done else None
        if last is not None and deed.merge and last.merge == deed.merge:
            last.redo = deed.redo
        else:
            self._done = [*self._done[1 - KEPT :], deed]
        self._undone.clear()
        self.changed.emit()

    def seal(self) -> None:
        """The next deed is one of its own, whatever its name."""
        if self._done:
            self._done[-1].merge = ""

    def undo(self) -> None:
        """Take back the last deed."""
        if self._done:
            deed = self._done.pop()
            self._undone.append(deed)
            deed.undo()
            self.changed.emit()

    def redo(self) -> None:
        """Do the last undone deed again."""
        if self._undone:
            deed = self._undone.pop()
            self._done.append(deed)
            deed.redo()
            self.changed.emit()
