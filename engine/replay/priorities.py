"""Priorities of slots: kept raw, drawn from through a sum tree.

Source: Schaul et al. (2016), https://arxiv.org/abs/1511.05952, section 3.3:
*proportional* draws in proportion to ``p ** α``, *by rank* to ``(1 / rank) ** α``.
"""

from __future__ import annotations

import numpy as np

from engine.contract.arrays import State
from engine.replay.streams import Streams
from engine.replay.sum_tree import SumTree

LEAST_CHANGES = 1000
"""Changes between two sortings of a small memory."""


class Priorities:
    """Raw priorities, and draws in proportion to their power of α.

    A new slot gets the largest priority seen so far (1 at first), so that each is
    likely to be learned from once. The tree exists only while it is needed.

    Ranks are those among the priorities at the last sorting, which happens again
    after as many changes as there are slots: O(log N) for each change.

    Attributes:
      raw: ``|td_error| + priority_epsilon`` of each slot, float64 [N]; only that of
        sampleable slots counts.
      largest: The largest raw priority so far.
      tree: What is drawn from; None while nothing is.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self.tree: SumTree | None = None
        self._alpha = 0.0
        self._by_rank = False
        self._sorted = np.zeros(0)
        self._bases = np.zeros(0)
        self._changes = 0
        self.raw = np.zeros(streams.slots)
        self.largest = 1.0

    def use(self, alpha: float, *, by_rank: bool = False) -> None:
        """Draw with this exponent from now on."""
        ranked = self._by_rank and self.tree is not None
        if self.tree is None:
            self.tree = SumTree(self._streams.slots)
        if by_rank and ranked:
            self.follow()
        elif by_rank:
            self._sort()
        self._alpha, self._by_rank = alpha, by_rank
        self._fill()

    def _fill(self) -> None:
        assert self.tree is not None
        bases = self._bases if self._by_rank else self.raw
        self.tree.fill(np.where(self._streams.sampleable, bases, 0.0), self._alpha)
        self._streams.changed.clear()

    def _sort(self) -> None:
        """Find the rank of each slot; equal priorities are ranked by their slot."""
        slots = np.flatnonzero(self._streams.sampleable)
        order = np.argsort(self.raw[slots], kind="stable")
        self._sorted = self.raw[slots[order]]
        self._bases = np.zeros(self._streams.slots)
        self._bases[slots[order[::-1]]] = 1.0 / np.arange(1, len(slots) + 1)
        self._changes = 0

    def _base(self, slots: np.ndarray) -> np.ndarray:
        """What the exponent is applied to, of these slots."""
        if not self._by_rank:
            raw: np.ndarray = self.raw[slots]
            return raw
        above = len(self._sorted) - self._sorted.searchsorted(self.raw[slots], "right")
        bases: np.ndarray = 1.0 / (above + 1)
        self._bases[slots] = bases
        return bases

    def _set(self, slots: np.ndarray) -> None:
        assert self.tree is not None
        bases = np.where(self._streams.sampleable[slots], self._base(slots), 0.0)
        self.tree.set(slots, bases, self._alpha)

    def rest(self) -> None:
        """Draw no more; raw priorities are kept."""
        self.tree = None

    def welcome(self, slot: int) -> None:
        """Give a new slot the largest priority."""
        self.raw[slot] = self.largest

    def follow(self) -> None:
        """Take over which slots became, or ceased to be, sampleable."""
        changed = self._streams.changed
        if self.tree is not None and changed:
            self._set(np.array(changed, np.int64))
        changed.clear()

    def draw(self, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slots and their probabilities; see :meth:`SumTree.sample`."""
        self.follow()
        assert self.tree is not None, "use() comes before draw()"
        return self.tree.sample(uniform)

    def weights(self, probabilities: np.ndarray, beta: float) -> np.ndarray:
        """Importance weights of a batch, float32 [B]; see :func:`batch_weights`."""
        return batch_weights(probabilities, len(self._streams), beta)

    def update(self, slots: np.ndarray, priority: np.ndarray) -> None:
        """Change raw priorities, float64 above 0."""
        self.raw[slots] = priority
        self.largest = max(self.largest, float(priority.max()))
        if self.tree is None:
            return
        if self._by_rank:
            self._set(slots)
            self._changes += len(slots)
            if self._changes > max(len(self._streams), LEAST_CHANGES):
                self._sort()
                self._fill()
        else:
            self.tree.set(slots, priority, self._alpha)

    def probabilities(self, slots: np.ndarray) -> np.ndarray:
        """How likely each slot is to be drawn next, float64."""
        self.follow()
        assert self.tree is not None, "use() comes before probabilities()"
        return self.tree.leaves(slots) / self.tree.total

    def state(self) -> State:
        """Raw priorities of the sampleable slots, in order, and their ranks."""
        sampleable = self._streams.sampleable
        if self._by_rank:
            self.follow()
        ranks: State = {
            "sorted": self._sorted,
            "bases": self._bases[sampleable] if self._by_rank else np.zeros(0),
            "changes": self._changes,
        }
        return {"raw": self.raw[sampleable], "largest": self.largest, "ranks": ranks}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`, after the streams have been restored."""
        self.largest = float(state["largest"])
        sampleable = self._streams.sampleable
        if sampleable.any():
            self.raw[sampleable] = state["raw"]
        if self._by_rank and "ranks" in state:
            ranks = state["ranks"]
            self._sorted, self._changes = ranks["sorted"], int(ranks["changes"])
            self._bases = np.zeros(self._streams.slots)
            if sampleable.any():
                self._bases[sampleable] = ranks["bases"]
        if self.tree is not None:
            self._fill()


def batch_weights(
    probabilities: np.ndarray, size: int | np.ndarray, beta: float
) -> np.ndarray:
    """Importance weights of batches drawn with these probabilities, float32 [..., B].

    It is ``equations.importance_weights`` in numpy, where it takes a tenth of the time
    for a batch; a test keeps them equal.

    Args:
      probabilities: Of each drawn slot, float64 [..., B].
      size: How many slots could be drawn; for several batches, [..., 1].
      beta: How much of the bias is corrected, 0 to 1.
    """
    weights: np.ndarray = (size * probabilities) ** -beta
    weights /= weights.max(axis=-1, keepdims=True)
    return weights.astype(np.float32)
