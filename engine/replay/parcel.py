"""Arrays that travel to a device as one block of bytes, in one transfer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

_ALIGNED = 16


class Field(NamedTuple):
    """The form of one of the arrays."""

    shape: Sequence[int]
    dtype: str


class Parcel:
    """Where in a block of ``size`` bytes each array lies."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = dict(fields)
        self._spans: dict[str, slice] = {}
        end = 0
        for name, (shape, dtype) in self._fields.items():
            size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
            self._spans[name] = slice(end, end + size)
            end += -(-size // _ALIGNED) * _ALIGNED
        self.size = end

    def arrays(self, block: np.ndarray) -> dict[str, np.ndarray]:
        """Views of uint8 [size] by name; what is written to them is in the block."""
        return {
            name: block[self._spans[name]].view(dtype).reshape(shape)
            for name, (shape, dtype) in self._fields.items()
        }

    def tensors(self, block: Tensor) -> dict[str, Tensor]:
        """The same of a tensor, on its device."""
        return {
            name: block[self._spans[name]].view(torch_dtype(dtype)).view(*shape)
            for name, (shape, dtype) in self._fields.items()
        }


def torch_dtype(dtype: str) -> torch.dtype:
    """What torch calls a type of numpy's."""
    return torch.from_numpy(np.zeros(0, dtype)).dtype
