"""Who is connected to the hub from outside: windows and command lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from engine.service.connection import process_lives

SILENT_S = 6.0
"""A client that has been silent for so long hangs or is gone; they beat each second."""

TOPICS = {
    "Picture": "picture",
    "Scalars": "scalars",
    "PriorityReport": "priorities",
    "EmbeddingReport": "embedding",
    "TimeReport": "account",
    "MemoryReport": "account",
}
"""Kinds of messages that only who subscribed to the topic gets."""


@dataclass(slots=True)
class Visitor:
    """One client."""

    name: str
    pid: int
    heard_at: float
    topics: frozenset[str] = frozenset()


class Audience:
    """The clients, and who wants what."""

    def __init__(
        self, clock: Callable[[], float], lives: Callable[[int], bool] = process_lives
    ) -> None:
        self._clock, self._lives = clock, lives
        self._visitors: dict[str, Visitor] = {}

    def __len__(self) -> int:
        return len(self._visitors)

    def __iter__(self) -> Iterator[Visitor]:
        return iter(list(self._visitors.values()))

    def welcome(self, name: str, pid: int) -> None:
        """A client has said hello."""
        self._visitors[name] = Visitor(name, pid, self._clock())

    def heard(self, name: str) -> bool:
        """It lives; False where it is not known (any more) and has to say hello."""
        visitor = self._visitors.get(name)
        if visitor is not None:
            visitor.heard_at = self._clock()
        return visitor is not None

    def subscribe(self, name: str, topics: list[str]) -> None:
        """What it shows now."""
        if name in self._visitors:
            self._visitors[name].topics = frozenset(topics)

    def readers(self, kind: str) -> list[str]:
        """Who gets a message of this kind that goes to all windows."""
        topic = TOPICS.get(kind)
        return [it.name for it in self if topic is None or topic in it.topics]

    def dismiss(self, name: str) -> None:
        """It has left; unknown names are fine."""
        self._visitors.pop(name, None)

    def gone(self) -> list[str]:
        """Names of those whose process ended or hangs; they are dismissed."""
        now = self._clock()
        names = [
            it.name
            for it in self
            if now - it.heard_at > SILENT_S or not self._lives(it.pid)
        ]
        for name in names:
            self.dismiss(name)
        return names
