"""Memories of several agents whose slots lie behind each other, read in one go."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np

from engine.replay.batches import Batch, read_transitions
from engine.replay.kernels import NO_ACTION, first_sampleable
from engine.replay.memory import Memory
from engine.replay.priorities_side_by_side import PrioritiesSideBySide
from engine.replay.streams import LOG_COLUMNS, Streams


class MemoriesSideBySide:
    """Draws a batch for each of several memories, as each would draw it by itself.

    Args:
      memories: Alike, and empty yet: their slots move to where all of them lie.

    Attributes:
      parts: These memories.
      streams: All their slots, to be read from; who writes, and counts, is each part.
    """

    def __init__(self, memories: Sequence[Memory]) -> None:
        self.parts = memories
        self.streams = _behind_each_other([it.streams for it in memories])
        self._offsets = np.arange(len(memories)) * memories[0].capacity
        self._priorities = PrioritiesSideBySide(memories, self.streams)

    @property
    def filled(self) -> bool:
        """Whether something may be drawn from each."""
        return all(map(len, self.parts))

    def sample(
        self, count: int, gamma: float, beta: float, n: int, *, greedy_only: bool
    ) -> Batch | None:
        """Batches of ``count`` behind each other, or None where one cannot be drawn.

        Slots are those of each memory by itself.
        """
        if not self.filled:
            return None
        slots, weight = self._draw(count, beta)
        where = slots + self._offsets[:, None]
        how = self.streams, where.ravel(), n, gamma
        batch = read_transitions(*how, greedy_only=greedy_only)
        return batch._replace(slots=slots.ravel(), weight=weight)

    def learned(self, slots: np.ndarray, td_error: np.ndarray) -> None:
        """Tell each memory how wrong the estimates of its part were, [K, B]."""
        if self._together:
            self._priorities.learned(slots, td_error)
            return
        for memory, mine, error in zip(self.parts, slots, td_error, strict=True):
            memory.learned(mine, error)

    @property
    def _together(self) -> bool:
        """Whether priorities are drawn from and changed in one go."""
        options = self.parts[0].options
        return options.kind == "prioritized" and options.priority == "proportional"

    def _draw(self, count: int, beta: float) -> tuple[np.ndarray, np.ndarray | None]:
        """Slots [K, B], and the importance weights of all behind each other, if any."""
        if self.parts[0].options.kind == "uniform":
            return self._evenly(count), None
        if self._together:
            slots, weight = self._priorities.draw(count, beta)
            return slots, weight.ravel()
        drawn = [it.draw(count, beta) for it in self.parts]
        weights = [it[1] for it in drawn if it[1] is not None]
        slots = np.stack([it[0] for it in drawn])
        return slots, np.concatenate(weights) if weights else None

    def evenly(self, count: int) -> np.ndarray:
        """:meth:`Memory.evenly` of each, behind each other; slots of :attr:`streams`.

        Args:
          count: Of all together.
        """
        each = self._evenly(count // len(self.parts)) + self._offsets[:, None]
        return each.ravel()

    def numbers(self, count: int) -> np.ndarray:
        """:meth:`Memory.numbers` of each, behind each other; ``count`` of all."""
        each = count // len(self.parts)
        return np.concatenate([it.numbers(each) for it in self.parts])

    def _evenly(self, count: int) -> np.ndarray:
        """:meth:`Memory.evenly` of each, [K, B]: the numbers are of each by itself."""
        for it in self.parts:
            it.streams.changed.clear()
        drawn = np.array([it.candidates(count) for it in self.parts])
        sampleable = self.streams.sampleable
        slots, filled = first_sampleable(drawn, self._offsets, sampleable, count)
        for k in (filled < count).nonzero()[0].tolist():
            slots[k] = self.parts[k].fill_up(slots[k, : filled[k]], count)
        self.streams.count_sampled((slots + self._offsets[:, None]).ravel())
        return slots


def _behind_each_other(parts: Sequence[Streams]) -> Streams:
    """All slots as one, to be read from; those of each part are a piece of it."""
    whole = copy(parts[0])
    for name in (*LOG_COLUMNS, "sampleable", "times_sampled"):
        pieces = _move([getattr(it, name) for it in parts], whole.__dict__, name)
        for part, piece in zip(parts, pieces, strict=True):
            setattr(part, name, piece)
    whole.extras = {}
    for name in parts[0].extras:
        pieces = _move([it.extras[name] for it in parts], whole.extras, name)
        for part, piece in zip(parts, pieces, strict=True):
            part.extras[name] = piece
    whole.action.fill(NO_ACTION)
    return whole


def _move(
    columns: list[np.ndarray], into: dict[str, np.ndarray], name: str
) -> list[np.ndarray]:
    """Room for columns behind each other, and the pieces of it."""
    rows, *shape = columns[0].shape
    into[name] = np.zeros((len(columns) * rows, *shape), columns[0].dtype)
    return [into[name][it * rows : (it + 1) * rows] for it in range(len(columns))]
