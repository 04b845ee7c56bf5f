"""Prioritized sampling and its correction, by hand and by reduction."""

import math

import pytest
import torch

from engine.equations.prioritization import importance_weights, sampling_probs

DTYPES = [torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", DTYPES)
def test_probabilities_by_hand(dtype):
    probs = sampling_probs(torch.tensor([1.0, 4.0, 9.0], dtype=dtype), 0.5)
    torch.testing.assert_close(probs, torch.tensor([1 / 6, 2 / 6, 3 / 6], dtype=dtype))


def test_exponent_zero_samples_uniformly_but_never_a_zero():
    probs = sampling_probs(torch.tensor([5.0, 0.0, 0.1, 80.0]), 0.0)
    torch.testing.assert_close(probs, torch.tensor([1 / 3, 0.0, 1 / 3, 1 / 3]))


def test_exponent_one_samples_in_proportion():
    priority = torch.tensor([3.0, 1.0])
    torch.testing.assert_close(sampling_probs(priority, 1.0), priority / 4)


@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_by_hand(dtype):
    # N·P = 0.5, 2, 4 and β = 1: 2, 0.5, 0.25, divided by the largest of the batch
    probs = torch.tensor([0.05, 0.2, 0.4], dtype=dtype)
    weights = importance_weights(probs, 10, 1.0)
    torch.testing.assert_close(weights, torch.tensor([1.0, 0.25, 0.125], dtype=dtype))


def test_the_maximum_is_that_of_the_batch():
    weights = importance_weights(torch.tensor([0.5, 0.4]), 1000, 0.7)
    assert weights.max() == 1.0


def test_full_correction_undoes_the_sampling():
    probs = sampling_probs(torch.tensor([1.0, 2.0, 5.0]).double(), 0.8)
    weights = importance_weights(probs, 3, 1.0)
    torch.testing.assert_close(weights * probs, torch.full_like(probs, probs.min()))


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_uniform_sampling_needs_no_correction(beta):
    weights = importance_weights(torch.full((4,), 0.25), 4, beta)
    assert weights.tolist() == [1.0] * 4


@pytest.mark.parametrize(
    ("priority", "sentence"),
    [
        ([[1.0]], r"priority must be \[N\]"),
        ([1.0, -1.0], "negative or NaN"),
        ([math.nan], "negative or NaN"),
        ([0.0, 0.0], "above 0"),
        ([], "above 0"),
    ],
)
def test_priorities_that_make_no_distribution_are_refused(priority, sentence):
    with pytest.raises(ValueError, match=sentence):
        sampling_probs(torch.tensor(priority), 0.5)


@pytest.mark.parametrize("probs", [[[0.5]], [0.0, 1.0], [-0.1], [math.nan]])
def test_probabilities_that_could_not_be_drawn_are_refused(probs):
    with pytest.raises(ValueError, match="probs must be"):
        importance_weights(torch.tensor(probs), 3, 0.5)
