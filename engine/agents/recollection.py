"""What a recurrent agent carries from step to step while it acts."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np
import torch
from torch import Tensor

from engine.contract.arrays import State
from engine.networks import QNetwork, Recall


class Recollection:
    """Memory of E episodes that are played side by side.

    Attributes:
      state: float [E, W]; zeros at the beginning of an episode.
      previous: The last action of each, int64 [E]; -1 at the beginning.
    """

    def __init__(self, network: QNetwork, count: int, device: torch.device) -> None:
        assert network.recurrent is not None
        self.state = torch.zeros(count, network.recurrent.width, device=device)
        self.previous = np.full(count, -1, np.int64)

    def begin(self, index: int) -> None:
        """An episode begins."""
        # What was made in inference mode must not be changed in place.
        self.state = self.state.clone()
        self.state[index] = 0
        self.previous[index] = -1

    def picked(self, indices: Sequence[int]) -> Recollection:
        """What is remembered of these episodes alone, as a copy."""
        found = copy(self)
        found.state = self.state[list(indices)]
        found.previous = self.previous[list(indices)]
        return found

    def before(self) -> np.ndarray:
        """The memory as a copy, float32 [E, W]."""
        return self.state.cpu().numpy().copy()

    def pass_on(self, network: QNetwork, observations: Tensor) -> Tensor:
        """Numbers of one more observation each, [E, A] or [E, A, N]."""
        previous = torch.from_numpy(self.previous).to(self.state.device)
        seen = observations.unsqueeze(1)
        features = network.features(seen, Recall(self.state, previous.unsqueeze(1)))
        assert features.state is not None
        self.state = features.state
        return network.numbers(features, seen).squeeze(1)

    def acted(self, actions: np.ndarray) -> None:
        """These actions, int64 [E], were taken."""
        self.previous = actions.astype(np.int64)

    def to_state(self) -> State:
        """Both, for an exact resume."""
        return {"state": self.before(), "previous": self.previous.copy()}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`to_state`."""
        self.state = torch.from_numpy(np.array(state["state"])).to(self.state.device)
        self.previous = np.array(state["previous"], np.int64)
