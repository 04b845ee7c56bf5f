"""One observation for each of several networks against one at a time."""

import numpy as np
import pytest

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat
from engine.networks import build_q_network, flatten_parameters
from engine.networks.rows import RowOfEach
from engine.networks.single_row import SingleRow
from engine.networks.stacks import Stacks, stacked

CARD = EnvironmentCard("Test-v0", observation="vector", shape=(3,), actions=4)
FORMS = [
    {},
    {"agent.dueling": "mean", "network.activation": "tanh"},
    {"head.kind": "c51", "head.atoms": 7, "agent.dueling": "max"},
]


def networks(options, count=3):
    """Networks whose parameters lie side by side, and the stack of them."""
    configuration = configuration_from_flat({"network.hidden": "8,6", **options})
    stacks = Stacks(count)
    found = [build_q_network(configuration, CARD, seed) for seed in range(count)]
    for index, network in enumerate(found):
        flatten_parameters(network, stacks.rows(index))
    return found


@pytest.mark.parametrize("options", FORMS, ids=str)
def test_each_network_says_what_it_says_by_itself(options):
    found = networks(options)
    rows = RowOfEach(found)
    rng = np.random.default_rng(0)
    for _ in range(2):
        seen = list(rng.standard_normal((3, 3)).astype(np.float32))
        rows.look(seen)
        for index, network in enumerate(found):
            alone = SingleRow(network)(seen[index])
            np.testing.assert_allclose(rows.of(index)(seen[index]), alone, rtol=1e-5)
        rows.look_away()
        by_itself = rows.of(1)(seen[0])
        np.testing.assert_array_equal(by_itself, SingleRow(found[1])(seen[0]))
        # The weights are followed as they move in place.
        for network in found:
            network.head.weight.data.mul_(1.5)


def test_noise_is_left_to_each():
    network = networks({"exploration.kind": "noisy"})[0]
    assert SingleRow.suits(network)
    assert not RowOfEach.suits(network)


def test_rows_side_by_side_are_one_tensor_and_others_are_copied():
    first, *_ = found = networks({})
    weights = stacked([it.head.weight for it in found])
    first.head.weight.data.fill_(5.0)
    assert (weights[0] == 5.0).all()
    apart = stacked([it.head.weight.clone() for it in found])
    first.head.weight.data.fill_(6.0)
    assert (apart[0] == 5.0).all()
