"""How equations refuse tensors that do not fit together."""

from __future__ import annotations

import torch
from torch import Tensor


def check_shape(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    """Refuse a tensor of another shape, so that nothing is broadcast silently.

    Raises:
      ValueError: If ``tensor.shape`` is not ``shape``.
    """
    if tensor.shape != shape:
        raise ValueError(f"{name} must be {tuple(shape)}, got {tuple(tensor.shape)}")


def check_rank(name: str, tensor: Tensor, axes: str) -> None:
    """Refuse a tensor with another number of axes than ``axes`` has letters.

    Raises:
      ValueError: If the rank differs; the sentence shows the wanted axes.
    """
    if tensor.dim() != len(axes):
        wanted = "[" + ", ".join(axes) + "]"
        raise ValueError(f"{name} must be {wanted}, got {tuple(tensor.shape)}")


def check_index(name: str, index: Tensor) -> None:
    """Refuse an index that is not a tensor of 64-bit integers.

    Raises:
      ValueError: If the type differs.
    """
    if index.dtype.is_floating_point or index.dtype.itemsize != 8:
        raise ValueError(f"{name} must be int64, got {index.dtype}")


def check_flags(name: str, flags: Tensor, shape: tuple[int, ...]) -> None:
    """Refuse flags of another shape, or of another type than bool.

    Raises:
      ValueError: If shape or type differs.
    """
    check_shape(name, flags, shape)
    if flags.dtype != torch.bool:
        raise ValueError(f"{name} must be bool, got {flags.dtype}")
