"""The network of value-based agents: a torso, and a head with one value per action."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration, ConfigurationError
from engine.equations.value import dueling
from engine.networks.torsos import Flat, Images, conv_layers, mlp_layers

Dueling = Literal["none", "mean", "max"]


class QOutputs(NamedTuple):
    """Everything a network says about observations.

    Attributes:
      q: float [B, A].
      value_head: The dueling value stream [B]; NaN without one.
      advantage: The centred dueling advantages [B, A], so that ``q = value_head +
        advantage``; ``q - max q`` without dueling.
      embedding: Activations of the last hidden layer, float [B, H].
    """

    q: Tensor
    value_head: Tensor
    advantage: Tensor
    embedding: Tensor


class QNetwork(nn.Module):
    """Q-values of observations.

    ``torso`` ends with the last hidden layer; ``head`` is linear. With dueling its
    first output is the value and the others are the advantages.
    """

    def __init__(
        self, torso: nn.Sequential, features: int, actions: int, kind: Dueling
    ) -> None:
        super().__init__()
        self._dueling: Dueling = kind
        self.torso = torso
        self.head = nn.Linear(features, actions + (kind != "none"))

    def forward(self, observations: Tensor) -> Tensor:
        """Q-values, float [B, A], of observations [B, ...]."""
        return self.q_of_streams(self.head(self.torso(observations)))

    def outputs(self, observations: Tensor) -> QOutputs:
        """Q-values together with what they were made of."""
        embedding = self.torso(observations)
        streams = self.head(embedding)
        q = self.q_of_streams(streams)
        if self._dueling == "none":
            value = q.new_full((len(q),), math.nan)
            return QOutputs(q, value, q - q.amax(1, keepdim=True), embedding)
        value = streams[:, 0]
        return QOutputs(q, value, q - value.unsqueeze(1), embedding)

    def q_of_streams(self, streams: Tensor) -> Tensor:
        """Q-values from the outputs of the head."""
        if self._dueling == "none":
            return streams
        return dueling(streams[:, 0], streams[:, 1:], self._dueling)

    def streams_gradient(self, gradient: Tensor, streams: Tensor) -> Tensor:
        """Gradient of the head's outputs, from that of the Q-values."""
        if self._dueling == "none":
            return gradient
        of_value = gradient.sum(1, keepdim=True)
        if self._dueling == "mean":
            of_centre = of_value / gradient.shape[1]
        else:
            advantage = streams[:, 1:]
            best = advantage == advantage.amax(1, keepdim=True)
            of_centre = of_value * best / best.sum(1, keepdim=True)
        return torch.cat((of_value, gradient - of_centre), 1)


def build_q_network(
    configuration: Configuration, card: EnvironmentCard, seed: int
) -> QNetwork:
    """The network that the options ask for, with weights that follow from the seed.

    Raises:
      ConfigurationError: If the convolutions do not fit the images.
    """
    # torch's layers initialise themselves from the global generator: leave it alone.
    with torch.random.fork_rng(devices=[]):
        network = _assemble(configuration, card)
    _initialise(network, seed)
    return network


def _assemble(configuration: Configuration, card: EnvironmentCard) -> QNetwork:
    options = configuration.network
    convolutions: list[nn.Module] = []
    features = math.prod(card.shape)
    if has_convolutions(configuration, card):
        try:
            convolutions, features = conv_layers(
                card.shape, options.conv_layers(), options.activation
            )
        except ValueError as error:
            raise ConfigurationError({"network.conv": _misfit(error)}) from error
    scale = observation_scale(card)
    first = Images(scale) if convolutions else Flat(scale)
    layers, features = mlp_layers(features, options.hidden, options.activation)
    torso = nn.Sequential(first, *convolutions, *layers)
    return QNetwork(torso, features, card.actions, configuration.agent.dueling)


def has_convolutions(configuration: Configuration, card: EnvironmentCard) -> bool:
    """Whether the torso begins with convolutions (``auto``: for images)."""
    torso = configuration.network.torso
    return torso == "conv" or (torso == "auto" and card.observation == "image")


def observation_scale(card: EnvironmentCard) -> float:
    """Factor for observations: 1/255 for images of bytes, 1 for everything else.

    Images of bit planes (the card's ``high`` is 1 for them) hold 0 and 1 already.
    """
    if card.observation != "image":
        return 1.0
    return 1.0 / max(card.high, default=255.0)


def _misfit(error: ValueError) -> str:
    return f"The convolutions do not fit: {error}; choose a smaller network.conv."


def _initialise(network: QNetwork, seed: int) -> None:
    """Uniform in ±1/√inputs for weights and biases, as torch's own layers do."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                bound = 1 / math.sqrt(module.weight[0].numel())
                module.weight.uniform_(-bound, bound, generator=generator)
                cast(Tensor, module.bias).uniform_(-bound, bound, generator=generator)
