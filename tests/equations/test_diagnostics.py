"""Signs of health, on layers whose state is known."""

import math

import pytest
import torch

from engine.equations.diagnostics import (
    dormant_fraction,
    effective_rank,
    overestimation,
    soft_divergence_bound,
)

DTYPES = [torch.float32, torch.float64]


def with_singular_values(sizes, rows=20, columns=8, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(rows, len(sizes), generator=generator, dtype=dtype)
    right = torch.randn(columns, len(sizes), generator=generator, dtype=dtype)
    left, right = torch.linalg.qr(left)[0], torch.linalg.qr(right)[0]
    return left * torch.tensor(sizes, dtype=dtype) @ right.T


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("delta", "rank"), [(0.51, 1), (0.49, 2), (0.21, 2), (0.19, 3), (0.09, 4), (0.0, 4)]
)
def test_effective_rank_sums_the_singular_values_themselves(delta, rank, dtype):
    # 5 + 3 + 1 + 1: shares 0.5, 0.8, 0.9, 1; of the squares 0.69, 0.94, 0.97, 1
    features = torch.zeros(9, 4, dtype=dtype)
    for row, column, size in ((6, 2, 1.0), (0, 1, 5.0), (3, 3, 1.0), (8, 0, -3.0)):
        features[row, column] = size
    assert effective_rank(features, delta) == rank


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("dtype", DTYPES)
def test_effective_rank_does_not_depend_on_scale_or_basis(scale, dtype):
    features = with_singular_values([40.0, 30.0, 20.0, 9.5, 0.5], dtype=dtype) * scale
    assert effective_rank(features, 0.01) == 4
    assert effective_rank(features.T, 0.01) == 4


def test_features_all_alike_have_rank_one_and_none_at_all_rank_zero():
    assert effective_rank(torch.ones(30, 5), 0.01) == 1
    assert effective_rank(torch.eye(7), 0.01) == 7
    assert effective_rank(torch.zeros(30, 5), 0.01) == 0


def test_soft_divergence_bound_is_the_sum_of_the_largest_rewards():
    assert soft_divergence_bound(1.0, 0.99) == pytest.approx(100)
    total = sum(3.0 * 0.9**t for t in range(1000))
    assert soft_divergence_bound(3.0, 0.9) == pytest.approx(total)
    assert soft_divergence_bound(0.0, 0.0) == 0.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_dormant_fraction_by_hand(dtype):
    # means of sizes 3, 0, 0.2, 0.8: mean 1, so these are the scores too
    activations = torch.tensor(
        [[4.0, 0.0, 0.4, -0.8], [-2.0, 0.0, 0.0, 0.8]], dtype=dtype
    )
    for tau, dormant in (
        (0.0, 0.25),
        (0.1, 0.25),
        (0.25, 0.5),
        (0.9, 0.75),
        (3.5, 1.0),
    ):
        assert dormant_fraction(activations, tau) == dormant


def test_dormant_units_do_not_depend_on_the_scale_of_the_layer():
    activations = torch.randn(50, 40, generator=torch.Generator().manual_seed(0)).relu()
    activations[:, :10] *= 1e-3
    for scale in (1e-6, 1.0, 1e6):
        assert dormant_fraction(activations * scale, 0.1) == 0.25


def test_a_layer_of_equals_has_no_dormant_unit_and_a_dead_one_only_such():
    assert dormant_fraction(-torch.ones(3, 4), 0.025) == 0.0
    assert dormant_fraction(torch.zeros(3, 4), 0.0) == 1.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_overestimation_by_hand(dtype):
    predicted = torch.tensor([5.0, -1.0, 2.0], dtype=dtype).requires_grad_()
    over = overestimation(predicted, torch.tensor([3.0, 1.0, 2.0], dtype=dtype))
    assert over.tolist() == [2.0, -2.0, 0.0]
    assert over.dtype == dtype
    assert not over.requires_grad


V, M = torch.zeros(3), torch.ones(3, 2)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: effective_rank(V, 0.01), r"features must be \[B, H\]"),
        (lambda: effective_rank(M[:0], 0.01), "features must not be empty"),
        (lambda: effective_rank(M * math.nan, 0.01), "features must be finite"),
        (lambda: effective_rank(M, 1.0), "delta must be at least 0 and below 1"),
        (lambda: effective_rank(M, math.nan), "delta must be at least 0 and below 1"),
        (lambda: soft_divergence_bound(-1.0, 0.9), "reward_max must be at least 0"),
        (lambda: soft_divergence_bound(1.0, 1.0), "gamma must be at least 0"),
        (lambda: soft_divergence_bound(1.0, math.nan), "gamma must be at least 0"),
        (lambda: dormant_fraction(V, 0.1), r"activations must be \[B, H\]"),
        (lambda: dormant_fraction(M[:, :0], 0.1), "activations must not be empty"),
        (lambda: dormant_fraction(M * math.inf, 0.1), "activations must be finite"),
        (lambda: dormant_fraction(M, -0.1), "tau must be at least 0"),
        (lambda: overestimation(M, M), r"predicted must be \[B\]"),
        (lambda: overestimation(V, V[:1]), r"realised_return must be \(3,\)"),
    ],
)
def test_what_does_not_fit_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
