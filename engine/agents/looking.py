"""What several networks say of an observation each, as one launch on their device.

The observations, and the noise of noisy layers, go there as one block, and the values
come back as one. Whoever acts waits for them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.agents.device_graph import Mark, capture, pinned
from engine.agents.learner import Learner
from engine.contract.options import Configuration
from engine.networks.passes import VectorPass
from engine.networks.returns import return_model
from engine.networks.stacks import stacked
from engine.replay.parcel import Field, Parcel


class Looks:
    """Values of one observation for each of K learners; follows their networks.

    Args:
      learners: Whose networks; all that an update moves or draws lies side by side.
      device: Where they are.
    """

    def __init__(self, learners: Sequence[Learner], device: torch.device) -> None:
        first, card = learners[0], learners[0].card
        self._learners, count = learners, len(learners)
        self._model = return_model(first.configuration)
        fields = {"seen": Field((count, 1, *card.shape), card.dtype)}
        self._noise: Tensor | None = None
        if first.configuration.exploration.kind == "noisy":
            self._noise = stacked([_noise(it) for it in learners])
            fields["noise"] = Field(self._noise.shape, "float32")
        parcel = Parcel(fields)
        self._letter = pinned(parcel.size, torch.uint8, device)
        self._parts = parcel.arrays(self._letter.numpy())
        self._inbox = self._letter.to(device, copy=True)
        self._mail = parcel.tensors(self._inbox)
        self._told = torch.zeros(2, count, card.actions, device=device)
        answer = pinned(self._told.numel(), torch.float32, device)
        self._answer = answer.view(self._told.shape)
        self._done = Mark(device)
        every = zip(*(_state(it) for it in learners), strict=True)
        self._state = [stacked(it) for it in every]
        self._say = torch.vmap(_recorded(first, self._mail["seen"][0]))
        self._launch = capture(self._work, [], device)

    @staticmethod
    def suits(configuration: Configuration) -> bool:
        """Whether values are all that is asked for, of one environment each."""
        kind = configuration.exploration.kind
        return kind in ("epsilon_greedy", "noisy") and (
            configuration.training.environments == 1
        )

    def __call__(self, observations: Sequence[np.ndarray]) -> np.ndarray:
        """Q-values, and what is followed in the place of them, float [2, K, A].

        Noisy networks draw new noise first, each its own.
        """
        self._parts["seen"][:, 0] = observations
        if self._noise is not None:
            for it, row in zip(self._learners, self._parts["noise"], strict=True):
                row[:] = it.online.draw_noise(it.noise).numpy()
        self._inbox.copy_(self._letter, non_blocking=True)
        self._launch()
        self._answer.copy_(self._told, non_blocking=True)
        self._done.set()
        self._done.wait()
        return self._answer.numpy().copy()

    @torch.no_grad()
    def _work(self) -> None:
        """What is captured."""
        if self._noise is not None:
            self._noise.copy_(self._mail["noise"])
        q = followed = self._say(*self._state, self._mail["seen"]).squeeze(1)
        if self._model is not None:
            q, followed = self._model.mean(q), self._model.preference(q)
        self._told.copy_(torch.stack([q, followed]))
        if self._noise is not None:
            self._noise.zero_()


def _noise(of: Learner) -> Tensor:
    noise = of.online.noise
    assert noise is not None
    return noise


def _state(of: Learner) -> list[Tensor]:
    """All that the network is made of."""
    return [of.values, *of.online.buffers(), *of.online.fixed()]


def _recorded(of: Learner, seen: Tensor) -> torch.fx.GraphModule:
    """Its pass as a function of :func:`_state` and observations like these."""
    from torch.fx.experimental.proxy_tensor import make_fx

    def say(*inputs: Tensor) -> Tensor:
        return VectorPass(of.online, inputs[0]).values(inputs[-1])

    with torch.no_grad():
        # Noise is found in the layers: the very tensors must go in.
        graph: torch.fx.GraphModule = make_fx(say)(*_state(of), seen)
    return graph
