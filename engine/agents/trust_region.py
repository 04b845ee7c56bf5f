"""Which samples may be learned from when the online network bootstraps on itself."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.contract.arrays import State
from engine.contract.options import Configuration
from engine.equations.value import trust_region_mask

LEAST_SIGMA = 0.01
MEMORY = 0.99
"""How much of the running variance each update keeps."""


class TrustRegion:
    """Masks samples, and keeps the running spread that the region is measured in.

    Source: Kapturowski et al. (2023), https://arxiv.org/abs/2209.07550, section 3.1:
    σ is the largest of the running spread, that of the batch, and 0.01.
    """

    def __init__(self) -> None:
        self._square = 0.0
        self._updates = 0

    def keep(
        self,
        configuration: Configuration,
        q_online: Tensor,
        q_target_network: Tensor,
        target: Tensor,
        weight: Tensor,
    ) -> Tensor:
        """True for samples to learn from, bool [R]; all arguments float [R].

        Samples of weight 0, as the padding of sequences, have no part in the spread.
        """
        options = configuration.agent
        spread = q_online if options.trust_scale == "q" else target - q_online
        sigma = self._sigma(spread[weight > 0])
        return trust_region_mask(
            q_online, q_target_network, target, options.trust_width, sigma
        )

    def _sigma(self, values: Tensor) -> float:
        variance = float(torch.var(values, unbiased=False)) if len(values) else 0.0
        self._updates += 1
        self._square = MEMORY * self._square + (1 - MEMORY) * variance
        running = self._square / (1 - MEMORY**self._updates)
        return max(math.sqrt(running), math.sqrt(variance), LEAST_SIGMA)

    def state(self) -> State:
        """The running variance."""
        return {"square": self._square, "updates": self._updates}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        self._square, self._updates = float(state["square"]), int(state["updates"])
