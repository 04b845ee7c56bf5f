"""The engine as Qt signals: what arrives becomes a signal, what is asked a call back.

Views never see a socket. They listen to the signals of the one :class:`Link`, or
better to :class:`rllab_gui.store.Store`, which remembers what has arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from threading import Thread
from typing import Any, Protocol

import shiboken6
from PySide6.QtCore import QObject, Qt, Signal

from engine.contract.messages import (
    Answer,
    Cancel,
    EmbeddingReport,
    EpisodeFinished,
    EvaluationFinished,
    Event,
    FrameCredit,
    JobProgress,
    MemoryReport,
    Message,
    Picture,
    PriorityReport,
    Problem,
    ProcessState,
    Scalars,
    SessionStatus,
    Shutdown,
    Solved,
    Subscribe,
    TimeReport,
    TrainerStatus,
)
from rllab_gui.titles import with_titles

OnAnswer = Callable[[dict[str, Any]], None]
OnError = Callable[[str], None]

ALWAYS = frozenset({"scalars"})
"""Topics that the store needs whatever is shown, so that its series are complete."""
LOST = "engine.supervisor.died"
"""The problem that says that nobody is there who could do anything."""
RECOVERED = "engine.trainer.recovered"
"""The one that says where a run went on after a loss."""
UNANSWERED = "The engine ended before this was done. Do it again: another one is there."
"""To whoever waits for an answer of an engine that was lost."""


class EngineClient(Protocol):
    """What the window needs of ``engine.service.client.Client``."""

    def send(self, message: Message) -> None:
        """Hand a message over; never blocks."""

    def ask(self, question: str, arguments: dict[str, Any]) -> int:
        """Ask stage or keeper; returns the id that the answer will carry."""

    def hand_over(self, number: int, seconds: float) -> bool:
        """Let what was sent leave now; may wait so long for this answer to arrive.

        False where it waited in vain.
        """

    def poll(self) -> list[Message]:
        """Everything that has arrived since the last call; never blocks."""

    def restart(self) -> None:
        """Start the engine anew after its end; may take seconds."""

    def close(self) -> None:
        """Let go of the engine."""


class Link(QObject):
    """The engine as seen from the window.

    Attributes:
      lost: The engine has ended or does not answer; what was heard last is old.

    Signals:
      statusChanged(TrainerStatus), pictureArrived(Picture), scalarsArrived(Scalars),
      episodeFinished(EpisodeFinished), evaluationFinished(EvaluationFinished),
      eventHappened(Event), problemRaised(Problem), problemSolved(str id),
      sessionChanged(SessionStatus), priorityReported(PriorityReport),
      embeddingReported(EmbeddingReport), timeReported(TimeReport),
      memoryReported(MemoryReport), jobProgressed(JobProgress),
      processChanged(ProcessState), lostChanged(bool),
      sent(Message): a message has left.
      renewed(): Another engine was started; what the old one was doing is given up.
    """

    statusChanged = Signal(object)
    pictureArrived = Signal(object)
    scalarsArrived = Signal(object)
    episodeFinished = Signal(object)
    evaluationFinished = Signal(object)
    eventHappened = Signal(object)
    problemRaised = Signal(object)
    problemSolved = Signal(str)
    sessionChanged = Signal(object)
    priorityReported = Signal(object)
    embeddingReported = Signal(object)
    timeReported = Signal(object)
    memoryReported = Signal(object)
    jobProgressed = Signal(object)
    processChanged = Signal(object)
    lostChanged = Signal(bool)
    renewed = Signal()
    sent = Signal(object)
    _restarted = Signal(str)
    _woken = Signal()

    def __init__(self, client: EngineClient, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._unanswered: list[int] = []
        self._waiting: dict[int, tuple[OnAnswer, OnError | None]] = {}
        self._wanted: dict[str, frozenset[str]] = {}
        self._subscribed: frozenset[str] | None = None
        self._credits_due = 0
        self._signals = self._signal_table()
        self.lost = False
        self.problemRaised.connect(self._on_problem)
        self.problemSolved.connect(self._on_solved)
        self._restarted.connect(self._on_restarted, Qt.ConnectionType.QueuedConnection)
        self._restarting = False
        on_ready = getattr(client, "on_ready", None)
        if on_ready is not None:  # called in the client's thread
            self._woken.connect(self.poll, Qt.ConnectionType.QueuedConnection)
            on_ready(self._wake)

    def _wake(self) -> None:
        """In the client's thread, which may outlive the window for a moment."""
        if shiboken6.isValid(self):
            self._woken.emit()

    def _signal_table(self) -> dict[type[Message], Any]:
        return {
            TrainerStatus: self.statusChanged,
            Picture: self.pictureArrived,
            Scalars: self.scalarsArrived,
            EpisodeFinished: self.episodeFinished,
            EvaluationFinished: self.evaluationFinished,
            Event: self.eventHappened,
            Problem: self.problemRaised,
            SessionStatus: self.sessionChanged,
            PriorityReport: self.priorityReported,
            EmbeddingReport: self.embeddingReported,
            TimeReport: self.timeReported,
            MemoryReport: self.memoryReported,
            JobProgress: self.jobProgressed,
            ProcessState: self.processChanged,
        }

    # ------------------------------------------------------------- outwards

    def send(self, message: Message) -> None:
        """Hand a command to the engine."""
        self._client.send(message)
        self.sent.emit(message)

    def ask(
        self,
        question: str,
        arguments: Mapping[str, Any],
        on_answer: OnAnswer,
        on_error: OnError | None = None,
    ) -> int:
        """Ask stage or keeper; ``on_answer`` gets the result in this thread.

        Args:
          question: Name of the question.
          arguments: Plain values and arrays.
          on_answer: Called once; dropped if it belongs to a deleted object.
          on_error: Gets the sentence that says why not; without it the sentence
            becomes a row among the messages.

        Returns:
          A number for :meth:`cancel`.
        """
        number = self._client.ask(question, dict(arguments))
        self._waiting[number] = (on_answer, on_error)
        return number

    def hand_over(self, number: int, seconds: float) -> bool:
        """Let what was asked leave now: a person waits for it.

        Args:
          number: Of the question whose answer is waited for, where that helps.
          seconds: So long at most; its ``on_answer`` is called after this.

        Returns:
          False where it was waited for in vain.
        """
        return self._client.hand_over(number, seconds)

    def cancel(self, number: int) -> None:
        """The answer to this question is no longer wanted; unknown ones are fine."""
        if self._waiting.pop(number, None) is not None:
            self.send(Cancel(number))

    def want(self, who: str, topics: Iterable[str]) -> None:
        """Say which topics a view shows now; an empty set when it is hidden."""
        self._wanted[who] = frozenset(topics)

    def settle(self) -> None:
        """Tell the engine what has been drawn and what is wanted from now on."""
        topics = ALWAYS.union(*self._wanted.values())
        if topics != self._subscribed:
            self.send(Subscribe(sorted(topics)))
            if "picture" in topics - (self._subscribed or frozenset()):
                self._credits_due = max(self._credits_due, 2)
            self._subscribed = topics
        if self._credits_due and "picture" in topics:
            self.send(FrameCredit(self._credits_due))
        self._credits_due = 0

    def restart(self) -> None:
        """End what is left of the engine and start it anew, in the background."""
        if not self._restarting:
            self._restarting = True
            # What is asked from now on goes to the next engine.
            self._unanswered = list(self._waiting)
            self._client.send(Shutdown())
            Thread(target=self._restart, name="engine-restart", daemon=True).start()

    def _restart(self) -> None:
        """In a thread: starting a process takes longer than a window may wait."""
        try:
            self._client.restart()
        except RuntimeError as error:  # EngineProblem: one sentence
            self._restarted.emit(str(error))
        else:
            self._restarted.emit("")

    def _on_restarted(self, sentence: str) -> None:
        self._restarting = False
        self._subscribed = None
        if sentence:
            self.problemRaised.emit(
                Problem(
                    id="engine.start", what="The engine did not start.", why=sentence
                )
            )
        else:
            self.problemSolved.emit("engine.start")
            for role in ("trainer", "stage", "keeper"):
                self.problemSolved.emit(f"engine.{role}.gone")
            self._give_up_unanswered()
            self.renewed.emit()

    def _give_up_unanswered(self) -> None:
        for number in self._unanswered:
            _, on_error = self._waiting.pop(number, (None, None))
            if on_error is not None and _alive(on_error):
                on_error(UNANSWERED)
        self._unanswered = []

    def close(self) -> None:
        """Let go of the engine; nothing arrives any more."""
        self._waiting.clear()
        self._client.close()

    def _on_problem(self, problem: Problem) -> None:
        if problem.id == LOST and not self.lost:
            self.lost = True
            self.problemSolved.emit(RECOVERED)  # how it was is of no use now
            self.lostChanged.emit(True)

    def _on_solved(self, problem_id: str) -> None:
        if problem_id == LOST and self.lost:
            self.lost = False
            self.lostChanged.emit(False)

    # -------------------------------------------------------------- inwards

    def poll(self) -> int:
        """Turn everything that has arrived into signals; returns how many."""
        messages = self._client.poll()
        for message in messages:
            self._dispatch(message)
        return len(messages)

    def _dispatch(self, message: Message) -> None:
        if isinstance(message, Answer):
            self._answer(message)
        elif isinstance(message, Solved):
            self.problemSolved.emit(message.id)
        else:
            if isinstance(message, Picture):
                self._credits_due += 1
            if isinstance(message, ProcessState) and message.state == "ready":
                self._subscribed = None  # a restarted process knows of nobody
            signal = self._signals.get(type(message))
            if signal is not None:
                signal.emit(message)

    def _answer(self, answer: Answer) -> None:
        on_answer, on_error = self._waiting.pop(answer.id, (None, None))
        if on_answer is None or not _alive(on_answer):
            return
        if not answer.error:
            on_answer(answer.result)
        elif on_error is not None:
            on_error(with_titles(answer.error))
        else:
            self.problemRaised.emit(
                Problem(id="window.question", what=answer.error, severity="warning")
            )


def _alive(callback: Callable[..., None]) -> bool:
    """False where the callback belongs to a Qt object that is gone."""
    owner = getattr(callback, "__self__", None)
    return not isinstance(owner, QObject) or shiboken6.isValid(owner)
