"""Tensors of several learners side by side, so that one call moves them all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.networks.flat import Place


class Stacks:
    """Room for the tensors of so many learners: each is a row of one tensor."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._tensors: list[Tensor] = []

    def rows(self, index: int) -> Place:
        """The place of what this learner moves; all of them ask in the same order."""
        asked = 0

        def place(tensor: Tensor) -> Tensor:
            nonlocal asked
            if asked == len(self._tensors):
                shape = self._count, *tensor.shape
                self._tensors.append(tensor.new_zeros(shape))
            row = self._tensors[asked][index]
            asked += 1
            row.copy_(tensor)
            return row

        return place


def stacked(rows: Sequence[Tensor]) -> Tensor:
    """Rows as one tensor, [K, ...]; it moves with them where they lie side by side."""
    first = rows[0].detach()
    where = [it.data_ptr() for it in rows]
    apart = where[1] - where[0] if len(rows) > 1 else first.nbytes
    storage = first.untyped_storage().data_ptr()
    same = all(it.untyped_storage().data_ptr() == storage for it in rows)
    if not same or where != [where[0] + i * apart for i in range(len(rows))]:
        return torch.stack([it.detach() for it in rows])
    stride = apart // first.element_size(), *first.stride()
    return first.as_strided((len(rows), *first.shape), stride)
