"""Torsos: from an observation to the features below the head.

Letters: ``B`` observations, ``H`` features, an image is ``[B, height, width, C]``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from engine.networks.layers import MakeLinear

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
}


class Images(nn.Module):
    """Byte images as the convolutions want them: channels first, scaled floats."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self._scale = scale

    def forward(self, images: Tensor) -> Tensor:
        """uint8 [B, height, width, C] as float [B, C, height, width]."""
        plain = images.permute(0, 3, 1, 2).to(torch.get_default_dtype())
        return plain * self._scale


class Flat(nn.Module):
    """Observations of any shape as scaled floats [B, n]."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, observations: Tensor) -> Tensor:
        """Observations [B, ...] as float [B, n]."""
        if observations.dim() > 2:
            observations = observations.flatten(1)
        if observations.dtype != torch.get_default_dtype():
            observations = observations.to(torch.get_default_dtype())
        return observations if self.scale == 1.0 else observations * self.scale


def mlp_layers(
    inputs: int,
    hidden: Sequence[int],
    activation: str,
    linear: MakeLinear = nn.Linear,
) -> tuple[list[nn.Module], int]:
    """Fully connected layers and the width of the last one; none is linear."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [linear(inputs, width), ACTIVATIONS[activation]()]
        inputs = width
    return layers, inputs


def conv_layers(
    shape: tuple[int, ...], layers: Sequence[tuple[int, int, int]], activation: str
) -> tuple[list[nn.Module], int]:
    """Convolutions over images of this shape, flattened, and how many features.

    Args:
      shape: (height, width, channels) of one image.
      layers: (channels, kernel, stride) of each convolution.
      activation: Name of the nonlinearity after each of them.

    Raises:
      ValueError: If a kernel does not fit into what it looks at.
    """
    height, width, channels = shape
    modules: list[nn.Module] = []
    for number, (out, kernel, stride) in enumerate(layers, start=1):
        if kernel > min(height, width):
            raise ValueError(
                f"convolution {number} has a kernel of {kernel} but looks at an image "
                f"of {height} x {width}"
            )
        modules += [nn.Conv2d(channels, out, kernel, stride), ACTIVATIONS[activation]()]
        height, width = ((side - kernel) // stride + 1 for side in (height, width))
        channels = out
    return [*modules, nn.Flatten()], height * width * channels
