"""Layers that torch has not: noisy ones, and one layer for a whole ensemble."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

FEW_ROWS = 4
"""Up to so many are multiplied twice: a noisy layer of Atari took 6 times as long."""

MakeLinear = Callable[[int, int], nn.Module]
"""A fully connected layer from so many inputs to so many outputs."""


class NoisyLinear(nn.Module):
    r"""A linear layer whose weights are noisy; how much is learned.

    .. math:: y = (\mu^w + \sigma^w \odot \varepsilon^w) x + \mu^b + \sigma^b \odot
              \varepsilon^b, \quad \varepsilon^w_{ij} = f(\varepsilon_i)
              f(\varepsilon_j), \quad f(x) = \operatorname{sgn}(x) \sqrt{|x|}

    Source: Fortunato et al. (2018), https://arxiv.org/abs/1706.10295, eq. 9 to 11
    (factorised noise). Without :meth:`resample` there is no noise.

    Args:
      inputs, outputs: Widths.
      sigma: :math:`\sigma_0`; both σ begin at :math:`\sigma_0 / \sqrt{inputs}`.
    """

    noise_in: Tensor
    noise_out: Tensor

    def __init__(self, inputs: int, outputs: int, sigma: float) -> None:
        super().__init__()
        self.sigma_start = sigma / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.zeros(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        start = self.sigma_start
        self.weight_sigma = nn.Parameter(torch.full((outputs, inputs), start))
        self.bias_sigma = nn.Parameter(torch.full((outputs,), start))
        self.register_buffer("noise_in", torch.zeros(inputs), persistent=False)
        self.register_buffer("noise_out", torch.zeros(outputs), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Float [..., outputs] of float [..., inputs].

        The noise of a weight is that of its input times that of its output. With few
        rows, as where one acts, a second product is cheaper than a noisy matrix.
        """
        linear = nn.functional.linear
        if inputs.numel() <= FEW_ROWS * inputs.shape[-1]:
            noisy = linear(inputs * self.noise_in, self.weight_sigma, self.bias_sigma)
            return linear(inputs, self.weight, self.bias) + self.noise_out * noisy
        noise = torch.outer(self.noise_out, self.noise_in)
        weight = self.weight + self.weight_sigma * noise
        bias = self.bias + self.bias_sigma * self.noise_out
        return linear(inputs, weight, bias)


class EnsembleLinear(nn.Module):
    """The same layer of K independent networks, in one product of matrices.

    Args:
      members: K.
      inputs, outputs: Widths of each member.
    """

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(members, outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(members, outputs))

    def forward(self, inputs: Tensor) -> Tensor:
        """Float [K, B, outputs] of [K, B, inputs], or of [B, inputs] for all."""
        if inputs.dim() == 2:
            inputs = inputs.expand(len(self.weight), *inputs.shape)
        return torch.baddbmm(self.bias.unsqueeze(1), inputs, self.weight.mT)


def noise_level(layer: NoisyLinear, sigma: float | None = None) -> float:
    """Mean |σ| of the weights of a layer, maybe known, in units of its first value."""
    sigma = float(mean_sigma(layer)) if sigma is None else sigma
    return sigma / (layer.sigma_start or 1.0)


def mean_sigma(layer: NoisyLinear) -> Tensor:
    """Mean |σ| of the weights of a layer, []."""
    return layer.weight_sigma.detach().abs().mean()


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Uniform in ±1/√inputs for weights and biases, as torch's own layers do."""
    weight = getattr(module, "weight", None)
    if isinstance(module, (nn.Linear, nn.Conv2d, NoisyLinear, EnsembleLinear)):
        assert isinstance(weight, Tensor)
        first = weight[0, 0] if isinstance(module, EnsembleLinear) else weight[0]
        bound = 1 / math.sqrt(first.numel())
        weight.uniform_(-bound, bound, generator=generator)
        assert isinstance(module.bias, Tensor)
        module.bias.uniform_(-bound, bound, generator=generator)
    elif isinstance(module, (nn.LSTM, nn.GRU)):
        bound = 1 / math.sqrt(module.hidden_size)
        for parameter in module.parameters():
            parameter.uniform_(-bound, bound, generator=generator)
