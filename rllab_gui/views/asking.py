"""Views of the Why panel that ask the stage about the step at the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QDockWidget

from rllab_gui.episode import BY_HAND
from rllab_gui.plots.busy import BusyMark
from rllab_gui.plots.frame import PlotFrame
from rllab_gui.resting import Resting, of_moment
from rllab_gui.views.base import View, ViewContext
from rllab_gui.views.episode_model import Moment
from rllab_gui.views.step_words import no_step

Offers = Sequence[tuple[str, str]]
Empty = tuple[str, str, Offers]


class AskingView(View):
    """Asks as soon as the cursor has come to rest, while it can be seen.

    Until the answer is here the one before stays, under a busy mark.

    Attributes:
      question: What the stage is asked.
      refused: Title over the sentence of a stage that cannot answer.
      answerText: The answer in words; also a property of the widget.
    """

    question: ClassVar[str] = ""
    answers = True
    refused: ClassVar[str] = "This cannot be answered here."

    def __init__(self, context: ViewContext) -> None:
        super().__init__(context)
        self._docked = False
        self.empty.prefix = f"empty.{self.view_id}"
        self.plot = self.make_plot()
        self.plot.header.hide_mode()
        self.busy = BusyMark(f"plot.{self.view_id}.busy", context.theme, self)
        self.plot.header.add(self.busy)
        self.adopt(self.plot)
        self.asked = Resting(context.link, self.question, self)
        self.asked.changed.connect(self._on_answer)
        context.episode.leaving.connect(self.asked.drop)
        context.episode.momentChanged.connect(self._on_moment)
        context.episode.changed.connect(self._on_moment)
        context.store.configurationChanged.connect(self._on_options)
        context.link.lostChanged.connect(self._on_lost)

    # ------------------------------------------------------ for the subclass

    def make_plot(self) -> PlotFrame:
        """What the answer is drawn in."""
        return PlotFrame(self.view_id, self.title, self.context.theme)

    def wish(self, moment: Moment) -> dict[str, Any] | None:
        """What is asked about this moment; None where nothing is to be asked."""
        return of_moment(moment)

    def wanted(self) -> bool:
        """Whether anybody sees the answer."""
        return self.in_front

    def cannot(self) -> Empty | None:
        """Why this agent cannot answer, whichever step it is."""
        return None

    def answer_text(self) -> str:
        """The answer in words."""
        return str(self.property("answerText") or "")

    def say(self, sentence: str, caption: str = "") -> None:
        """Give the answer in words too."""
        self.setProperty("answerText", sentence)
        self.plot.describe(sentence)
        self.plot.set_caption(f"{sentence} {caption}".strip())

    # -------------------------------------------------------------- machinery

    def emptiness(self) -> Empty | None:
        """No step, an agent that cannot answer, or nothing has been said yet."""
        missing = self._missing()
        if missing is not None:
            self.setProperty("answerText", f"{missing[0]} {missing[1]}".strip())
        return missing

    def _missing(self) -> Empty | None:
        if self.context.episode.moment is None:
            return no_step(self.context.episode)
        if (cannot := self.cannot()) is not None:
            return cannot
        if self._by_hand():
            return (
                "You are playing.",
                "Hand back, and your steps can be asked about.",
                (),
            )
        if self.context.link.lost and self.asked.busy:
            return "The engine has ended.", "The next one works this out.", ()
        if self.asked.problem:
            return self.refused, self.asked.problem, ()
        if not self.asked.answer:
            return "One moment.", "It is worked out once the cursor rests.", ()
        return None

    def _by_hand(self) -> bool:
        """Whether what is shown is being played, and is in no session yet."""
        moment = self.context.episode.moment
        return moment is not None and moment.episode.key[2] == BY_HAND

    def ask(self) -> None:
        """Want the answer about the moment of now, if it can be seen."""
        moment = self.context.episode.moment
        wish = None
        asks = self.wanted() and not self._by_hand() and self.cannot() is None
        if moment is not None and asks:
            wish = self.wish(moment)
        if moment is None or wish is None:
            self.asked.drop()
        else:
            self.asked.want(moment.episode.key[0], wish)
        self._show_busy()

    def _on_moment(self) -> None:
        self.ask()
        self.refresh()

    def _on_answer(self) -> None:
        self._show_busy()
        self.refresh()
        self.context.pulse.soon()

    def _show_busy(self) -> None:
        self.busy.set_busy(self.asked.busy and not self.context.link.lost)

    def _on_lost(self) -> None:
        self._show_busy()
        self.refresh()

    def _on_options(self) -> None:
        self.asked.forget()
        self._on_moment()

    def showEvent(self, event: QShowEvent) -> None:
        """What nobody saw was not asked for."""
        super().showEvent(event)
        dock = self.parentWidget()
        if isinstance(dock, QDockWidget) and not self._docked:
            self._docked = True
            dock.visibilityChanged.connect(self._on_tab)
        self.ask()

    def _on_tab(self, visible: bool) -> None:
        """Its tab came to the front, or another one did; its place is not known yet."""
        QTimer.singleShot(0, self, self.ask)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks any more."""
        super().hideEvent(event)
        self.ask()
