"""Assembles the network that the options ask for, with weights from a seed."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import nn

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import Configuration, ConfigurationError
from engine.networks.layers import (
    EnsembleLinear,
    MakeLinear,
    NoisyLinear,
    initialise,
)
from engine.networks.q_network import HeadShape, QNetwork, Recurrent
from engine.networks.torsos import Flat, Images, conv_layers, mlp_layers

PRIOR_SEED = 0x5EED
"""Added to the seed of the weights, for the fixed prior of an ensemble."""


def build_q_network(
    configuration: Configuration, card: EnvironmentCard, seed: int
) -> QNetwork:
    """The network that the options ask for, with weights that follow from the seed.

    Raises:
      ConfigurationError: If the convolutions do not fit the images.
    """
    network = _seeded(configuration, card, seed)
    exploration = configuration.exploration
    if exploration.kind != "bootstrapped" or not exploration.prior_scale:
        return network
    prior = _seeded(configuration, card, seed + PRIOR_SEED)
    scale = exploration.prior_scale
    return QNetwork(
        network.torso, network.head, network.shape, prior=prior, prior_scale=scale
    )


def head_shape(configuration: Configuration, card: EnvironmentCard) -> HeadShape:
    """What the head of this configuration gives."""
    head = configuration.head
    atoms = 0 if head.kind == "scalar" else head.atoms
    by_input = head.architecture == "action_input"
    return HeadShape(card.actions, atoms, configuration.agent.dueling, by_input)


def _seeded(configuration: Configuration, card: EnvironmentCard, seed: int) -> QNetwork:
    # torch's layers initialise themselves from the global generator: leave it alone.
    with torch.random.fork_rng(devices=[]):
        network = _assemble(configuration, card)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            initialise(module, generator)
    return network


def _assemble(configuration: Configuration, card: EnvironmentCard) -> QNetwork:
    shape, options = head_shape(configuration, card), configuration.network
    linear = _make_linear(configuration)
    stem, features = _stem(configuration, card)
    if shape.action_input:
        hidden, width = mlp_layers(
            features + card.actions, options.hidden, options.activation, linear
        )
        head = linear(width, shape.outputs)
        return QNetwork(stem, head, shape, body=nn.Sequential(*hidden))
    hidden, width = mlp_layers(features, options.hidden, options.activation, linear)
    recurrent = None
    if options.recurrent != "none":
        seen = card.actions if options.previous_action else 0
        units = options.recurrent_units
        recurrent = Recurrent(options.recurrent, width, seen, units)
        width = units
    torso = nn.Sequential(*stem, *hidden)
    return QNetwork(torso, linear(width, shape.outputs), shape, recurrent=recurrent)


def _make_linear(configuration: Configuration) -> MakeLinear:
    exploration = configuration.exploration
    if exploration.kind == "noisy":
        return partial(NoisyLinear, sigma=exploration.noisy_sigma)
    if exploration.kind == "bootstrapped":
        return partial(EnsembleLinear, exploration.members)
    return nn.Linear


def _stem(
    configuration: Configuration, card: EnvironmentCard
) -> tuple[nn.Sequential, int]:
    """What turns observations into features [B, F], and F."""
    scale, options = observation_scale(card), configuration.network
    if not has_convolutions(configuration, card):
        return nn.Sequential(Flat(scale)), math.prod(card.shape)
    try:
        layers, features = conv_layers(
            card.shape, options.conv_layers(), options.activation
        )
    except ValueError as error:
        raise ConfigurationError({"network.conv": _misfit(error)}) from error
    return nn.Sequential(Images(scale), *layers), features


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
