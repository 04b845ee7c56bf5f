"""A queue that hands out first what would change most."""

from __future__ import annotations

import heapq

import numpy as np

from engine.contract.arrays import State


class SweepQueue:
    """Pairs of state and action by priority; each is in it once.

    Of equal priorities the smallest pair comes first, so that the order depends on
    what is in the queue only.
    """

    def __init__(self) -> None:
        self._priorities: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []

    def __len__(self) -> int:
        return len(self._priorities)

    def put(self, pair: int, priority: float) -> None:
        """Queue a pair, or change its priority."""
        self._priorities[pair] = priority
        heapq.heappush(self._heap, (-priority, pair))
        if len(self._heap) > 64 + 8 * len(self._priorities):
            self._rebuild()

    def remove(self, pair: int) -> None:
        """Take a pair out, if it is in."""
        self._priorities.pop(pair, None)

    def take(self, count: int) -> list[int]:
        """Up to so many pairs, the highest priority first."""
        found: list[int] = []
        while self._priorities and len(found) < count:
            negative, pair = heapq.heappop(self._heap)
            # An entry whose priority has changed since then is left over.
            if self._priorities.get(pair) == -negative:
                del self._priorities[pair]
                found.append(pair)
        return found

    def _rebuild(self) -> None:
        self._heap = [(-it, pair) for pair, it in self._priorities.items()]
        heapq.heapify(self._heap)

    def state(self) -> State:
        """Pairs and priorities."""
        pairs = sorted(self._priorities)
        return {
            "pair": np.array(pairs, np.int64),
            "priority": np.array([self._priorities[it] for it in pairs], np.float64),
        }

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        pairs = np.asarray(state["pair"]).tolist()
        priorities = np.asarray(state["priority"]).tolist()
        self._priorities = dict(zip(pairs, priorities, strict=True))
        self._rebuild()
