"""Parameters of a network as named arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn


def named_arrays(network: nn.Module, values: Tensor) -> dict[str, np.ndarray]:
    """Copies of all parameters by name, out of the vector that holds them."""
    flat = values.cpu().numpy().copy()
    named, start = {}, 0
    for name, parameter in network.named_parameters():
        end = start + parameter.numel()
        named[name] = flat[start:end].reshape(parameter.shape)
        start = end
    return named


def load_arrays(
    network: nn.Module, arrays: Mapping[str, np.ndarray], prefix: str
) -> None:
    """Copy arrays, named ``prefix`` and parameter, into a network.

    Raises:
      ValueError: If one is missing or has another shape; nothing is changed then.
    """
    found = {name: arrays.get(prefix + name) for name, _ in network.named_parameters()}
    for name, parameter in network.named_parameters():
        _check(prefix + name, found[name], tuple(parameter.shape))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.from_numpy(np.array(found[name])))


def _check(name: str, array: np.ndarray | None, shape: tuple[int, ...]) -> None:
    if array is None or array.shape != shape:
        what = "is missing" if array is None else f"has the shape {array.shape}"
        raise ValueError(f"{name} {what}; it must be {shape}")
