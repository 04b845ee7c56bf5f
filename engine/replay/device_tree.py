"""The tree of sums as tensors: many draws, or changes, go through it together.

Each node has 64 children: a tree of a million leaves has four levels, and a level is a
few calls for a whole batch. No number is read out of a tensor, so that a device can do
it all without whoever asked waiting for it. The sum over children is always added in
the same order, so a tree that is filled anew is the same to the last bit; the tree of
``sum_tree`` adds in another order and differs in the last digits.
"""

from __future__ import annotations

import torch
from torch import Tensor

WIDTH = 64


class DeviceTree:
    """Weights of ``size`` leaves and the sums over them, float64.

    Attributes:
      levels: The nodes of each level, the root's children first, the leaves last.
    """

    def __init__(self, size: int, device: torch.device) -> None:
        sizes = [_whole_blocks(size)]
        while sizes[0] > WIDTH:
            sizes.insert(0, _whole_blocks(sizes[0] // WIDTH))
        how = {"dtype": torch.float64, "device": device}
        self.levels = [torch.zeros(it, **how) for it in sizes]  # type: ignore[call-overload]
        self._sums_before = torch.ones(WIDTH, WIDTH, **how).triu()  # type: ignore[call-overload]
        self._order = torch.arange(1, WIDTH + 1, device=device)

    @property
    def total(self) -> Tensor:
        """Sum of all leaves, []."""
        return _sums(self.levels[0].unsqueeze(0))[0]

    def fill(self, weights: Tensor) -> None:
        """Change all leaves, float64 [size], in O(N)."""
        self.levels[-1][: len(weights)] = weights
        for above, level in zip(self.levels[-2::-1], self.levels[:0:-1], strict=True):
            sums = _sums(level.view(-1, WIDTH))
            above[: len(sums)] = sums

    def set(self, slots: Tensor, weights: Tensor) -> None:
        """Change leaves; those that are named twice get the same weight twice."""
        self.levels[-1][slots] = weights
        nodes = slots
        for above, level in zip(self.levels[-2::-1], self.levels[:0:-1], strict=True):
            nodes = nodes // WIDTH
            above[nodes] = _sums(level.view(-1, WIDTH)[nodes])

    def sample(self, uniform: Tensor) -> tuple[Tensor, Tensor]:
        """See ``SumTree.sample``; where all weights are 0 the first leaf, and NaN."""
        count, total = len(uniform), self.total
        shares = torch.arange(count, dtype=uniform.dtype, device=uniform.device)
        rest = (shares + uniform) / count * total
        nodes = torch.zeros_like(shares, dtype=torch.int64)
        for level in self.levels:
            children = level.view(-1, WIDTH)[nodes]
            sums = children @ self._sums_before
            child = self._choose(children, sums, rest).unsqueeze(1)
            before = (sums - children).gather(1, child).squeeze(1)
            rest = (rest - before).clamp_(min=0)
            nodes = nodes * WIDTH + child.squeeze(1)
        return nodes, self.levels[-1][nodes] / total

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


def _sums(blocks: Tensor) -> Tensor:
    """Sums of rows [n, WIDTH], in an order that does not depend on ``n``."""
    width = WIDTH
    while width > 1:
        width //= 2
        blocks = blocks[:, :width] + blocks[:, width:]
    return blocks[:, 0]
