"""Which samples may be learned from when the online network bootstraps on itself."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from engine.contract.arrays import State
from engine.contract.options import Configuration
from engine.equations.value import trust_region_mask

LEAST_SIGMA = 0.01
MEMORY = 0.99
"""How much of the running variance each update keeps."""


class Spread(NamedTuple):
    """The running variance before an update.

    Attributes:
      square: Its weighted sum so far, float64 [].
      weights: The sum of the weights after this update, above 0.
    """

    square: Tensor
    weights: float | Tensor


def trusted(
    configuration: Configuration,
    spread: Spread,
    q_online: Tensor,
    q_target_network: Tensor,
    target: Tensor,
    weight: Tensor,
) -> tuple[Tensor, Tensor]:
    """Which samples to learn from, bool [R], and the running sum afterwards, [].

    The other arguments are float [R]. Samples of weight 0, as the padding of
    sequences, have no part in the spread.

    Source: Kapturowski et al. (2023), https://arxiv.org/abs/2209.07550, section 3.1:
    σ is the largest of the running spread, that of the batch, and 0.01.
    """
    options = configuration.agent
    values = q_online if options.trust_scale == "q" else target - q_online
    variance = _variance(values.double(), (weight > 0).double())
    square = MEMORY * spread.square + (1 - MEMORY) * variance
    sigma = torch.maximum(square / spread.weights, variance).sqrt()
    sigma = sigma.clamp(min=LEAST_SIGMA).to(q_online.dtype)
    mask = trust_region_mask(
        q_online, q_target_network, target, options.trust_width, sigma
    )
    return mask, square


def _variance(values: Tensor, counted: Tensor) -> Tensor:
    """Of the values that count (1, else 0), []; 0 where none does."""
    count = counted.sum().clamp(min=1)
    mean = (values * counted).sum() / count
    return ((values - mean).square() * counted).sum() / count


class TrustRegion:
    """Keeps the running spread that the region is measured in."""

    def __init__(self) -> None:
        self.square = torch.zeros((), dtype=torch.float64)
        self._updates = 0

    @property
    def weights(self) -> float:
        """The sum of the weights after the next update."""
        return 1.0 - MEMORY ** (self._updates + 1)

    def moved(self) -> None:
        """An update was made, and the sum is that after it."""
        self._updates += 1

    def state(self) -> State:
        """The running variance."""
        return {"square": self.square.item(), "updates": self._updates}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        self.square.fill_(float(state["square"]))
        self._updates = int(state["updates"])
