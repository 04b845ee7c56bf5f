"""Gradients by observations: against differences, and complete along a path."""

import numpy as np
import pytest
import torch

from engine.agents.insight import look
from engine.agents.recollection import Recollection
from engine.agents.sensitivity import gradient, integrated_gradients
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat
from engine.networks import build_q_network, return_model

PLANES = EnvironmentCard(
    id="planes",
    observation="image",
    shape=(6, 6, 2),
    dtype="uint8",
    low=(0.0,),
    high=(1.0,),
    actions=3,
)
VECTOR = EnvironmentCard(id="vector", observation="vector", shape=(5,), actions=3)
CONV = {"network.torso": "conv", "network.conv": "4x3x1", "network.hidden": (8,)}
KINDS = {
    "mlp dueling": ({"agent.dueling": "mean", "network.hidden": (16,)}, VECTOR),
    "tanh": ({"network.activation": "tanh", "network.hidden": (16, 16)}, VECTOR),
    "c51": ({"head.kind": "c51", "head.atoms": 11, "network.hidden": (16,)}, VECTOR),
    "qr": ({"head.kind": "qr", "head.atoms": 11, "network.hidden": (16,)}, VECTOR),
    "ensemble": ({"exploration.kind": "bootstrapped"}, VECTOR),
    "conv": (CONV, PLANES),
    "gru": (
        {"network.recurrent": "gru", "replay.kind": "sequence"},
        VECTOR,
    ),
}


@pytest.fixture(autouse=True)
def _exact():
    """Differences need more digits than float32 has."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def built(kind):
    """A network in float64, its model, its card."""
    flat, card = KINDS[kind]
    configuration = configuration_from_flat(flat)
    network = build_q_network(configuration, card, 3).double()
    return network, return_model(configuration), card


def remembering(network, count):
    """What a recurrent network remembers of equal episodes; else None."""
    if network.recurrent is None:
        return None
    memory = Recollection(network, count, torch.device("cpu"))
    rng = torch.Generator().manual_seed(5)
    state = torch.randn(1, network.recurrent.width, generator=rng).double()
    memory.state = state.repeat(count, 1)
    return memory


def q_of(network, model, observations, action):
    memory = remembering(network, len(observations))
    with torch.no_grad():
        return look(network, model, observations, None, memory)["q"][:, action]


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_the_limit_of_differences(kind):
    network, model, card = built(kind)
    rng = np.random.default_rng(2)
    seen = torch.from_numpy(rng.random((1, *card.shape)))
    found = gradient(network, model, seen, 1, remembering(network, 1))[0].flatten()
    step = 1e-6
    for place in range(0, seen.numel(), 7 if card is PLANES else 1):
        moved = seen.repeat(2, *[1] * len(card.shape)).flatten(1)
        moved[:, place] += torch.tensor([step, -step])
        q = q_of(network, model, moved.view(2, *card.shape), 1)
        difference = float(q[0] - q[1]) / (2 * step)
        assert float(found[place]) == pytest.approx(difference, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_integrated_gradients_add_up_to_what_they_explain(kind):
    network, model, card = built(kind)
    rng = np.random.default_rng(2)
    seen = torch.from_numpy(rng.random(card.shape))
    ends = torch.stack([torch.zeros_like(seen), seen])
    memory = remembering(network, 64)
    found = integrated_gradients(network, model, ends, 2, memory)
    blank, whole = q_of(network, model, ends, 2)
    assert float(found.sum()) == pytest.approx(float(whole - blank), rel=0.02, abs=1e-3)


def test_it_can_be_asked_where_nothing_is_differentiated():
    network, model, card = built("conv")
    seen = torch.zeros((1, *card.shape), dtype=torch.float64)
    with torch.inference_mode():
        assert gradient(network, model, seen, 0).shape == seen.shape
