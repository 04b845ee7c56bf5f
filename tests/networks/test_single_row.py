"""One row by numpy is the row of a batch by torch."""

import numpy as np
import pytest
import torch

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat
from engine.networks import build_q_network, flatten_parameters
from engine.networks.single_row import SingleRow

CARD = EnvironmentCard("", observation="vector", shape=(5,), actions=3)


def network_of(options, card=CARD):
    network = build_q_network(configuration_from_flat(options), card, seed=1)
    network.join_noise()
    return network


@pytest.mark.parametrize("dueling", ["none", "mean", "max"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("exploration", ["epsilon_greedy", "noisy"])
@pytest.mark.parametrize("head", ["scalar", "c51", "qr"])
def test_a_row_is_valued_as_in_a_batch_and_follows_weights_and_noise(
    dueling, activation, exploration, head
):
    network = network_of(
        {
            "agent.dueling": dueling,
            "network.activation": activation,
            "exploration.kind": exploration,
            "head.kind": head,
        }
    )
    vector, _ = flatten_parameters(network)
    assert SingleRow.suits(network)
    single, row = SingleRow(network), torch.randn(1, 5)
    generator = torch.Generator().manual_seed(3)
    seen = []
    with torch.inference_mode():
        for _ in range(3):
            seen.append(single(row[0].numpy()))
            np.testing.assert_allclose(seen[-1], network(row)[0], rtol=0, atol=1e-5)
            vector.mul_(1.25)
            network.resample(generator)
    assert not np.allclose(seen[0], seen[1])


@pytest.mark.parametrize(
    "options",
    [
        {"network.activation": "silu"},
        {"exploration.kind": "bootstrapped"},
        {"exploration.kind": "bootstrapped", "exploration.prior_scale": 1.0},
        {"network.recurrent": "gru", "replay.kind": "sequence"},
    ],
)
def test_networks_of_other_layers_are_left_to_torch(options):
    assert not SingleRow.suits(network_of(options))


def test_a_noisy_network_whose_parameters_lie_apart_is_left_to_torch():
    network = network_of({"exploration.kind": "noisy"})
    assert not SingleRow.suits(network)
    flatten_parameters(network)
    assert SingleRow.suits(network)
