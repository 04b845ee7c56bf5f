"""What every question may use, and how a question is declared."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from engine.contract.messages import JobProgress, Problem
from engine.contract.options import Configuration
from engine.stage.archive import Archive
from engine.stage.cache import ByteCache
from engine.stage.films import FilmLibrary
from engine.stage.jobs import Job, JobQueue, Priority, Send, Wish
from engine.stage.minds import Mind, MindShelf

if TYPE_CHECKING:
    from engine.stage.embedding import EmbeddingMap
    from engine.stage.hand import HandShelf
    from engine.stage.live_film import LiveFilm
    from engine.stage.pool import StatePool
    from engine.stage.read_ahead import ReadAhead

Result = TypeVar("Result")


class QuestionError(ValueError):
    """A question that cannot be answered; the message is the sentence."""


@dataclass(slots=True)
class Context:
    """The stage as questions see it.

    Attributes:
      send: Hands messages over.
      jobs: The queue in which questions run.
      archive: The open session.
      minds: Networks to judge with.
      films: Frames of recorded episodes.
      hands: What a person plays on with.
      judged: Episodes that were judged lately.
      shown: The mind of the shown agent with its weights, None before there is one.
      frame_rate: Pictures per second of the shown agent, 0 where none is shown.
      wanted: Whether some window shows a topic.
      show_weights: Have the shown agent play with these weights, and, if so asked,
        stay with them while training goes on.
      follow_training: Have it take the newest weights again.
      embedding: The map of states.
      pool: States to compare a step with.
      live_film: The film of the shown agent.
      read_ahead: Brings episodes before they are asked for.
    """

    send: Send
    jobs: JobQueue
    archive: Archive
    minds: MindShelf
    films: FilmLibrary
    hands: HandShelf
    judged: ByteCache[dict[str, Any]]
    shown: Callable[[], Mind | None]
    frame_rate: Callable[[], float]
    wanted: Callable[[str], bool]
    show_weights: Callable[[int, dict[str, np.ndarray], bool, Configuration], None]
    follow_training: Callable[[], None]
    embedding: EmbeddingMap
    pool: StatePool
    live_film: LiveFilm
    read_ahead: ReadAhead

    def progress(
        self,
        job: str,
        fraction: float,
        text: str,
        *,
        done: bool = False,
        result: str = "",
    ) -> None:
        """Tell all windows how far a long job is."""
        self.send(JobProgress(job, fraction, text, done, result), "windows")

    def told(
        self, job: str, work: Generator[Wish, Any, Result], result: str = ""
    ) -> Generator[Wish, Any, Result]:
        """This work, whose end all windows are told, however it ends.

        Args:
          job: Its name in :meth:`progress`.
          work: What is done; it tells how far it is by itself.
          result: The file that has been written by then, or empty.
        """
        try:
            found = yield from work
        except GeneratorExit:
            self.progress(job, 0.0, "cancelled", done=True)
            raise
        except Exception as error:
            # A job may fail in any way; whoever asked gets the error itself.
            self.progress(job, 0.0, str(error), done=True)
            raise
        self.progress(job, 1.0, "done", done=True, result=result)
        return found

    def problem(self, id: str, what: str, error: Exception) -> None:
        """Tell all windows that something in the background failed."""
        why = str(error) if isinstance(error, ValueError) else repr(error)
        details = "".join(traceback.format_exception(error))[-4000:]
        text = f"{what} could not go on."
        problem = Problem(id, text, why, severity="warning", details=details)
        self.send(problem, "windows")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked, and under which number."""

    window: str
    id: int


@dataclass(frozen=True, slots=True)
class Question:
    """A question that windows may ask.

    Attributes:
      name: As in ``Ask.question``.
      arguments: What it takes, with types and defaults.
      answer: Makes the job whose result is the answer.
    """

    name: str
    arguments: type[msgspec.Struct]
    answer: Callable[[Context, Any, Asker], Job]
    priority: Priority = Priority.QUESTION

    def read(self, arguments: dict[str, Any]) -> msgspec.Struct:
        """The arguments of an Ask, checked.

        Raises:
          QuestionError: If one is missing, unknown or of another type.
        """
        try:
            return msgspec.convert(arguments, self.arguments, dec_hook=_as_is)
        except (msgspec.ValidationError, TypeError) as error:
            raise QuestionError(
                f"The question '{self.name}' was asked wrongly: {error}."
            ) from error


class Arguments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the arguments of a question."""


def _as_is(wanted: type, value: Any) -> Any:
    """Arrays pass through; their shapes are the question's own business."""
    if isinstance(value, wanted):
        return value
    raise TypeError(f"expected {wanted.__name__}, got {type(value).__name__}")
