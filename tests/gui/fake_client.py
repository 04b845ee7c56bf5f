"""An engine that says what a test tells it to say."""

from collections.abc import Callable
from typing import Any

from engine.contract.messages import Answer, Ask, Message

Answerer = Callable[[dict[str, Any]], dict[str, Any]]


class FakeClient:
    """Plays scripted messages and keeps everything that was sent.

    Attributes:
      sent: Every message that the window has sent, questions included.
      answers: A function from arguments to result for each question; questions
        without one stay unanswered (see :meth:`questions`). A ``str`` result is
        an error sentence.
      waits: Which answers the window waited for, and how long at most.
    """

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.answers: dict[str, Answerer] = {}
        self.waits: list[tuple[int, float]] = []
        self.closed = False
        self._inbox: list[Message] = []
        self._next_id = 0

    # ------------------------------------------------ what the window calls

    def send(self, message: Message) -> None:
        self.sent.append(message)

    def ask(self, question: str, arguments: dict[str, Any]) -> int:
        self._next_id += 1
        self.sent.append(Ask(self._next_id, question, arguments))
        if question in self.answers:
            self.reply(self._next_id, self.answers[question](arguments))
        return self._next_id

    def hand_over(self, number: int, seconds: float) -> bool:
        self.waits.append((number, seconds))
        return not seconds or any(getattr(it, "id", 0) == number for it in self._inbox)

    def poll(self) -> list[Message]:
        messages, self._inbox = self._inbox, []
        return messages

    def close(self) -> None:
        self.closed = True

    # ------------------------------------------------- what the test calls

    def play(self, *messages: Message) -> None:
        """Let these arrive at the next poll."""
        self._inbox.extend(messages)

    def reply(self, number: int, result: dict[str, Any] | str) -> None:
        """Answer a question."""
        if isinstance(result, str):
            self.play(Answer(number, error=result))
        else:
            self.play(Answer(number, result))

    def of(self, kind: type[Message]) -> list[Any]:
        """The messages of one kind that were sent."""
        return [it for it in self.sent if isinstance(it, kind)]

    def questions(self, name: str) -> list[Ask]:
        """The questions of one name that were asked."""
        return [it for it in self.of(Ask) if it.question == name]
