"""Optimizers on one vector that holds all parameters."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from engine.contract.arrays import State

FIRST_DECAY, SECOND_DECAY = 0.9, 0.999
RMS_DECAY = 0.95


class Optimizer(Protocol):
    """Moves values along gradients, both float [P]."""

    def step(self, learning_rate: float) -> None:
        """Move the values once."""
        ...

    def state(self) -> State:
        """What it remembers of earlier steps."""
        ...

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        ...


def make_optimizer(
    kind: str, values: Tensor, gradients: Tensor, epsilon: float
) -> Optimizer:
    """The optimizer of this name: ``adam``, ``rmsprop`` or ``sgd``."""
    if kind == "sgd":
        return GradientDescent(values, gradients)
    return (RMSProp if kind == "rmsprop" else Adam)(values, gradients, epsilon)


class GradientDescent:
    r"""Plain steps, :math:`\theta \leftarrow \theta - \alpha g`."""

    def __init__(self, values: Tensor, gradients: Tensor) -> None:
        self._values, self._gradients = values, gradients

    def step(self, learning_rate: float) -> None:
        """Move the values once along the gradients."""
        self._values.add_(self._gradients, alpha=-learning_rate)

    def state(self) -> State:
        """Nothing is remembered but what it is."""
        return {"kind": "sgd"}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""


class RMSProp:
    r"""The centred form that DQN was published with.

    .. math:: m \leftarrow \rho m + (1 - \rho) g, \quad
              v \leftarrow \rho v + (1 - \rho) g^2, \quad
              \theta \leftarrow \theta - \alpha \frac{g}{\sqrt{v - m^2 + \epsilon}}

    Source: Mnih et al. (2015), https://doi.org/10.1038/nature14236, extended data
    table 1 (there ρ = 0.95 and ε = 0.01).
    """

    def __init__(self, values: Tensor, gradients: Tensor, epsilon: float) -> None:
        self._values, self._gradients = values, gradients
        self._epsilon = epsilon
        self._mean = torch.zeros_like(values)
        self._square = torch.zeros_like(values)

    def step(self, learning_rate: float) -> None:
        """Move the values once along the gradients."""
        gradients = self._gradients
        self._mean.lerp_(gradients, 1 - RMS_DECAY)
        self._square.mul_(RMS_DECAY)
        self._square.addcmul_(gradients, gradients, value=1 - RMS_DECAY)
        variance = self._square.addcmul(self._mean, self._mean, value=-1)
        # Rounding may bring the variance of equal gradients below 0.
        root = variance.clamp_(min=0).add_(self._epsilon).sqrt_()
        self._values.addcdiv_(gradients, root, value=-learning_rate)

    def state(self) -> State:
        """Both moments."""
        return {
            "mean": self._mean.cpu().numpy().copy(),
            "square": self._square.cpu().numpy().copy(),
        }

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        self._mean.copy_(torch.from_numpy(np.array(state["mean"])))
        self._square.copy_(torch.from_numpy(np.array(state["square"])))


class Adam:
    r"""Kingma and Ba (2015), https://arxiv.org/abs/1412.6980, algorithm 1.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad
              v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad
              \theta \leftarrow \theta - \alpha \frac{m / (1 - \beta_1^t)}
              {\sqrt{v / (1 - \beta_2^t)} + \epsilon}
    """

    def __init__(self, values: Tensor, gradients: Tensor, epsilon: float) -> None:
        self._values = values
        self._gradients = gradients
        self._epsilon = epsilon
        self._mean = torch.zeros_like(values)
        self._square = torch.zeros_like(values)
        self._root = torch.zeros_like(values)
        self._steps = 0

    def step(self, learning_rate: float) -> None:
        """Move the values once along the gradients."""
        self._steps += 1
        root_bias = math.sqrt(1 - SECOND_DECAY**self._steps)
        rate = learning_rate * root_bias / (1 - FIRST_DECAY**self._steps)
        gradients = self._gradients
        self._mean.lerp_(gradients, 1 - FIRST_DECAY)
        self._square.mul_(SECOND_DECAY)
        self._square.addcmul_(gradients, gradients, value=1 - SECOND_DECAY)
        torch.sqrt(self._square, out=self._root).add_(self._epsilon * root_bias)
        self._values.addcdiv_(self._mean, self._root, value=-rate)

    def state(self) -> State:
        """Both moments and the number of steps."""
        return {
            "mean": self._mean.cpu().numpy().copy(),
            "square": self._square.cpu().numpy().copy(),
            "steps": self._steps,
        }

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        self._mean.copy_(torch.from_numpy(np.array(state["mean"])))
        self._square.copy_(torch.from_numpy(np.array(state["square"])))
        self._steps = int(state["steps"])
