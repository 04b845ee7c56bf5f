"""All parameters of a network as one vector, so that one call acts on them all."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Place = Callable[[Tensor], Tensor]
"""Says where a tensor is kept: gives one with the same content."""


def alone(tensor: Tensor) -> Tensor:
    """The place of what is kept by itself."""
    return tensor


def flatten_parameters(
    network: nn.Module, place: Place = alone
) -> tuple[Tensor, Tensor]:
    """Move the parameters of a network, and their gradients, into two vectors.

    Afterwards each parameter and its ``grad`` is a view: what happens to the
    vectors happens to the network, and backward passes add into the second one.

    Returns:
      All parameters, float [P], and all gradients, float [P], zero for now.
    """
    parameters = list(network.parameters())
    values = place(torch.cat([it.detach().reshape(-1) for it in parameters]))
    gradients = torch.zeros_like(values)
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = values[start:end].view_as(parameter)
        parameter.grad = gradients[start:end].view_as(parameter)
        start = end
    return values, gradients
