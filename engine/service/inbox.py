"""What has arrived: one thread brings it, others take it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from engine.contract.messages import Answer, Message


class Inbox:
    """Messages in the order of their arrival, until somebody takes them."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._arrived = threading.Condition()

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, messages: list[Message]) -> None:
        """These have arrived."""
        with self._arrived:
            self._messages.extend(messages)
            self._arrived.notify_all()

    def take_all(self) -> list[Message]:
        """Everything that is there; never blocks."""
        with self._arrived:
            messages = list(self._messages)
            self._messages.clear()
        return messages

    def take(self, wanted: Callable[[Message], bool], seconds: float) -> Message | None:
        """The next message that is wanted; the others stay.

        Returns None where none came within ``seconds``.
        """
        deadline = time.monotonic() + seconds
        seen = 0
        with self._arrived:
            while True:
                for index in range(seen, len(self._messages)):
                    message = self._messages[index]
                    if wanted(message):
                        del self._messages[index]
                        return message
                seen = len(self._messages)
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._arrived.wait(left)

    def await_answer(self, number: int, seconds: float) -> bool:
        """Whether the answer of this number is there within ``seconds``; it stays."""

        def is_here() -> bool:
            found = (it.id for it in self._messages if isinstance(it, Answer))
            return number in found

        with self._arrived:
            return self._arrived.wait_for(is_here, seconds)
