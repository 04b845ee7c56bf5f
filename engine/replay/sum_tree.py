"""A binary tree of sums: draw in proportion and change weights in O(log N).

Node 1 is the root, node ``i`` has the children ``2i`` and ``2i + 1``, the leaves
are the last half. Each node is exactly the sum of its two children, computed anew
at each change, so rounding errors cannot pile up and a tree that is rebuilt from
its leaves is the same to the last bit.
"""

from __future__ import annotations

import numba
import numpy as np


class SumTree:
    """Weights of ``size`` leaves and the sums over them, float64."""

    def __init__(self, size: int) -> None:
        self._first_leaf = 1 << max(size - 1, 1).bit_length()
        self._nodes = np.zeros(2 * self._first_leaf)

    @property
    def total(self) -> float:
        """Sum of all leaves."""
        return float(self._nodes[1])

    def leaves(self, indices: np.ndarray) -> np.ndarray:
        """Weights of these leaves."""
        weights: np.ndarray = self._nodes[indices + self._first_leaf]
        return weights

    def set(self, indices: np.ndarray, bases: np.ndarray, exponent: float) -> None:
        """Change leaves to ``base ** exponent``; a base of 0 makes a weight of 0.

        Of equal indices the last one counts.
        """
        _set(self._nodes, self._first_leaf, indices, bases, exponent)

    def fill(self, bases: np.ndarray, exponent: float) -> None:
        """Change all leaves, in O(N)."""
        _fill(self._nodes, self._first_leaf, bases, exponent)

    def sample(self, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One leaf from each of B equal shares of the total, and its probability.

        Args:
          uniform: Where in its share each draw falls, from [0, 1), float64 [B].

        Raises:
          ValueError: If all weights are 0.
        """
        if not self._nodes[1] > 0:
            raise ValueError("nothing can be drawn: all weights are 0")
        return _sample(self._nodes, self._first_leaf, uniform)


@numba.njit(cache=True)
def _set(
    nodes: np.ndarray,
    first_leaf: int,
    indices: np.ndarray,
    bases: np.ndarray,
    exponent: float,
) -> None:
    for i in range(len(indices)):
        node = first_leaf + indices[i]
        nodes[node] = bases[i] ** exponent if bases[i] > 0.0 else 0.0
        node >>= 1
        while node >= 1:
            nodes[node] = nodes[2 * node] + nodes[2 * node + 1]
            node >>= 1


@numba.njit(cache=True)
def _fill(
    nodes: np.ndarray, first_leaf: int, bases: np.ndarray, exponent: float
) -> None:
    for i in range(len(bases)):
        nodes[first_leaf + i] = bases[i] ** exponent if bases[i] > 0.0 else 0.0
    for node in range(first_leaf - 1, 0, -1):
        nodes[node] = nodes[2 * node] + nodes[2 * node + 1]


@numba.njit(cache=True)
def _sample(
    nodes: np.ndarray, first_leaf: int, uniform: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    count = len(uniform)
    leaves = np.empty(count, np.int64)
    probabilities = np.empty(count)
    total = nodes[1]
    for i in range(count):
        rest = (i + uniform[i]) / count * total
        node = 1
        while node < first_leaf:
            left = nodes[2 * node]
            # Rounding may leave a rest behind the last leaf that has weight.
            if rest < left or nodes[2 * node + 1] <= 0.0:
                node = 2 * node
            else:
                rest -= left
                node = 2 * node + 1
        leaves[i] = node - first_leaf
        probabilities[i] = nodes[node] / total
    return leaves, probabilities
