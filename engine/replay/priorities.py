"""Priorities of slots: kept raw, drawn from through a sum tree."""

from __future__ import annotations

import numpy as np

from engine.contract.arrays import State
from engine.replay.streams import Streams
from engine.replay.sum_tree import SumTree


class Priorities:
    """Raw priorities, and draws in proportion to their power of α.

    A new slot gets the largest priority seen so far (1 at first), so that each is
    likely to be learned from once. The tree exists only while it is needed.

    Attributes:
      raw: ``|td_error| + priority_epsilon`` of each slot, float64 [N]; only that of
        sampleable slots counts.
      largest: The largest raw priority so far.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._tree: SumTree | None = None
        self._alpha = 0.0
        self.raw = np.zeros(streams.slots)
        self.largest = 1.0

    def use(self, alpha: float) -> None:
        """Draw with this exponent from now on."""
        if self._tree is None:
            self._tree = SumTree(self._streams.slots)
        self._alpha = alpha
        bases = np.where(self._streams.sampleable, self.raw, 0.0)
        self._tree.fill(bases, alpha)
        self._streams.changed.clear()

    def rest(self) -> None:
        """Draw no more; raw priorities are kept."""
        self._tree = None

    def welcome(self, slot: int) -> None:
        """Give a new slot the largest priority."""
        self.raw[slot] = self.largest

    def follow(self) -> None:
        """Take over which slots became, or ceased to be, sampleable."""
        changed = self._streams.changed
        if self._tree is not None and changed:
            slots = np.array(changed, np.int64)
            bases = np.where(self._streams.sampleable[slots], self.raw[slots], 0.0)
            self._tree.set(slots, bases, self._alpha)
        changed.clear()

    def draw(self, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slots and their probabilities; see :meth:`SumTree.sample`."""
        self.follow()
        assert self._tree is not None, "use() comes before draw()"
        return self._tree.sample(uniform)

    def weights(self, probabilities: np.ndarray, beta: float) -> np.ndarray:
        """Importance weights of a batch, float32 [B].

        It is ``equations.importance_weights`` in numpy, where it takes a tenth of
        the time for a batch; a test keeps them equal.
        """
        weights = (len(self._streams) * probabilities) ** -beta
        weights /= weights.max()
        return weights.astype(np.float32)

    def update(self, slots: np.ndarray, priority: np.ndarray) -> None:
        """Change raw priorities, float64 above 0."""
        self.raw[slots] = priority
        self.largest = max(self.largest, float(priority.max()))
        if self._tree is not None:
            self._tree.set(slots, priority, self._alpha)

    def probabilities(self, slots: np.ndarray) -> np.ndarray:
        """How likely each slot is to be drawn next, float64."""
        self.follow()
        assert self._tree is not None, "use() comes before probabilities()"
        return self._tree.leaves(slots) / self._tree.total

    def state(self) -> State:
        """Raw priorities of the sampleable slots, in order."""
        return {"raw": self.raw[self._streams.sampleable], "largest": self.largest}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`, after the streams have been restored."""
        self.largest = float(state["largest"])
        sampleable = self._streams.sampleable
        if sampleable.any():
            self.raw[sampleable] = state["raw"]
        if self._tree is not None:
            self.use(self._alpha)
