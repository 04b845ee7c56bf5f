"""Means and risks of distributions, by hand and in closed form."""

import math

import pytest
import torch

from engine.equations.distributional import (
    categorical_cvar,
    categorical_mean,
    cvar,
    quantile_midpoints,
)

DTYPES = [torch.float32, torch.float64]


def tensor(rows, dtype=torch.float64):
    return torch.tensor(rows, dtype=dtype)


def random(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_categorical_mean_by_hand_and_for_many_actions(dtype):
    probs = tensor([[[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]]], dtype)
    means = categorical_mean(probs, tensor([-1.0, 0.0, 4.0], dtype))
    assert means.tolist() == [[-0.5, 3.0]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_categorical_cvar_by_hand(dtype):
    probs = tensor([[0.25, 0.25, 0.5], [0.0, 1.0, 0.0]], dtype)
    support = tensor([-4.0, 0.0, 8.0], dtype)
    # worst 0.375: all of -4 and half of 0; worst 0.625: a quarter of 8 besides
    for level, worst in ((0.125, -4.0), (0.375, -8 / 3), (0.625, 0.0), (1.0, 3.0)):
        values = categorical_cvar(probs, support, level)
        torch.testing.assert_close(values, tensor([worst, 0.0], dtype))


@pytest.mark.parametrize("level", [1e-9, 0.05, 0.3, 0.9, 1.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_categorical_cvar_is_a_loop_over_the_atoms(level, dtype):
    support = torch.linspace(-1e6, 1e6, 21, dtype=dtype)
    probs = torch.softmax(random(4, 3, 21, dtype=dtype) * 3, 2)
    values = categorical_cvar(probs, support, level)
    for row, value in zip(probs.reshape(-1, 21), values.reshape(-1), strict=True):
        left, total = level, 0.0
        for p, z in zip(row.tolist(), support.tolist(), strict=True):
            total += min(p, left) * z
            left -= min(p, left)
        assert value.item() / 1e6 == pytest.approx(total / level / 1e6, abs=1e-5)


def test_all_of_a_categorical_distribution_has_its_mean():
    probs, support = torch.softmax(random(5, 2, 51), 2), torch.linspace(-9, 9, 51)
    torch.testing.assert_close(
        categorical_cvar(probs, support.double(), 1.0),
        categorical_mean(probs, support.double()),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_cvar_by_hand_in_any_order(dtype):
    values = tensor([[[8.0, -4.0, 0.0, 2.0]]], dtype)
    for level, worst in (
        (0.01, -4.0),
        (0.25, -4.0),
        (0.375, -8 / 3),
        (0.5, -2.0),
        (1.0, 1.5),
    ):
        torch.testing.assert_close(cvar(values, level), tensor([[worst]], dtype))


@pytest.mark.parametrize("level", [1e-9, 0.1, 1 / 3, 0.77, 1.0])
def test_cvar_of_equal_shares_is_that_of_the_categorical_distribution(level):
    values = torch.linspace(-3, 7, 30, dtype=torch.float64)
    probs = torch.full((30,), 1 / 30, dtype=torch.float64)
    torch.testing.assert_close(
        cvar(values.flip(0), level), categorical_cvar(probs, values, level)
    )


def test_cvar_of_normal_quantiles_is_the_closed_form():
    tau = quantile_midpoints(20_000, torch.float64)
    quantiles = 2 + 3 * torch.special.ndtri(tau)
    # mean - std * density(quantile of the level) / level
    density = math.exp(-0.5 * 1.2815515655446004**2) / math.sqrt(2 * math.pi)
    assert cvar(quantiles, 0.1).item() == pytest.approx(2 - 3 * density / 0.1, abs=1e-3)


def test_risk_measures_and_means_are_differentiable():
    probs = torch.softmax(random(2, 3, 5), 2).requires_grad_()
    support, values = torch.linspace(-1, 1, 5).double(), random(2, 3, 5, seed=1)
    values.requires_grad_()
    assert torch.autograd.gradcheck(lambda p: categorical_mean(p, support), (probs,))
    assert torch.autograd.gradcheck(
        lambda p: categorical_cvar(p, support, 0.37), (probs,)
    )
    assert torch.autograd.gradcheck(lambda x: cvar(x, 0.37), (values,))


def test_risk_measures_prefer_what_is_certain():
    certain_or_bold = tensor([[[1.0, 1.0, 1.0, 1.0], [-9.0, 0.0, 7.0, 10.0]]])
    assert cvar(certain_or_bold, 1.0).argmax(1).tolist() == [1]
    assert cvar(certain_or_bold, 0.5).argmax(1).tolist() == [0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_midpoints_by_hand(dtype):
    assert quantile_midpoints(4, dtype).tolist() == [0.125, 0.375, 0.625, 0.875]
    assert quantile_midpoints(1).tolist() == [0.5]
    assert quantile_midpoints(3, dtype).dtype == dtype


BN, N = torch.zeros(3, 4), torch.arange(4.0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: categorical_mean(BN, N[:3]), r"probs must be \(3, 3\), got \(3, 4\)"),
        (lambda: categorical_mean(BN, BN), r"support must be \[N\]"),
        (lambda: categorical_cvar(BN[:, :2], N, 0.5), "probs must be"),
        (lambda: categorical_cvar(BN[0, 0], N, 0.5), "probs must be"),
        (lambda: quantile_midpoints(0), "n must be at least 1"),
        (lambda: cvar(BN, 0.0), "level must be above 0"),
        (lambda: cvar(BN, 1.1), "at most 1"),
        (lambda: cvar(BN[:, :0], 0.5), r"quantiles must be \[..., N\]"),
        (lambda: cvar(torch.tensor(1.0), 0.5), r"quantiles must be \[..., N\]"),
        (lambda: categorical_cvar(BN, N, math.nan), "level must be"),
    ],
)
def test_what_does_not_fit_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
