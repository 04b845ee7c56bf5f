"""What is learned, against values that are known exactly."""

import numpy as np
import pytest
from tiny_worlds import RandomMap

TABULAR = {
    "network__hidden": "",
    "agent__learning_rate": 0.05,
    "agent__learning_rate_final": 0.01,
    "agent__batch_size": 32,
    "agent__gradient_clip": 0.0,
    "agent__loss": "squared",
    "exploration__epsilon": 1.0,
    "exploration__schedule": "constant",
    "replay__capacity": 2000,
    "target_network__period": 10,
    "training__steps": 2500,
    "recording__level": "scalars",
}


def values(loop, states):
    """Q-values of every discrete state, [states, actions]."""
    return loop.agent.insight(np.eye(states, dtype=np.float32))["q"]


@pytest.mark.parametrize(("kind", "n_step"), [("uniform", 1), ("prioritized", 3)])
def test_a_corridor_is_worth_the_discount_to_the_power_of_the_distance(
    make, kind, n_step
):
    loop = make(
        **{
            **TABULAR,
            "environment__id": "RLLabTest/Corridor-v0",
            "agent__discount": 0.8,
            "agent__n_step": n_step,
            "replay__kind": kind,
            # Several steps under another policy are biased: act almost greedily.
            "exploration__epsilon": 1.0 if n_step == 1 else 0.02,
            "environment__time_limit": 50,
        }
    )
    loop.advance()
    expected = 0.8 ** np.arange(4, -1, -1)
    assert values(loop, 5).max(1) == pytest.approx(expected, abs=0.03)
    assert values(loop, 5).argmax(1).tolist() == [1] * 5


@pytest.mark.parametrize("n_step", [1, 3])
def test_an_endless_reward_is_worth_its_closed_form_across_time_limits(make, n_step):
    loop = make(
        **{
            **TABULAR,
            "environment__id": "RLLabTest/Ring-v0",
            "agent__discount": 0.9,
            "agent__n_step": n_step,
            "training__steps": 3000,
        }
    )
    loop.advance()
    assert values(loop, 4) == pytest.approx(np.full((4, 2), 1 / (1 - 0.9)), abs=0.2)


def test_a_ring_with_a_time_limit_of_eight_steps_is_worth_fifty(make):
    """γ = 0.98: 1/(1 - γ). Time limits taken for terminations would give 7.2."""
    loop = make(
        **{
            **TABULAR,
            "environment__id": "RLLabTest/Ring-v0",
            "agent__discount": 0.98,
            "agent__double": False,
            "agent__learning_rate": 0.1,
            "target_network__kind": "none",
            "training__steps": 4000,
        }
    )
    loop.advance()
    assert values(loop, 4) == pytest.approx(np.full((4, 2), 50.0), abs=1)


def test_a_time_limit_taken_for_a_termination_gives_another_number(make):
    """The same world, but its time limit is reported as a termination.

    Each cell is then half of the time four steps nearer to the end: with
    v₀..v₃ the values of the cells, vᵢ = 1 + γ vᵢ₊₁ but for the last cell, which
    sees v₃ = 1 + γ v₀ / 2.
    """
    loop = make(
        **{
            **TABULAR,
            "environment__id": "RLLabTest/Ring-v0",
            "environment__kwargs": {"honest": False},
            "agent__discount": 0.9,
            "training__steps": 3000,
        }
    )
    loop.advance()
    matrix = np.eye(4) - 0.9 * np.roll(np.eye(4), 1, 1)
    matrix[3, 0] = -0.9 / 2
    aliased = np.linalg.solve(matrix, np.ones(4))
    learned = values(loop, 4).mean(1)
    assert learned == pytest.approx(aliased, abs=0.6)
    assert learned.max() < 7 < 1 / (1 - 0.9)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"agent__double": False, "target_network__kind": "none"},
        {"agent__dueling": "max", "replay__kind": "prioritized"},
        pytest.param({"agent__double": False}, marks=pytest.mark.long),
        pytest.param(
            {"target_network__kind": "polyak", "target_network__tau": 0.1},
            marks=pytest.mark.slow,
        ),
        pytest.param({"agent__dueling": "mean"}, marks=pytest.mark.slow),
        pytest.param({"agent__loss": "huber"}, marks=pytest.mark.long),
        pytest.param({"training__environments": 4}, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_linear_learning_on_states_converges_to_value_iteration(make, options):
    settings = {
        **TABULAR,
        "environment__id": "RLLabTest/RandomMap-v0",
        "environment__time_limit": 30,
        "agent__discount": 0.9,
        "training__steps": 4000,
        **options,
    }
    loop = make(**settings)
    loop.advance()
    world = RandomMap()
    assert values(loop, 6) == pytest.approx(world.solve(0.9), abs=0.05)


def test_learning_without_replay_converges_as_well(make):
    settings = {
        **TABULAR,
        "environment__id": "RLLabTest/RandomMap-v0",
        "environment__time_limit": 30,
        "agent__discount": 0.9,
        "agent__double": False,
        "agent__learning_rate_final": 0.0,
        "replay__kind": "none",
        "target_network__kind": "none",
        "training__steps": 8000,
    }
    loop = make(**settings)
    loop.advance()
    assert values(loop, 6) == pytest.approx(RandomMap().solve(0.9), abs=0.1)
