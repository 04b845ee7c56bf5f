"""What the numbers that a network gives for each action say about the return.

A *scalar* head gives the expected return itself, ``[..., A]``. The others give ``N``
numbers for each action, ``[..., A, N]``: logits of fixed values (C51), quantiles
(QR), or particles (MMD). All of them are, for a target, values with probabilities.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from engine.contract.options import Configuration
from engine.equations.distributional import (
    categorical_cross_entropy,
    categorical_cvar,
    categorical_mean,
    cvar,
    mmd_loss,
    project_categorical,
    quantile_huber_loss,
    quantile_midpoints,
)


class Distribution(NamedTuple):
    """Values and their probabilities, float [..., M] both."""

    values: Tensor
    probs: Tensor

    @property
    def mean(self) -> Tensor:
        """Expected value, float [...]."""
        return (self.values * self.probs).sum(-1)


class ReturnReader(Protocol):
    """How the numbers of an action are read."""

    def mean(self, numbers: Tensor) -> Tensor:
        """Expected return, float [...], of float [..., N]."""
        ...

    def preference(self, numbers: Tensor) -> Tensor:
        """What actions are chosen by: mean or CVaR, float [...]."""
        ...

    def distribution(self, numbers: Tensor) -> Distribution:
        """The return as values with probabilities."""
        ...


class ReturnModel(ReturnReader, Protocol):
    """How the numbers of an action are read, and learned."""

    @property
    def neutral(self) -> bool:
        """Whether actions are chosen by the mean."""
        ...

    def row_mean(self, numbers: np.ndarray) -> np.ndarray:
        """:meth:`mean` in numpy, where few numbers take a fraction of the time."""
        ...

    def losses(self, numbers: Tensor, target: Distribution) -> Tensor:
        """Loss of each sample, float [R], of float [R, N] and a target of [R, M]."""
        ...


def return_model(configuration: Configuration) -> ReturnModel | None:
    """The model of a distribution head; None for a scalar one."""
    kind = configuration.head.kind
    if kind == "c51":
        return Categorical(configuration)
    if kind == "qr":
        return Quantiles(configuration)
    return Particles(configuration) if kind == "mmd" else None


class _Model:
    """What all of them share: the options."""

    def __init__(self, configuration: Configuration) -> None:
        self.options = configuration.head
        self.level = self.options.risk_level if self.options.risk == "cvar" else 1.0

    @property
    def neutral(self) -> bool:
        """See :class:`ReturnModel`."""
        return self.level == 1.0


class Categorical(_Model):
    """Probabilities of fixed values; Bellemare et al. (2017), arXiv 1707.06887."""

    def support(self, like: Tensor) -> Tensor:
        """The fixed values, float [N]."""
        low, high = self.options.value_min, self.options.value_max
        return torch.linspace(
            low, high, self.options.atoms, dtype=like.dtype, device=like.device
        )

    @cached_property
    def _row_support(self) -> np.ndarray:
        """See :meth:`row_mean`; not made where an update is recorded."""
        return self.support(torch.zeros(0)).numpy()

    def mean(self, numbers: Tensor) -> Tensor:
        """See :class:`ReturnModel`."""
        return categorical_mean(numbers.softmax(-1), self.support(numbers))

    def row_mean(self, numbers: np.ndarray) -> np.ndarray:
        """See :class:`ReturnModel`."""
        from engine.networks.row_kernels import softmax_mean

        means: np.ndarray = softmax_mean(numbers, self._row_support)
        return means

    def preference(self, numbers: Tensor) -> Tensor:
        """See :class:`ReturnModel`."""
        if self.neutral:
            return self.mean(numbers)
        return categorical_cvar(numbers.softmax(-1), self.support(numbers), self.level)

    def distribution(self, numbers: Tensor) -> Distribution:
        """See :class:`ReturnModel`."""
        return Distribution(
            self.support(numbers).expand_as(numbers), numbers.softmax(-1)
        )

    def losses(self, numbers: Tensor, target: Distribution) -> Tensor:
        """Kullback-Leibler divergence from the projected target, float [R].

        Its gradient is that of the cross-entropy; unlike it, it is 0 where nothing
        is left to learn, so that it serves as a priority (Hessel et al. 2018,
        arXiv 1710.02298).
        """
        probs = project_categorical(*target, self.support(numbers))
        entropy: Tensor = torch.special.entr(probs).sum(1)
        return categorical_cross_entropy(numbers, probs) - entropy


class Quantiles(_Model):
    """Values at fixed levels; Dabney et al. (2018), arXiv 1710.10044."""

    def mean(self, numbers: Tensor) -> Tensor:
        """See :class:`ReturnModel`."""
        return numbers.mean(-1)

    def row_mean(self, numbers: np.ndarray) -> np.ndarray:
        """See :class:`ReturnModel`."""
        mean: np.ndarray = numbers.mean(-1)
        return mean

    def preference(self, numbers: Tensor) -> Tensor:
        """See :class:`ReturnModel`."""
        return numbers.mean(-1) if self.neutral else cvar(numbers, self.level)

    def distribution(self, numbers: Tensor) -> Distribution:
        """See :class:`ReturnModel`."""
        return Distribution(numbers, torch.full_like(numbers, 1 / numbers.shape[-1]))

    def losses(self, numbers: Tensor, target: Distribution) -> Tensor:
        """See :class:`ReturnModel`."""
        tau = quantile_midpoints(numbers.shape[1], numbers.dtype, numbers.device)
        values, probs = target
        return quantile_huber_loss(numbers, values, tau, self.options.kappa, probs)


class Particles(Quantiles):
    """Samples of the return; Nguyen-Tang et al. (2021), arXiv 2007.12354."""

    def losses(self, numbers: Tensor, target: Distribution) -> Tensor:
        """See :class:`ReturnModel`."""
        return mmd_loss(numbers, target.values, self.options.bandwidths, target.probs)
