"""Priorities of several memories, drawn from and changed in one go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.replay.memory import Memory
from engine.replay.priorities import batch_weights
from engine.replay.streams import Streams
from engine.replay.sum_tree import sample_each, set_each


class PrioritiesSideBySide:
    """Draws and changes that each memory could make by itself, with equal numbers.

    Proportional ones; ranks are each memory's own affair.

    Args:
      memories: Alike, and empty yet: their priorities move to where all of them lie.
      streams: All slots as one; those of each memory are a piece of it.
    """

    def __init__(self, memories: Sequence[Memory], streams: Streams) -> None:
        self._memories, self._streams = memories, streams
        slots = memories[0].streams.slots
        self._offsets = np.arange(len(memories)) * slots
        self._raw = np.zeros(len(memories) * slots)
        for memory, first in zip(memories, self._offsets.tolist(), strict=True):
            memory.priorities.raw = self._raw[first : first + slots]
        self._rooms = np.zeros((len(memories), 0))
        self._rows: list[np.ndarray] = []
        self._starts = np.zeros(0, np.int64)

    def draw(self, count: int, beta: float) -> tuple[np.ndarray, np.ndarray]:
        """Slots of each memory's batch, [K, B], and importance weights.

        Raises:
          ValueError: If one of them has nothing that can be drawn.
        """
        self._gather_trees()
        self._follow()
        uniform = np.stack([it.numbers(count) for it in self._memories])
        slots, probabilities = sample_each(self._rooms, self._starts, uniform)
        if not (probabilities[:, 0] > 0).all():
            raise ValueError("nothing can be drawn: all weights are 0")
        self._streams.count_sampled(self._everywhere(slots).ravel())
        sizes = np.array([len(it.streams) for it in self._memories])
        return slots, batch_weights(probabilities, sizes[:, None], beta)

    def learned(self, slots: np.ndarray, td_error: np.ndarray) -> None:
        """Tell each memory how wrong the estimates were; both are [K, B]."""
        self._gather_trees()
        options = self._memories[0].options
        priority = np.abs(td_error.astype(np.float64))
        priority += options.priority_epsilon
        self._raw[self._everywhere(slots)] = priority
        for memory, highest in zip(
            self._memories, priority.max(axis=1).tolist(), strict=True
        ):
            memory.priorities.largest = max(memory.priorities.largest, highest)
        ends = np.arange(1, len(slots) + 1) * slots.shape[1]
        self._set(ends, slots.ravel(), priority.ravel())

    def _everywhere(self, slots: np.ndarray) -> np.ndarray:
        """Slots of each memory by itself as those of all, [K, B]."""
        everywhere: np.ndarray = slots + self._offsets[:, None]
        return everywhere

    def _gather_trees(self) -> None:
        """Have all trees in one array: those that came anew bring their own."""
        trees = [it.priorities.tree for it in self._memories]
        there = [it for it in trees if it is not None]
        assert len(there) == len(trees), "use() comes before draw()"
        if self._rooms.shape[1] != there[0].nodes:
            self._rooms = np.zeros((len(there), there[0].nodes))
            self._rows, self._starts = list(self._rooms), there[0].starts
        for tree, room in zip(there, self._rows, strict=True):
            tree.lie_in(room)

    def _follow(self) -> None:
        """Take over which slots became, or ceased to be, sampleable."""
        changed = [it.streams.changed for it in self._memories]
        counts = np.array(list(map(len, changed)))
        if not counts.any():
            return
        slots = np.array([slot for each in changed for slot in each], np.int64)
        where = slots + self._offsets.repeat(counts)
        bases = np.where(self._streams.sampleable[where], self._raw[where], 0.0)
        self._set(counts.cumsum(), slots, bases)
        for each in changed:
            each.clear()

    def _set(self, ends: np.ndarray, slots: np.ndarray, bases: np.ndarray) -> None:
        alpha = self._memories[0].options.alpha
        set_each(self._rooms, self._starts, ends, slots, bases, alpha)
