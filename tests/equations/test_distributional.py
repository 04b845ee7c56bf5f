"""Distributions against loops, closed forms, and numbers worked out by hand."""

import math

import pytest
import torch

from engine.equations.distributional import (
    categorical_cross_entropy,
    mmd_loss,
    project_categorical,
    quantile_huber_loss,
    quantile_midpoints,
)

DTYPES = [torch.float32, torch.float64]
INFINITY = math.inf


def tensor(rows, dtype=torch.float64):
    return torch.tensor(rows, dtype=dtype)


def random(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=dtype)


def projected_by_definition(target_support, target_probs, support):
    """The equation of the paper, for evenly spaced atoms."""
    z = support.tolist()
    width = z[1] - z[0]
    rows = []
    for values, probs in zip(target_support, target_probs, strict=True):
        row = [0.0] * len(z)
        for y, q in zip(values.tolist(), probs.tolist(), strict=True):
            y = min(max(y, z[0]), z[-1])
            for i, atom in enumerate(z):
                row[i] += q * max(0.0, 1 - abs(y - atom) / width)
        rows.append(row)
    return torch.tensor(rows, dtype=support.dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_projection_by_hand(dtype):
    support = tensor([0.0, 1.0, 2.0], dtype)
    values = tensor([[0.25, 1.0, 1.5], [-7.0, 2.0, 9.0]], dtype)
    probs = tensor([[0.5, 0.25, 0.25], [0.5, 0.125, 0.375]], dtype)
    projected = project_categorical(values, probs, support)
    assert projected.tolist() == [[0.375, 0.5, 0.125], [0.5, 0.0, 0.5]]
    assert projected.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_projection_is_the_equation_of_the_paper(dtype):
    support = torch.linspace(-2, 3, 11, dtype=dtype)
    values = random(6, 15, dtype=dtype) * 3
    probs = torch.softmax(random(6, 15, seed=1, dtype=dtype), 1)
    torch.testing.assert_close(
        project_categorical(values, probs, support),
        projected_by_definition(values, probs, support),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("atoms", [2, 11, 51, 200])
def test_atoms_on_the_grid_stay_where_they_are(dtype, atoms):
    support = torch.linspace(-10, 10, atoms, dtype=dtype)
    probs = torch.softmax(random(3, atoms, dtype=dtype), 1)
    projected = project_categorical(support.repeat(3, 1), probs, support)
    # A position is off by a few roundings, and so is what goes to the neighbour.
    moved = (projected - probs).abs().max()
    assert moved <= 4 * atoms * torch.finfo(dtype).eps * probs.max()


@pytest.mark.parametrize("dtype", DTYPES)
def test_all_probability_of_a_terminal_reward_falls_on_its_two_neighbours(dtype):
    support = tensor([-1.0, 0.0, 1.0], dtype)
    probs = torch.softmax(random(1, 3, dtype=dtype), 1)
    projected = project_categorical(tensor([[0.25] * 3], dtype), probs, support)
    torch.testing.assert_close(projected, tensor([[0.0, 0.75, 0.25]], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("limit", [1.0, 1e6])
def test_projection_keeps_probability_and_inside_the_support_the_mean(dtype, limit):
    support = torch.linspace(-limit, limit, 51, dtype=dtype)
    values = (random(40, 51, dtype=dtype) / 5).clamp(-1, 1) * limit
    probs = torch.softmax(random(40, 51, seed=1, dtype=dtype), 1)
    projected = project_categorical(values, probs, support)
    assert (projected >= 0).all()
    torch.testing.assert_close(projected.sum(1), torch.ones(40, dtype=dtype))
    torch.testing.assert_close(
        (projected * support).sum(1) / limit,
        (probs * values).sum(1) / limit,
        rtol=1e-5,
        atol=1e-6,
    )


@pytest.mark.parametrize("far", [1e6, 1e30, INFINITY])
@pytest.mark.parametrize("dtype", DTYPES)
def test_values_out_of_range_end_on_the_outer_atoms(far, dtype):
    support = torch.linspace(-10, 10, 51, dtype=dtype)
    values = tensor([[-far, far]], dtype)
    projected = project_categorical(values, tensor([[0.25, 0.75]], dtype), support)
    assert projected[0, [0, -1]].tolist() == [0.25, 0.75]
    assert projected[0, 1:-1].tolist() == [0.0] * 49


def test_projection_takes_unsorted_values_and_any_number_of_them():
    support = tensor([0.0, 2.0, 4.0])
    projected = project_categorical(tensor([[3.5, 0.5]]), tensor([[0.4, 0.6]]), support)
    torch.testing.assert_close(projected, tensor([[0.45, 0.25, 0.3]]))


def test_a_value_that_is_no_number_is_passed_on_and_ends_nothing():
    support = tensor([0.0, 2.0, 4.0])
    projected = project_categorical(
        tensor([[float("nan"), 0.5]]), tensor([[0.4, 0.6]]), support
    )
    assert projected.isnan().any()


def test_projection_carries_no_gradient():
    leaves = [random(2, 3).requires_grad_() for _ in range(2)]
    assert not project_categorical(*leaves, tensor([0.0, 1.0])).requires_grad


@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy_by_hand(dtype):
    logits = tensor([[0.0, math.log(3)], [5.0, 5.0]], dtype)
    losses = categorical_cross_entropy(logits, tensor([[0.5, 0.5], [1.0, 0.0]], dtype))
    expected = [-(math.log(0.25) + math.log(0.75)) / 2, math.log(2)]
    torch.testing.assert_close(losses, tensor(expected, dtype))


def test_cross_entropy_of_two_atoms_is_the_logistic_loss():
    x, p = random(20), torch.rand(20, dtype=torch.float64)
    losses = categorical_cross_entropy(
        torch.stack([torch.zeros(20).double(), x], 1), torch.stack([1 - p, p], 1)
    )
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        x, p, reduction="none"
    )
    torch.testing.assert_close(losses, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy_stays_finite_with_extreme_logits(dtype):
    logits = tensor([[1e6, -1e6]], dtype).requires_grad_()
    loss = categorical_cross_entropy(logits, tensor([[0.25, 0.75]], dtype))
    loss.sum().backward()
    assert loss.item() == 0.75 * 2e6
    assert logits.grad.tolist() == [[0.75, -0.75]]


def test_cross_entropy_sends_its_gradient_only_into_the_logits():
    logits, target = random(3, 4).requires_grad_(), torch.full((3, 4), 0.25).double()
    target.requires_grad_()
    assert torch.autograd.gradcheck(
        categorical_cross_entropy, (logits, target.detach())
    )
    categorical_cross_entropy(logits, target).sum().backward()
    torch.testing.assert_close(logits.grad, torch.softmax(logits, 1).detach() - 0.25)
    assert target.grad is None


def quantile_loss_by_definition(quantiles, target, tau, kappa):
    losses = []
    for theta, y, levels in zip(quantiles, target, tau, strict=True):
        total = 0.0
        for q, level in zip(theta.tolist(), levels.tolist(), strict=True):
            for sample in y.tolist():
                error = sample - q
                size = abs(error)
                if kappa and size > kappa:
                    size = kappa * (size - kappa / 2)
                elif kappa:
                    size = size * size / 2
                total += abs(level - (error < 0)) * size / y.shape[0]
        losses.append(total)
    return losses


@pytest.mark.parametrize("dtype", DTYPES)
def test_quantile_loss_by_hand(dtype):
    quantiles, target = tensor([[0.0, 2.0]], dtype), tensor([[1.0, 4.0]], dtype)
    tau = tensor([0.25, 0.75], dtype)
    # errors 1, 4 and -1, 2: 0.25 * 2.5 + 0.5 * (0.25 * 1 + 0.75 * 2)
    assert quantile_huber_loss(quantiles, target, tau, 0.0).tolist() == [1.5]
    # Huber with 2 makes of 1, 4, -1, 2: 0.5, 6, 0.5, 2
    loss = quantile_huber_loss(quantiles, target, tau, 2.0)
    assert loss.tolist() == [0.25 * 3.25 + 0.5 * (0.25 * 0.5 + 0.75 * 2)]
    assert loss.dtype == dtype


@pytest.mark.parametrize("kappa", [0.0, 0.5, 1.0, 3.0, INFINITY])
@pytest.mark.parametrize("dtype", DTYPES)
def test_quantile_loss_is_its_definition(kappa, dtype):
    quantiles = random(4, 5, dtype=dtype) * 2
    target = random(4, 7, seed=1, dtype=dtype) * 2
    tau = quantile_midpoints(5, dtype)
    expected = quantile_loss_by_definition(quantiles, target, [tau] * 4, kappa)
    losses = quantile_huber_loss(quantiles, target, tau, kappa)
    torch.testing.assert_close(losses, tensor(expected, dtype))


def test_quantile_loss_takes_levels_of_each_sample():
    quantiles, target, tau = (
        random(3, 4),
        random(3, 2, seed=1),
        torch.rand(3, 4).double(),
    )
    expected = quantile_loss_by_definition(quantiles, target, tau, 1.0)
    losses = quantile_huber_loss(quantiles, target, tau, 1.0)
    torch.testing.assert_close(losses, tensor(expected))


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.9])
def test_the_pure_quantile_loss_is_least_at_the_quantile(tau):
    target = torch.arange(1, 1001, dtype=torch.float64).unsqueeze(0)
    guesses = torch.arange(0.5, 1001, 1).double().unsqueeze(1)
    losses = quantile_huber_loss(
        guesses, target.expand(len(guesses), -1), tensor([tau]), 0.0
    )
    assert guesses[losses.argmin()].item() == pytest.approx(1000 * tau, abs=1)


@pytest.mark.parametrize("kappa", [0.0, 0.7, INFINITY])
def test_quantile_loss_sends_its_gradient_only_into_the_quantiles(kappa):
    quantiles, target = random(3, 4).requires_grad_(), random(3, 5, seed=1)
    tau = quantile_midpoints(4, torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: quantile_huber_loss(x, target, tau, kappa), (quantiles,)
    )
    target.requires_grad_()
    tau.requires_grad_()
    quantile_huber_loss(quantiles, target, tau, kappa).sum().backward()
    assert target.grad is None
    assert tau.grad is None


@pytest.mark.parametrize("dtype", DTYPES)
def test_quantile_loss_is_linear_far_away_and_zero_on_a_hit(dtype):
    quantiles = tensor([[1e6], [3.0]], dtype).requires_grad_()
    target, tau = tensor([[-1e6], [3.0]], dtype), tensor([0.25], dtype)
    losses = quantile_huber_loss(quantiles, target, tau, 1.0)
    losses.sum().backward()
    torch.testing.assert_close(
        losses.detach(), tensor([0.75 * 1_999_999.5, 0.0], dtype)
    )
    assert quantiles.grad.tolist() == [[0.75], [0.0]]


def mmd_by_definition(x, y, bandwidths):
    def mean_kernel(left, right):
        pairs = [(a, b) for a in left for b in right]
        return sum(
            math.exp(-((a - b) ** 2) / h) for a, b in pairs for h in bandwidths
        ) / len(pairs)

    return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)


@pytest.mark.parametrize("dtype", DTYPES)
def test_mmd_by_hand(dtype):
    losses = mmd_loss(tensor([[0.0]], dtype), tensor([[2.0]], dtype), [1.0, 4.0])
    expected = 2 * (2 - math.exp(-4) - math.exp(-1))
    torch.testing.assert_close(losses, tensor([expected], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_mmd_is_its_definition(dtype):
    x, y = random(4, 5, dtype=dtype) * 2, random(4, 3, seed=1, dtype=dtype) + 1
    bandwidths = [float(h) for h in range(1, 11)]
    expected = [
        mmd_by_definition(a.tolist(), b.tolist(), bandwidths)
        for a, b in zip(x, y, strict=True)
    ]
    losses = mmd_loss(x, y, bandwidths)
    torch.testing.assert_close(losses, tensor(expected, dtype), rtol=1e-5, atol=1e-6)


def test_mmd_takes_its_bandwidths_from_a_tensor_too():
    x, y = random(2, 3), random(2, 3, seed=1)
    assert torch.equal(mmd_loss(x, y, tensor([1.0, 2.0])), mmd_loss(x, y, [1.0, 2.0]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_mmd_of_the_same_particles_is_zero_never_less(dtype):
    x = random(200, 31, dtype=dtype)
    shuffled = x[:, torch.randperm(31, generator=torch.Generator().manual_seed(0))]
    losses = mmd_loss(x, shuffled, [0.5, 3.0])
    assert (losses >= 0).all()
    torch.testing.assert_close(losses, torch.zeros_like(losses), rtol=0, atol=2e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_mmd_of_particles_far_away_is_that_of_strangers(dtype):
    x = tensor([[1e6, -1e6]], dtype).requires_grad_()
    loss = mmd_loss(x, tensor([[0.0]], dtype), [1e-3])
    loss.sum().backward()
    assert loss.tolist() == [1.5]
    assert x.grad.tolist() == [[0.0, 0.0]]


def test_mmd_sends_its_gradient_only_into_the_particles():
    x, y = random(3, 4).requires_grad_(), random(3, 5, seed=1)
    assert torch.autograd.gradcheck(lambda it: mmd_loss(it, y, [1.0, 5.0]), (x,))
    y.requires_grad_()
    mmd_loss(x, y, [1.0, 5.0]).sum().backward()
    assert y.grad is None


BN, BM, N = torch.zeros(3, 4), torch.zeros(3, 5), torch.arange(4.0)
CALLS = {
    "project_categorical": (project_categorical, (BM, BM, N)),
    "categorical_cross_entropy": (categorical_cross_entropy, (BN, BN)),
    "quantile_huber_loss": (lambda *it: quantile_huber_loss(*it, 1.0), (BN, BM, N)),
    "mmd_loss": (lambda *it: mmd_loss(*it, [1.0]), (BN, BM)),
}
SPOILED = [
    (name, position)
    for name, (_, arguments) in CALLS.items()
    for position in range(len(arguments))
]


@pytest.mark.parametrize(("name", "position"), SPOILED)
def test_every_argument_of_another_shape_is_refused(name, position):
    function, arguments = CALLS[name][0], list(CALLS[name][1])
    function(*arguments)
    for spoiled in (arguments[position].unsqueeze(-1), arguments[position][..., :0]):
        changed = [*arguments[:position], spoiled, *arguments[position + 1 :]]
        with pytest.raises(ValueError, match="must "):
            function(*changed)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: project_categorical(BM, BM, N[:1]), "at least 2 atoms"),
        (lambda: quantile_huber_loss(BN, BM[:1], N, 1.0), "target must be"),
        (lambda: quantile_huber_loss(BN, BM, BN[:1], 1.0), "tau must be"),
        (lambda: quantile_huber_loss(BN, BM, N[0], 1.0), "tau must be"),
        (lambda: quantile_huber_loss(BN, BM, N, -1.0), "kappa must be at least 0"),
        (lambda: quantile_huber_loss(BN, BM, N, math.nan), "kappa must be at least 0"),
        (lambda: mmd_loss(BN, BM, []), "bandwidths must be positive"),
        (lambda: mmd_loss(BN, BM, [1.0, 0.0]), "bandwidths must be positive"),
        (lambda: mmd_loss(BN, BM, [math.nan]), "bandwidths must be positive"),
    ],
)
def test_what_does_not_fit_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_target_probabilities_weigh_as_repeated_targets_do():
    quantiles = torch.tensor([[0.0, 1.0, 4.0]], dtype=torch.float64)
    tau = quantile_midpoints(3, torch.float64)
    repeated = torch.tensor([[1.0, 3.0, 3.0, 3.0]], dtype=torch.float64)
    distinct = torch.tensor([[1.0, 3.0]], dtype=torch.float64)
    probs = torch.tensor([[0.25, 0.75]], dtype=torch.float64)
    torch.testing.assert_close(
        quantile_huber_loss(quantiles, distinct, tau, 1.0, probs),
        quantile_huber_loss(quantiles, repeated, tau, 1.0),
    )
    torch.testing.assert_close(
        mmd_loss(quantiles, distinct, (1.0, 5.0), probs),
        mmd_loss(quantiles, repeated, (1.0, 5.0)),
    )
