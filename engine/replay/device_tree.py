"""Trees of sums as tensors: many draws, or changes, go through them together.

Each node has 64 children: a tree of a million leaves has four levels, and a level is a
few calls for a whole batch. No number is read out of a tensor, so that a device can do
it all without whoever asked waiting for it. The sum over children is always added in
the same order, so a tree that is filled anew is the same to the last bit; the tree of
``sum_tree`` adds in another order and differs in the last digits. Trees of several
memories are of one size, and each level holds the nodes of all behind each other.
"""

from __future__ import annotations

import torch
from torch import Tensor

WIDTH = 64


class DeviceTree:
    """Weights of ``size`` leaves for each of K trees and the sums over them, float64.

    Leaves are numbered through: leaf ``tree * size + slot``.

    Attributes:
      levels: The nodes of each level, [K, n], the roots' children first, the leaves
        last.
    """

    def __init__(self, size: int, device: torch.device, count: int = 1) -> None:
        self._size, self._count = size, count
        sizes = [_whole_blocks(size)]
        while sizes[0] > WIDTH:
            sizes.insert(0, _whole_blocks(sizes[0] // WIDTH))
        how = {"dtype": torch.float64, "device": device}
        self.levels = [torch.zeros(count, it, **how) for it in sizes]  # type: ignore[call-overload]
        self._sums_before = torch.ones(WIDTH, WIDTH, **how).triu()  # type: ignore[call-overload]
        self._order = torch.arange(1, WIDTH + 1, device=device)

    @property
    def total(self) -> Tensor:
        """Sum of all leaves of each tree, [K]."""
        return _sums(self.levels[0])

    def fill(self, weights: Tensor) -> None:
        """Change all leaves, float64 [K * size], in O(N)."""
        self.levels[-1][:, : self._size] = weights.view(self._count, -1)
        for above, level in zip(self.levels[-2::-1], self.levels[:0:-1], strict=True):
            sums = _sums(level.view(-1, WIDTH)).view(self._count, -1)
            above[:, : sums.shape[1]] = sums

    def set(self, leaves: Tensor, weights: Tensor) -> None:
        """Change leaves; those that are named twice get the same weight twice."""
        tree, nodes = leaves // self._size, leaves % self._size
        self.levels[-1][tree, nodes] = weights
        for above, level in zip(self.levels[-2::-1], self.levels[:0:-1], strict=True):
            nodes = nodes // WIDTH
            above[tree, nodes] = _sums(_blocks(level)[tree, nodes])

    def sample(self, uniform: Tensor) -> tuple[Tensor, Tensor]:
        """As many leaves of each tree; see ``SumTree.sample``.

        Where all weights are 0 it is the first leaf, and NaN.

        Args:
          uniform: Float64 [K * B], those of each tree behind each other.
        """
        each = uniform.view(self._count, -1)
        batch, total = each.shape[1], self.total.unsqueeze(1)
        shares = torch.arange(batch, dtype=uniform.dtype, device=uniform.device)
        rest = ((shares + each) / batch * total).flatten()
        trees = torch.arange(self._count, device=uniform.device)
        tree = trees.unsqueeze(1).expand_as(each).flatten()
        nodes = torch.zeros_like(tree)
        for level in self.levels:
            children = _blocks(level)[tree, nodes]
            sums = children @ self._sums_before
            child = self._choose(children, sums, rest).unsqueeze(1)
            before = (sums - children).gather(1, child).squeeze(1)
            rest = (rest - before).clamp_(min=0)
            nodes = nodes * WIDTH + child.squeeze(1)
        weights = self.levels[-1][tree, nodes].view_as(each)
        return tree * self._size + nodes, (weights / total).flatten()

    def _choose(self, children: Tensor, sums: Tensor, rest: Tensor) -> Tensor:
        """The first child that reaches beyond the rest, or the last one with weight.

        Rounding may leave a rest behind that one, and must not lead to a weight of 0.
        """
        has_weight = children > 0
        reaches = has_weight & (sums > rest.unsqueeze(1))
        last = (has_weight * self._order).argmax(1)
        return torch.where(reaches.any(1), reaches.byte().argmax(1), last)


def _whole_blocks(count: int) -> int:
    return -(-count // WIDTH) * WIDTH


def _blocks(level: Tensor) -> Tensor:
    """The children of each node above, [K, n, WIDTH]."""
    return level.view(len(level), -1, WIDTH)


def _sums(blocks: Tensor) -> Tensor:
    """Sums of rows [n, WIDTH], in an order that does not depend on ``n``."""
    width = WIDTH
    while width > 1:
        width //= 2
        blocks = blocks[:, :width] + blocks[:, width:]
    return blocks[:, 0]
