"""How ε, learning rate and β move, at points worked out by hand."""

import math

import pytest

from engine.agents.schedules import beta, epsilon, learning_rate
from engine.contract.options import configuration_from_flat


def options(**flat):
    flat = {key.replace("__", "."): value for key, value in flat.items()}
    return configuration_from_flat({"training.steps": 1000, **flat})


def exploring(schedule, starts=0):
    return options(
        exploration__epsilon=0.8,
        exploration__epsilon_final=0.2,
        exploration__decay_steps=100,
        exploration__schedule=schedule,
        agent__learning_starts=starts,
    )


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        ("constant", 0, 0.8),
        ("constant", 10_000, 0.8),
        ("linear", 0, 0.8),
        ("linear", 50, 0.5),
        ("linear", 100, 0.2),
        ("linear", 10_000, 0.2),
        ("exponential", 0, 0.8),
        ("exponential", 20, 0.2 + 0.6 / math.e),
        ("exponential", 99, pytest.approx(0.2, abs=0.006)),
        ("exponential", 100, 0.2),
    ],
)
def test_epsilon(schedule, step, expected):
    assert epsilon(exploring(schedule), step) == pytest.approx(expected)


def test_every_action_is_random_before_learning_starts():
    configuration = exploring("linear", starts=70)
    assert epsilon(configuration, 69) == 1.0
    assert epsilon(configuration, 70) == pytest.approx(0.38)


def test_epsilon_zero_can_be_reached():
    configuration = options(exploration__epsilon_final=0.0, agent__learning_starts=0)
    assert epsilon(configuration, 10**6) == 0.0


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 0.01), (500, 0.006), (1000, 0.002), (5000, 0.002)]
)
def test_learning_rate_falls_to_its_share_at_the_end_of_the_budget(step, expected):
    configuration = options(agent__learning_rate=0.01, agent__learning_rate_final=0.2)
    assert learning_rate(configuration, step) == pytest.approx(expected)


def test_learning_rate_is_constant_by_default():
    assert learning_rate(options(), 700) == options().agent.learning_rate


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 0.4), (500, 0.7), (1000, 1.0), (5000, 1.0)]
)
def test_beta_rises_to_its_end_at_the_end_of_the_budget(step, expected):
    assert beta(options(), step) == pytest.approx(expected)
