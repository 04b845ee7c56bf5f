"""Whatever may be chosen can be: at once, or with one other option that is named."""

import numpy as np
import pytest

from engine.contract.alternatives import alternative, alternatives
from engine.contract.catalogue import EnvironmentCard, check_combination
from engine.contract.combinations import RULES, complaints
from engine.contract.options import Configuration, ConfigurationError, specs

VECTOR = EnvironmentCard("CartPole-v1", "vector", (4,), actions=2)
IMAGE = EnvironmentCard("MinAtar", "image", (10, 10, 4), dtype="uint8", actions=3)
ONEHOT = EnvironmentCard("FrozenLake-v1", "onehot", (16,), actions=4)
CHOICES = {
    key: it.choices or (False, True)
    for key, it in specs().items()
    if it.kind in ("bool", "choice")
}


def draw(seed):
    """A random configuration without complaints, and a world."""
    rng = np.random.default_rng(seed)
    card = (VECTOR, IMAGE, ONEHOT)[rng.integers(3)]
    while True:
        flat = {key: it[rng.integers(len(it))] for key, it in CHOICES.items()}
        configuration = Configuration().with_options(flat)
        if not complaints(configuration, card):
            return configuration, card


@pytest.mark.parametrize("seed", range(10))
def test_what_is_offered_works_and_what_is_not_does_not(seed):
    configuration, card = draw(seed)
    for key in CHOICES:
        for value, found in alternatives(configuration, card, key).items():
            changed = configuration.with_options({key: value, **found.companion})
            if found.reason:
                assert not found.companion
                with pytest.raises(ConfigurationError) as refused:
                    check_combination(changed, card)
                first = next(iter(refused.value.complaints.values()))
                assert first in found.reason
            else:
                assert key not in found.companion
                assert len(found.companion) <= 1
                check_combination(changed, card)


@pytest.mark.parametrize("seed", range(10))
def test_a_companion_is_there_only_where_it_takes_one(seed):
    configuration, card = draw(seed)
    for key in CHOICES:
        for value, found in alternatives(configuration, card, key).items():
            wrong = complaints(configuration.with_options({key: value}), card)
            assert bool(wrong) == bool(found.companion or found.reason)


COMPANIONS = [
    ({}, "network.recurrent", "lstm", {"replay.kind": "sequence"}),
    ({}, "target_network.kind", "none", {"agent.double": False}),
    (
        {"agent.double": False, "target_network.kind": "none"},
        "agent.double",
        True,
        {"target_network.kind": "periodic"},
    ),
    (
        {"network.recurrent": "gru", "replay.kind": "sequence"},
        "replay.kind",
        "uniform",
        {"network.recurrent": "none"},
    ),
    (
        {"head.kind": "qr", "head.risk": "cvar"},
        "head.kind",
        "scalar",
        {"head.risk": "mean"},
    ),
]


@pytest.mark.parametrize(("options", "key", "value", "companion"), COMPANIONS)
def test_what_comes_with_a_choice(options, key, value, companion):
    configuration = Configuration().with_options(options)
    assert alternative(configuration, VECTOR, key, value).companion == companion


def test_where_one_change_is_not_enough_both_reasons_are_said():
    configuration = Configuration().with_options({"exploration.kind": "bootstrapped"})
    found = alternative(configuration, VECTOR, "network.recurrent", "lstm")
    assert found.companion == {}
    assert "set replay.kind to sequence" in found.reason
    assert "Each member of an ensemble" in found.reason


def test_complaints_of_before_are_held_against_no_value():
    broken = Configuration().with_options({"target_network.kind": "none"})
    assert complaints(broken)
    assert alternative(broken, VECTOR, "agent.loss", "squared").reason == ""


def test_every_remedy_is_a_legal_value():
    for rule in RULES:
        for key, value in rule.remedies:
            assert Configuration().with_options({key: value}).get(key) == value
