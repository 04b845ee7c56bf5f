"""The stage: shows the agent, evaluates it, and answers every question about it.

A library object without process or socket: messages come in by :meth:`on_message`,
go out by ``send``, and time passes by :meth:`tick`. One thread does everything in
slices of a few milliseconds, so that the picture keeps moving; only the import of
torch and the layout of the map happen elsewhere.
"""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable
from typing import Any

from engine.contract.messages import (
    Answer,
    Ask,
    Cancel,
    CheckpointStored,
    Event,
    FrameCredit,
    Message,
    Problem,
    ProcessState,
    RowsStored,
    SessionStatus,
    SetOption,
    SetViewer,
    ShowAgent,
    Subscribe,
    Weights,
)
from engine.contract.options import ConfigurationError
from engine.stage.archive import Archive
from engine.stage.audience import Audience
from engine.stage.cache import ByteCache
from engine.stage.context import Asker, Context, QuestionError
from engine.stage.embedding import OWNER as MAP
from engine.stage.embedding import EmbeddingMap
from engine.stage.evaluator import Evaluator
from engine.stage.films import SURVEY, FilmLibrary
from engine.stage.hand import HandShelf
from engine.stage.jobs import JobQueue, Send
from engine.stage.live_film import LiveFilm
from engine.stage.minds import LearnerLibrary, MindShelf
from engine.stage.pool import StatePool
from engine.stage.questions import registry
from engine.stage.read_ahead import ReadAhead
from engine.stage.rows import RowLog
from engine.stage.show import Show

SLICE_S = 0.002
LEAST_SLICE_S = 0.001
IDLE_S = 0.5
JUDGED_BYTES = 48 * 2**20


class Stage:
    """Owns the shown agent, the evaluations and the questions.

    Args:
      send: Hands a message to ``windows``, ``keeper``, ``trainer`` or the one window
        of this name.
      clock: Seconds, monotonic.
    """

    def __init__(self, send: Send, clock: Callable[[], float] = time.monotonic) -> None:
        self._send, self._clock = send, clock
        self._library = LearnerLibrary()
        self._audience = Audience()
        self._jobs = JobQueue(send, clock)
        self._rows = RowLog(send)
        self._archive = Archive()
        self._map = EmbeddingMap(clock)
        self._films = FilmLibrary()
        self._hands = HandShelf()
        self._live_film = LiveFilm(send)
        self._show = Show(
            send,
            jobs=self._jobs,
            archive=self._archive,
            audience=self._audience,
            library=self._library,
            film=self._live_film,
        )
        self._evaluator: Evaluator | None = None
        self._context = Context(
            send=send,
            jobs=self._jobs,
            archive=self._archive,
            minds=MindShelf(self._library),
            films=self._films,
            hands=self._hands,
            judged=ByteCache(JUDGED_BYTES),
            shown=lambda: self._show.mind,
            frame_rate=lambda: self._show.frame_rate,
            wanted=self._audience.wants,
            show_weights=self._show.show_weights,
            follow_training=self._show.follow_training,
            embedding=self._map,
            pool=StatePool(clock),
            live_film=self._live_film,
            read_ahead=ReadAhead(self._jobs, self._archive, clock),
        )
        self._on: dict[type[Message], Callable[..., Any]] = {
            ShowAgent: self._on_show,
            SetViewer: self._show.set_viewer,
            Weights: self._on_weights,
            Cancel: self._on_cancel,
            Ask: self._on_ask,
            Answer: self._jobs.on_answer,
            SessionStatus: self._on_session,
            SetOption: self._on_option,
            Event: self._archive.on_event,
            RowsStored: self._on_stored,
            CheckpointStored: lambda message: self._archive.on_kept(message.kept),
            ProcessState: self._on_process,
            Subscribe: self._on_subscribe,
            FrameCredit: self._on_credit,
        }
        self._from_whom = frozenset({Ask, Cancel, Subscribe, FrameCredit})

    def on_message(self, message: Message, sender: str = "windows") -> None:
        """Take a message; kinds that do not concern the stage are ignored."""
        handler = self._on.get(type(message))
        if handler is None:
            return
        if type(message) in self._from_whom:
            handler(message, sender)
        else:
            handler(message)

    def tick(self, now: float | None = None) -> float:
        """Do what is due, for some milliseconds; seconds until the next tick."""
        now = self._clock() if now is None else now
        self._grow()
        wait = self._show.play(now)
        if self._jobs.wait_s() <= 0.0:
            slice_s = min(SLICE_S, max(LEAST_SLICE_S, wait))
            self._jobs.run(self._clock() + slice_s)
        late = self._clock() - now
        wait = min(max(0.0, wait - late), self._jobs.wait_s(), IDLE_S)
        return min(wait, 0.02) if self._library.loading else wait

    def close(self) -> None:
        """End everything that is under way."""
        self._jobs.close()
        self._live_film.cancel()
        self._map.close()
        self._films.close()
        self._hands.close()
        self._context.pool.close()
        self._show.close()

    def _grow(self) -> None:
        """Give the shown agent and the evaluator their networks once torch is there."""
        if not self._show.grow():
            return
        if self._evaluator is not None and self._evaluator.mind is None:
            self._evaluator.mind = self._show.another_mind()
            self._evaluator.go_on()

    def _on_show(self, message: ShowAgent) -> None:
        if self._evaluator is not None:
            self._evaluator.close()
            self._evaluator = None
        self._rows.clear()
        configuration = self._show.begin(message.configuration)
        if configuration is not None:
            self._evaluator = Evaluator(
                configuration, self._jobs, self._rows, self._send
            )

    def _on_weights(self, message: Weights) -> None:
        self._show.on_weights(message)
        if self._evaluator is None:
            return
        self._evaluator.weights_at = self._clock()
        if message.evaluate:
            self._evaluator.add(message)

    def _on_option(self, message: SetOption) -> None:
        value = json.loads(message.value)
        self._show.set_option(message.key, value)
        if self._evaluator is None:
            return
        changes = {message.key: value}
        try:
            changed = self._evaluator.configuration.with_options(changes)
        except ConfigurationError:
            # The supervisor tells whoever asked; here nothing changes.
            return
        self._evaluator.configuration = changed

    def _on_session(self, message: SessionStatus) -> None:
        before = self._archive.open
        self._archive.on_status(message)
        now = self._archive.open
        if self._evaluator is not None and not message.live:
            self._evaluator.end_run()
        if now != before:
            self._context.read_ahead.end()
        if before is not None and (now is None or now.past != before.past):
            self._jobs.cancel(MAP)
            self._jobs.cancel(SURVEY)
            self._map.forget()
            self._films.close()
            self._hands.close()

    def _on_stored(self, message: RowsStored) -> None:
        if message.source == "stage":
            self._rows.on_stored(message.number)

    def _on_process(self, message: ProcessState) -> None:
        if (message.role, message.state) == ("keeper", "ready"):
            self._rows.send_again()
            self._archive.forget_steps()
            self._context.read_ahead.end()

    def _on_subscribe(self, message: Subscribe, sender: str) -> None:
        new = set(message.topics) - self._audience.topics(sender)
        self._audience.subscribe(sender, message.topics)
        if "picture" in message.topics:
            self._show.repeat()
        if "embedding" in new:
            self._map.repeat(self._context, sender)

    def _on_credit(self, message: FrameCredit, sender: str) -> None:
        self._audience.add_credit(sender, message.pictures)

    def _on_cancel(self, message: Cancel, sender: str) -> None:
        self._jobs.cancel(Asker(sender, message.id))

    def _on_ask(self, message: Ask, sender: str) -> None:
        asker = Asker(sender, message.id)

        def answer(result: dict[str, object]) -> None:
            self._send(Answer(message.id, result), sender)

        def fail(error: Exception) -> None:
            self._send(Answer(message.id, error=self._sentence(message, error)), sender)

        question = registry().get(message.question)
        if question is None:
            known = ", ".join(sorted(registry()))
            text = f"There is no question '{message.question}'. There are {known}."
            fail(QuestionError(text))
            return
        try:
            arguments = question.read(message.arguments)
        except QuestionError as error:
            fail(error)
            return
        job = question.answer(self._context, arguments, asker)
        self._jobs.start(job, question.priority, answer, fail, asker)

    def _sentence(self, asked: Ask, error: Exception) -> str:
        """What went wrong; what nobody expected is reported with its traceback."""
        if isinstance(error, ValueError) and type(error) is not ValueError:
            return str(error)
        what = (
            f"The question '{asked.question}' failed: {type(error).__name__}: {error}."
        )
        details = "".join(traceback.format_exception(error))[-4000:]
        problem = Problem(
            id=f"stage.question.{asked.question}",
            what=what,
            fix="Please report it with the details.",
            severity="warning",
            details=details,
        )
        self._send(problem, "windows")
        return what
