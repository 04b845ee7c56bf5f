"""What agents say about states: named arrays for the views, for every network."""

import numpy as np
import pytest
import torch

from engine.agents.insight import look
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat
from engine.networks import build_q_network, return_model

VECTOR = EnvironmentCard("", observation="vector", shape=(3,), actions=4)
IMAGE = EnvironmentCard(
    "", observation="image", shape=(10, 8, 2), dtype="uint8", actions=4
)
COMMON = {"q": (5, 4), "value_head": (5,), "advantage": (5, 4), "embedding": (5, 9)}


def insight(card=VECTOR, previous=None, **options):
    flat = {key.replace("__", "."): value for key, value in options.items()}
    configuration = configuration_from_flat({"network.hidden": "9", **flat})
    network = build_q_network(configuration, card, 0)
    torch.manual_seed(0)
    observations = (10 * torch.rand(5, *card.shape)).to(getattr(torch, card.dtype))
    with torch.no_grad():
        return look(network, return_model(configuration), observations, previous)


def shapes(found):
    return {name: tuple(values.shape) for name, values in found.items()}


@pytest.mark.parametrize("aggregate", ["mean", "max"])
def test_dueling_outputs_add_up(aggregate):
    found = insight(agent__dueling=aggregate)
    sums = found["value_head"].unsqueeze(1) + found["advantage"]
    torch.testing.assert_close(sums, found["q"])
    advantage = found["advantage"]
    centre = advantage.mean(1) if aggregate == "mean" else advantage.amax(1)
    torch.testing.assert_close(centre, torch.zeros(5), atol=1e-6, rtol=0)


def test_without_dueling_the_value_head_is_missing_and_advantages_are_relative():
    found = insight(agent__dueling="none")
    assert found["value_head"].isnan().all()
    best = found["q"].amax(1, keepdim=True)
    torch.testing.assert_close(found["advantage"], found["q"] - best)


@pytest.mark.parametrize("card", [VECTOR, IMAGE])
def test_outputs_have_their_shapes(card):
    assert shapes(insight(card, agent__dueling="mean")) == COMMON


@pytest.mark.parametrize("kind", ["c51", "qr", "mmd"])
@pytest.mark.parametrize("dueling", ["none", "mean"])
def test_distributions_have_the_mean_that_is_shown(kind, dueling):
    found = insight(head__kind=kind, head__atoms=7, agent__dueling=dueling)
    numbers = {"return_values": (5, 4, 7), "return_probs": (5, 4, 7)}
    assert shapes(found) == {**COMMON, **numbers, "preference": (5, 4)}
    torch.testing.assert_close(found["preference"], found["q"])
    mean = (found["return_values"] * found["return_probs"]).sum(2)
    torch.testing.assert_close(mean, found["q"], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found["return_probs"].sum(2), torch.ones(5, 4))
    # The value stream of C51 consists of logits, which are no return.
    assert found["value_head"].isnan().all() == (kind == "c51" or dueling == "none")


def test_an_ensemble_shows_its_members():
    found = insight(exploration__kind="bootstrapped", exploration__members=6)
    assert shapes(found) == {**COMMON, "member_q": (5, 6, 4)}
    torch.testing.assert_close(found["member_q"].mean(1), found["q"])
    assert found["member_q"].std(1).min() > 0


def test_an_action_as_input_has_the_embedding_of_the_best():
    assert shapes(insight(head__architecture="action_input")) == COMMON


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_memory_is_shown_and_makes_a_difference(kind):
    options = {
        "network__recurrent": kind,
        "network__recurrent_units": 9,
        "replay__kind": "sequence",
    }
    alone = insight(**options)
    assert shapes(alone) == {**COMMON, "memory": (5, 9)}
    episode = insight(previous=np.array([-1, 0, 3, 2, 1]), **options)
    torch.testing.assert_close(episode["q"][0], alone["q"][0])
    assert (episode["q"][1:] - alone["q"][1:]).abs().min() > 0


def test_what_is_preferred_under_risk_is_the_mean_of_the_worst_share():
    options = {"head__kind": "qr", "head__atoms": 8, "head__risk": "cvar"}
    found = insight(head__risk_level=0.25, **options)
    worst = found["return_values"].sort(2).values[:, :, :2].mean(2)
    torch.testing.assert_close(found["preference"], worst)
