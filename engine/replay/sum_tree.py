"""A tree of sums: draw in proportion and change weights in O(log N).

Each node has eight children that lie side by side, one line of the processor's
cache, so a walk over a million leaves reads from distant memory about twice. Many
walks go down, or up, together, one level after the other: their reads overlap.

Each node is exactly the sum of its children, added anew at each change in the same
order, so rounding errors cannot pile up and a tree that is rebuilt from its leaves
is the same to the last bit.
"""

from __future__ import annotations

import numba
import numpy as np

_WIDTH = 8
_BITS = 3


class SumTree:
    """Weights of ``size`` leaves and the sums over them, float64.

    All levels lie in one array, the root's children first. The children of node
    ``i`` of a level are the nodes ``8i`` to ``8i + 7`` of the next.
    """

    def __init__(self, size: int) -> None:
        sizes = [_WIDTH]
        while sizes[-1] < size:
            sizes.append(sizes[-1] * _WIDTH)
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)[:-1]
        # The last level need not be complete: full blocks of children are enough.
        last = -(-size // _WIDTH) * _WIDTH
        self._nodes = np.zeros(int(self._starts[-1]) + last)

    def lie_in(self, room: np.ndarray) -> None:
        """Have the nodes in this array from now on, float64 [:attr:`nodes`]."""
        if self._nodes is not room:
            room[:] = self._nodes
            self._nodes = room

    @property
    def nodes(self) -> int:
        """How many numbers a tree of this size needs."""
        return len(self._nodes)

    @property
    def starts(self) -> np.ndarray:
        """Where each level begins among the nodes, int64; alike for trees of a size."""
        return self._starts

    @property
    def total(self) -> float:
        """Sum of all leaves."""
        return float(_block_sum(self._nodes, 0))

    def leaves(self, indices: np.ndarray) -> np.ndarray:
        """Weights of these leaves."""
        weights: np.ndarray = self._nodes[indices + self._starts[-1]]
        return weights

    def set(self, indices: np.ndarray, bases: np.ndarray, exponent: float) -> None:
        """Change leaves to ``base ** exponent``; a base of 0 makes a weight of 0.

        Of equal indices the last one counts.
        """
        _set(self._nodes, self._starts, indices, bases, exponent)

    def fill(self, bases: np.ndarray, exponent: float) -> None:
        """Change all leaves, in O(N)."""
        _fill(self._nodes, self._starts, bases, exponent)

    def sample(self, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One leaf from each of B equal shares of the total, and its probability.

        Args:
          uniform: Where in its share each draw falls, from [0, 1), float64 [B].

        Raises:
          ValueError: If all weights are 0.
        """
        leaves, probabilities = _sample(self._nodes, self._starts, uniform)
        if len(uniform) and not probabilities[0] > 0:
            raise ValueError("nothing can be drawn: all weights are 0")
        return leaves, probabilities


@numba.njit(cache=True)
def _block_sum(nodes: np.ndarray, first: int) -> float:
    """Sum of the eight children that begin here, always in the same order."""
    total = 0.0
    for child in range(first, first + _WIDTH):
        total += nodes[child]
    return total


@numba.njit(cache=True)
def _set(
    nodes: np.ndarray,
    starts: np.ndarray,
    indices: np.ndarray,
    bases: np.ndarray,
    exponent: float,
) -> None:
    level = len(starts) - 1
    for i in range(len(indices)):
        weight = bases[i] ** exponent if bases[i] > 0.0 else 0.0
        nodes[starts[level] + indices[i]] = weight
    node = indices.copy()
    while level > 0:
        for i in range(len(node)):
            node[i] >>= _BITS
            total = _block_sum(nodes, starts[level] + (node[i] << _BITS))
            nodes[starts[level - 1] + node[i]] = total
        level -= 1


@numba.njit(cache=True)
def _fill(
    nodes: np.ndarray, starts: np.ndarray, bases: np.ndarray, exponent: float
) -> None:
    level = len(starts) - 1
    for i in range(len(bases)):
        weight = bases[i] ** exponent if bases[i] > 0.0 else 0.0
        nodes[starts[level] + i] = weight
    count = len(nodes) - starts[level]
    while level > 0:
        count = (count + _WIDTH - 1) >> _BITS
        for node in range(count):
            total = _block_sum(nodes, starts[level] + (node << _BITS))
            nodes[starts[level - 1] + node] = total
        level -= 1


@numba.njit(cache=True, error_model="numpy")
def _sample(
    nodes: np.ndarray, starts: np.ndarray, uniform: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    count = len(uniform)
    leaves = np.zeros(count, np.int64)
    total = _block_sum(nodes, 0)
    rest = np.empty(count)
    for i in range(count):
        rest[i] = (i + uniform[i]) / count * total
    for level in range(len(starts)):
        for i in range(count):
            child = starts[level] + (leaves[i] << _BITS)
            # Rounding may leave a rest behind the last child that has weight:
            # ``last`` is then the answer.
            last = child
            left = rest[i]
            for candidate in range(child, child + _WIDTH):
                weight = nodes[candidate]
                if weight > 0.0:
                    last = candidate
                    rest[i] = left
                    if left < weight:
                        break
                    left -= weight
            leaves[i] = last - starts[level]
    probabilities = np.empty(count)
    for i in range(count):
        probabilities[i] = nodes[starts[len(starts) - 1] + leaves[i]] / total
    return leaves, probabilities


@numba.njit(cache=True)
def set_each(
    rooms: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
    indices: np.ndarray,
    bases: np.ndarray,
    exponent: float,
) -> None:
    """:meth:`SumTree.set` of several trees, whose nodes are the rows of ``rooms``.

    ``ends`` says where among the indices those of each tree end.
    """
    first = 0
    for tree in range(len(rooms)):
        mine = slice(first, ends[tree])
        _set(rooms[tree], starts, indices[mine], bases[mine], exponent)
        first = ends[tree]


@numba.njit(cache=True)
def sample_each(
    rooms: np.ndarray, starts: np.ndarray, uniform: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """:meth:`SumTree.sample` of several trees, [K, B]; a probability of 0: nothing."""
    leaves = np.empty(uniform.shape, np.int64)
    probabilities = np.empty(uniform.shape)
    for tree in range(len(rooms)):
        drawn = _sample(rooms[tree], starts, uniform[tree])
        leaves[tree], probabilities[tree] = drawn
    return leaves, probabilities
