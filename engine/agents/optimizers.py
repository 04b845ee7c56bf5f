"""Optimizers on one vector that holds all parameters."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from engine.contract.arrays import State

FIRST_DECAY, SECOND_DECAY = 0.9, 0.999
RMS_DECAY = 0.95


class Pace(NamedTuple):
    """How a step is made; numbers, or tensors [] while it is recorded.

    Attributes:
      rate: Its length.
      epsilon: What keeps its divisor from 0.
    """

    rate: float | Tensor
    epsilon: float | Tensor


class Vectors(NamedTuple):
    """What a step reads and moves, float [P] each.

    Attributes:
      values: Of the parameters.
      gradients: Of the loss by them.
      moments: What is remembered of earlier gradients.
    """

    values: Tensor
    gradients: Tensor
    moments: Sequence[Tensor]


class Optimizer(Protocol):
    """Moves values along gradients, both float [P].

    Attributes:
      moments: What it remembers of earlier gradients, float [P] each.
    """

    moments: tuple[Tensor, ...]

    def pace(self, learning_rate: float) -> Pace:
        """Of the next step."""
        ...

    def move(self, vectors: Vectors, pace: Pace) -> None:
        """Move values and moments in place."""
        ...

    def moved(self) -> None:
        """A step was made, here or elsewhere."""
        ...

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


class _OneVector(ABC):
    """What all of them share: the values and their gradients."""

    moments: tuple[Tensor, ...] = ()

    def __init__(self, values: Tensor, gradients: Tensor, epsilon: float = 0.0) -> None:
        self._values, self._gradients = values, gradients
        self._epsilon = epsilon
        self._steps = 0

    def pace(self, learning_rate: float) -> Pace:
        """See :class:`Optimizer`."""
        return Pace(learning_rate, self._epsilon)

    @abstractmethod
    def move(self, vectors: Vectors, pace: Pace) -> None:
        """See :class:`Optimizer`."""

    def moved(self) -> None:
        """See :class:`Optimizer`."""
        self._steps += 1

    def step(self, learning_rate: float) -> None:
        """See :class:`Optimizer`."""
        vectors = Vectors(self._values, self._gradients, self.moments)
        self.move(vectors, self.pace(learning_rate))
        self.moved()


class GradientDescent(_OneVector):
    r"""Plain steps, :math:`\theta \leftarrow \theta - \alpha g`."""

    def move(self, vectors: Vectors, pace: Pace) -> None:
        """See :class:`Optimizer`."""
        vectors.values.sub_(vectors.gradients * pace.rate)

    def state(self) -> State:
        """Nothing is remembered but what it is."""
        return {"kind": "sgd"}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""


class _TwoMoments(_OneVector):
    """Running means of gradients and of their squares."""

    def __init__(self, values: Tensor, gradients: Tensor, epsilon: float) -> None:
        super().__init__(values, gradients, epsilon)
        self.moments = torch.zeros_like(values), torch.zeros_like(values)

    def state(self) -> State:
        """Both moments."""
        mean, square = (it.cpu().numpy().copy() for it in self.moments)
        return {"mean": mean, "square": square}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        for moment, name in zip(self.moments, ("mean", "square"), strict=True):
            moment.copy_(torch.from_numpy(np.array(state[name])))


def _averaged(vectors: Vectors, first: float, second: float) -> tuple[Tensor, Tensor]:
    """Both running means after another gradient, each with its decay."""
    (mean, square), gradients = vectors.moments, vectors.gradients
    mean.lerp_(gradients, 1 - first)
    square.mul_(second).addcmul_(gradients, gradients, value=1 - second)
    return mean, square


class RMSProp(_TwoMoments):
    r"""The centred form that DQN was published with.

    .. math:: m \leftarrow \rho m + (1 - \rho) g, \quad
              v \leftarrow \rho v + (1 - \rho) g^2, \quad
              \theta \leftarrow \theta - \alpha \frac{g}{\sqrt{v - m^2 + \epsilon}}

    Source: Mnih et al. (2015), https://doi.org/10.1038/nature14236, extended data
    table 1 (there ρ = 0.95 and ε = 0.01).
    """

    def move(self, vectors: Vectors, pace: Pace) -> None:
        """See :class:`Optimizer`."""
        mean, square = _averaged(vectors, RMS_DECAY, RMS_DECAY)
        variance = square.addcmul(mean, mean, value=-1)
        # Rounding may bring the variance of equal gradients below 0.
        root = variance.clamp_(min=0).add_(pace.epsilon).sqrt_()
        vectors.values.sub_(vectors.gradients.div(root).mul_(pace.rate))


class Adam(_TwoMoments):
    r"""Kingma and Ba (2015), https://arxiv.org/abs/1412.6980, algorithm 1.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad
              v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad
              \theta \leftarrow \theta - \alpha \frac{m / (1 - \beta_1^t)}
              {\sqrt{v / (1 - \beta_2^t)} + \epsilon}
    """

    def pace(self, learning_rate: float) -> Pace:
        """See :class:`Optimizer`; both corrections of the bias are in it."""
        steps = self._steps + 1
        root_bias = math.sqrt(1 - SECOND_DECAY**steps)
        rate = learning_rate * root_bias / (1 - FIRST_DECAY**steps)
        return Pace(rate, self._epsilon * root_bias)

    def move(self, vectors: Vectors, pace: Pace) -> None:
        """See :class:`Optimizer`."""
        mean, square = _averaged(vectors, FIRST_DECAY, SECOND_DECAY)
        root = square.sqrt().add_(pace.epsilon)
        vectors.values.sub_(mean.div(root).mul_(pace.rate))

    def state(self) -> State:
        """Both moments and the number of steps."""
        return {**super().state(), "steps": self._steps}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        super().restore(state)
        self._steps = int(state["steps"])
