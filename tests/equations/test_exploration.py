"""Ways to choose actions, by hand and at their limits."""

import math

import pytest
import torch

from engine.equations.exploration import (
    boltzmann_probs,
    count_bonus,
    epsilon_greedy_probs,
    ucb_scores,
)

DTYPES = [torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", DTYPES)
def test_epsilon_greedy_by_hand_and_ties_share(dtype):
    q = torch.tensor([[1.0, 3.0, 2.0, 0.0], [5.0, 5.0, 1.0, 0.0]], dtype=dtype)
    probs = epsilon_greedy_probs(q, 0.2)
    expected = [[0.05, 0.85, 0.05, 0.05], [0.45, 0.45, 0.05, 0.05]]
    torch.testing.assert_close(probs, torch.tensor(expected, dtype=dtype))


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
def test_epsilon_greedy_is_a_distribution(epsilon):
    torch.manual_seed(0)
    probs = epsilon_greedy_probs(torch.randn(20, 6).double(), epsilon)
    torch.testing.assert_close(probs.sum(1), torch.ones(20).double())
    assert (probs >= 0).all()


@pytest.mark.parametrize("epsilon", [-0.1, 1.1, math.nan])
def test_epsilon_outside_its_range_is_refused(epsilon):
    with pytest.raises(ValueError, match="epsilon must be from 0 to 1"):
        epsilon_greedy_probs(torch.zeros(1, 2), epsilon)


@pytest.mark.parametrize("dtype", DTYPES)
def test_boltzmann_by_hand(dtype):
    q = torch.tensor([[0.0, 2.0 * math.log(3)]], dtype=dtype)
    expected = torch.tensor([[0.25, 0.75]], dtype=dtype)
    torch.testing.assert_close(boltzmann_probs(q, 2.0), expected)


def test_boltzmann_is_greedy_when_cold_uniform_when_hot_and_finite_always():
    q = torch.tensor([[1000.0, -1000.0]])
    assert boltzmann_probs(q, 1e-3).tolist() == [[1.0, 0.0]]
    torch.testing.assert_close(boltzmann_probs(q, 1e9), torch.full((1, 2), 0.5))


def test_ucb_by_hand_and_untried_actions_first():
    mean = torch.tensor([[0.5, 0.4, 0.0]])
    count = torch.tensor([[8.0, 2.0, 0.0]])
    scores = ucb_scores(mean, count, 10, math.sqrt(2))
    expected = [
        0.5 + math.sqrt(2 * math.log(10) / 8),
        0.4 + math.sqrt(2 * math.log(10) / 2),
    ]
    torch.testing.assert_close(scores[0, :2], torch.tensor(expected))
    assert scores[0, 2] == math.inf


def test_ucb_takes_a_number_of_trials_for_each_row():
    mean, count = torch.tensor([[0.5, 0.4], [0.1, 0.2]]), torch.full((2, 2), 3.0)
    both = ucb_scores(mean, count, torch.tensor([6.0, 50.0]), 2.0)
    for row, total in enumerate((6, 50)):
        alone = ucb_scores(mean[row, None], count[row, None], total, 2.0)
        torch.testing.assert_close(both[row], alone[0])
    with pytest.raises(ValueError, match="total must be"):
        ucb_scores(mean, count, torch.ones(3), 1.0)


def test_ucb_prefers_the_mean_where_nothing_is_uncertain():
    scores = ucb_scores(torch.tensor([[1.0, 2.0]]), torch.ones(1, 2), 1, 5.0)
    assert scores.tolist() == [[1.0, 2.0]]


def test_count_bonus_by_hand():
    bonus = count_bonus(torch.tensor([1.0, 4.0, 100.0]), 0.5)
    assert bonus.tolist() == pytest.approx([0.5, 0.25, 0.05])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: epsilon_greedy_probs(torch.zeros(3), 0.1), r"q must be \[B, A\]"),
        (lambda: boltzmann_probs(torch.zeros(3), 1.0), r"q must be \[B, A\]"),
        (lambda: boltzmann_probs(torch.zeros(1, 3), 0.0), "temperature"),
        (lambda: ucb_scores(torch.zeros(2), torch.zeros(2), 1, 1.0), "mean must be"),
        (
            lambda: ucb_scores(torch.zeros(1, 2), torch.zeros(1, 3), 1, 1.0),
            "count must",
        ),
        (
            lambda: ucb_scores(torch.zeros(1, 2), torch.zeros(1, 2), 0, 1.0),
            "total must",
        ),
        (lambda: count_bonus(torch.zeros(2), 1.0), "count must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
