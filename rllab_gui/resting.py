"""Heavy questions about the step at the cursor, asked once the cursor rests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.contract.messages import SessionStatus
from rllab_gui.link import Link
from rllab_gui.views.episode_model import Moment

REST_MS = 120
"""So long the cursor has to stand still before panels are asked. Less makes the frames
of keys that follow each other come later: with 80, by 10 ms of 40."""
LONG_REST_MS = 250
"""For what is only added to words that are there at once."""


def of_moment(moment: Moment) -> dict[str, Any]:
    """How questions name this step of this episode, and who judges."""
    _, checkpoint, kind, episode = moment.episode.key
    step = {"kind": kind, "episode": episode, "t": moment.t}
    return step | {"checkpoint_step": checkpoint}


class Resting(QObject):
    """One question at a time; wanting another cancels it.

    Attributes:
      answer: What the stage said last; empty while it said nothing.
      problem: The sentence that it said instead, or empty.

    Signals:
      changed(): An answer or a problem has arrived, or was forgotten.
    """

    changed = Signal()

    def __init__(
        self,
        link: Link,
        question: str,
        parent: QObject | None = None,
        *,
        rest_ms: int | None = None,
    ) -> None:
        super().__init__(parent)
        self._link, self._question = link, question
        self.answer: dict[str, Any] = {}
        self.problem = ""
        self._wanted: tuple[str, dict[str, Any]] | None = None
        self._here: tuple[str, dict[str, Any]] | None = None
        self._held = False
        self._number = -1
        self._cuts = 0
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(REST_MS if rest_ms is None else rest_ms)
        self._timer.timeout.connect(self._ask)
        link.sessionChanged.connect(self._on_session)
        link.renewed.connect(self._on_renewed)

    @property
    def arguments(self) -> dict[str, Any]:
        """With which the answer that is here was asked for."""
        return self._here[1] if self._here is not None else {}

    @property
    def busy(self) -> bool:
        """Whether something is wanted that is not here yet."""
        return self._wanted != self._here

    def want(self, session: str, arguments: Mapping[str, Any]) -> bool:
        """Ask for this as soon as nothing else is wanted; True where it is here."""
        wanted = (session, dict(arguments))
        self._held = True
        if wanted != self._wanted:
            self._link.cancel(self._number)
            self._wanted = wanted
            if self.busy:
                self._timer.start()
            else:
                self._timer.stop()
        return not self.busy

    def drop(self) -> None:
        """Nobody wants it now, or something else before it; what is here stays."""
        self._timer.stop()
        self._link.cancel(self._number)
        self._held = False
        self._wanted = self._here

    def forget(self) -> None:
        """What is here is not true any more."""
        self.drop()
        self._wanted = self._here = None
        self.answer, self.problem = {}, ""
        self.changed.emit()

    def _on_renewed(self) -> None:
        """Another engine may have the same session open: nothing else would change."""
        wanted = self._wanted if self._held else None
        self.forget()
        if wanted is not None:
            self.want(*wanted)

    def _on_session(self, session: SessionStatus) -> None:
        """A run that went back has recorded other things under the same numbers."""
        if session.cuts != self._cuts:
            self._cuts = session.cuts
            self.forget()

    def _ask(self) -> None:
        wanted = self._wanted
        if wanted is None:
            return
        self._number = self._link.ask(
            self._question,
            wanted[1],
            lambda answer: self._take(wanted, answer, ""),
            lambda sentence: self._take(wanted, {}, sentence),
        )

    def _take(
        self, asked: tuple[str, dict[str, Any]], answer: dict[str, Any], problem: str
    ) -> None:
        if asked == self._wanted:
            self._here, self.answer, self.problem = asked, answer, problem
            self.changed.emit()
