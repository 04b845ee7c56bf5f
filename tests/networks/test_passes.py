"""The direct pass is the graph's pass: same values, same gradients."""

import pytest
import torch

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat
from engine.networks import build_q_network, fastest_pass, flatten_parameters
from engine.networks.passes import DirectPass, GraphPass

CARD = EnvironmentCard("", observation="vector", shape=(5,), actions=3)


def network_of(**options):
    flat = {key.replace("__", "."): value for key, value in options.items()}
    return build_q_network(configuration_from_flat(flat), CARD, seed=1)


def gradients_of(kind, network, observations, upstream):
    _, gradients = flatten_parameters(network)
    gradients.fill_(99.0)  # what an earlier batch left behind
    of_kind = kind(network) if kind is DirectPass else kind(network, gradients)
    q = of_kind.forward(observations)
    of_kind.backward(upstream)
    return q, gradients.clone()


@pytest.mark.parametrize("hidden", ["", "8", "16,16", "7,6,5"])
@pytest.mark.parametrize("dueling", ["none", "mean", "max"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_direct_and_graph_agree(hidden, dueling, activation):
    options = {
        "network__hidden": hidden,
        "network__activation": activation,
        "agent__dueling": dueling,
    }
    torch.manual_seed(0)
    observations, upstream = torch.randn(32, 5), torch.randn(32, 3)
    results = [
        gradients_of(kind, network_of(**options), observations, upstream)
        for kind in (DirectPass, GraphPass)
    ]
    torch.testing.assert_close(results[0][0], results[1][0])
    torch.testing.assert_close(results[0][1], results[1][1])


def test_equally_good_advantages_share_the_gradient_of_their_maximum():
    torch.manual_seed(0)
    results = []
    for kind in (DirectPass, GraphPass):
        network = network_of(agent__dueling="max", network__hidden="")
        with torch.no_grad():
            network.head.weight.zero_()
            network.head.bias.zero_()
        results.append(gradients_of(kind, network, torch.ones(4, 5), torch.ones(4, 3)))
    torch.testing.assert_close(results[0][1], results[1][1])


def test_a_dead_unit_passes_no_gradient():
    network = network_of(network__hidden="2")
    with torch.no_grad():
        network.torso[1].bias.copy_(torch.tensor([-100.0, 100.0]))
    _, gradients = gradients_of(DirectPass, network, torch.ones(3, 5), torch.ones(3, 3))
    of_first_layer = gradients[:10].reshape(2, 5)
    assert not of_first_layer[0].any()
    assert of_first_layer[1].any()


def test_the_direct_pass_is_taken_where_there_is_one():
    image = EnvironmentCard(
        "", observation="image", shape=(8, 8, 1), dtype="uint8", actions=3
    )
    vector = network_of()
    _, gradients = flatten_parameters(vector)
    assert isinstance(fastest_pass(vector, gradients), DirectPass)
    smooth = network_of(network__activation="silu")
    _, gradients = flatten_parameters(smooth)
    assert isinstance(fastest_pass(smooth, gradients), GraphPass)
    seeing = build_q_network(configuration_from_flat({}), image, seed=1)
    _, gradients = flatten_parameters(seeing)
    assert isinstance(fastest_pass(seeing, gradients), GraphPass)


@pytest.mark.parametrize("kind", [DirectPass, GraphPass])
def test_values_follow_weights_that_change_in_place(kind):
    network = network_of(network__hidden="4")
    values, gradients = flatten_parameters(network)
    of_kind = kind(network) if kind is DirectPass else kind(network, gradients)
    observations = torch.randn(2, 5)
    before = of_kind.values(observations)
    values.mul_(2.0)
    assert not torch.equal(before, of_kind.values(observations))
    torch.testing.assert_close(
        of_kind.values(observations), network(observations).detach()
    )
