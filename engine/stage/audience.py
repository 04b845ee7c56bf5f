"""Who looks at the shown agent, and how many pictures each can still take."""

from __future__ import annotations

from collections.abc import Iterable

MOST_CREDITS = 3
"""Pictures on their way to one window; more would only be late."""


class Audience:
    """Credits per window: a picture goes to whoever has painted the one before."""

    def __init__(self) -> None:
        self._topics: dict[str, frozenset[str]] = {}
        self._credits: dict[str, int] = {}

    def subscribe(self, window: str, topics: Iterable[str]) -> None:
        """What this window shows now; nothing removes it."""
        self._topics[window] = frozenset(topics)
        if "picture" not in self._topics[window]:
            self._credits.pop(window, None)
        if not self._topics[window]:
            del self._topics[window]

    def add_credit(self, window: str, pictures: int) -> None:
        """This window has painted and can take so many more."""
        had = self._credits.get(window, 0)
        self._credits[window] = min(MOST_CREDITS, had + max(0, pictures))

    @property
    def anybody(self) -> bool:
        """Whether there is a window that shows anything."""
        return bool(self._topics)

    def wants(self, topic: str) -> bool:
        """Whether any window shows this topic."""
        return any(topic in topics for topics in self._topics.values())

    def topics(self, window: str) -> frozenset[str]:
        """What this window shows."""
        return self._topics.get(window, frozenset())

    def ready(self) -> list[str]:
        """Windows that show the picture and can take one."""
        return [
            window
            for window, topics in self._topics.items()
            if "picture" in topics and self._credits.get(window, 0) > 0
        ]

    def spend(self, window: str) -> None:
        """A picture has gone to this window."""
        self._credits[window] -= 1
