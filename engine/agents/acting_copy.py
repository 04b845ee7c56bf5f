"""The network that acts while another one learns."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.agents.weights import load_arrays, named_arrays
from engine.contract.arrays import State
from engine.networks import Pass, QNetwork, fastest_pass, flatten_parameters


class ActingCopy:
    """A copy of the online network with noise of its own.

    Attributes:
      noise: Random numbers of noisy layers.
      version: How many updates the online network had seen when it was copied.
    """

    def __init__(self, network: QNetwork, noise_seed: int) -> None:
        self._network = network.requires_grad_(False)
        network.join_noise()
        self._values, unused = flatten_parameters(network)
        self._pass = fastest_pass(network, unused)
        self.noise = torch.Generator().manual_seed(noise_seed)
        self.version = 0

    @property
    def network_and_pass(self) -> tuple[QNetwork, Pass]:
        """What acts."""
        return self._network, self._pass

    def take(self, values: Tensor, version: int) -> None:
        """Become a copy of a network whose parameters are this vector."""
        self._values.copy_(values)
        self.version = version

    def state(self) -> State:
        """Parameters, version and noise."""
        return {
            "weights": named_arrays(self._network, self._values),
            "version": self.version,
            "noise": self.noise.get_state().numpy().copy(),
        }

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`; raises ValueError if it is of another form."""
        load_arrays(self._network, state["weights"], "")
        self.version = int(state["version"])
        self.noise.set_state(torch.from_numpy(np.array(state["noise"])))
