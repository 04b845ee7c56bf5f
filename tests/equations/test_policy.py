"""Policy losses, entropy, natural gradients: by hand, by loops, and at extremes."""

import math

import numpy as np
import pytest
import scipy.stats
import torch

from engine.equations.policy import (
    clipped_surrogate_loss,
    conjugate_gradient,
    entropy,
    policy_gradient_loss,
    tanh_gaussian_log_prob,
)

DTYPES = [torch.float32, torch.float64]
INFINITY = math.inf


def tensor(rows, dtype=torch.float64):
    return torch.tensor(rows, dtype=dtype)


def random(*shape, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_policy_gradient_loss_by_hand(dtype):
    log_prob, advantage = tensor([-1.0, -2.0], dtype), tensor([3.0, -4.0], dtype)
    # -(-3 + 8) / 2
    loss = policy_gradient_loss(log_prob, advantage)
    assert loss.item() == -2.5
    assert loss.dtype == dtype


def test_policy_gradient_raises_what_went_well_and_leaves_the_advantage_alone():
    log_prob = random(2, 3).requires_grad_()
    advantage = random(2, 3, seed=1).requires_grad_()
    policy_gradient_loss(log_prob, advantage).backward()
    torch.testing.assert_close(log_prob.grad, -advantage.detach() / 6)
    assert advantage.grad is None


def test_expected_policy_gradient_is_that_of_the_expected_reward():
    logits, reward = random(4).requires_grad_(), random(4, seed=1)
    probs = torch.softmax(logits, 0)
    (expected,) = torch.autograd.grad(-(probs * reward).sum(), logits)
    # Each action counts as often as it is taken; 4 undoes the mean.
    weight = 4 * probs.detach() * reward
    loss = policy_gradient_loss(torch.log_softmax(logits, 0), weight)
    (gradient,) = torch.autograd.grad(loss, logits)
    torch.testing.assert_close(gradient, expected)


def surrogate_by_definition(log_prob, old_log_prob, advantage, epsilon):
    terms = []
    for new, old, gain in zip(log_prob, old_log_prob, advantage, strict=True):
        ratio = math.exp(new - old)
        clipped = min(max(ratio, 1 - epsilon), 1 + epsilon)
        terms.append(min(ratio * gain, clipped * gain))
    return -sum(terms) / len(terms)


# ratios 1.5 and 0.5 with either sign, and 1.1, 0.9 inside
RATIOS = [1.5, 1.5, 0.5, 0.5, 1.1, 0.9]
ADVANTAGES = [1.0, -1.0, 1.0, -1.0, 2.0, -2.0]


@pytest.mark.parametrize("dtype", DTYPES)
def test_clipped_surrogate_by_hand(dtype):
    log_prob = tensor(RATIOS, dtype).log() - 7
    old, advantage = torch.full((6,), -7.0, dtype=dtype), tensor(ADVANTAGES, dtype)
    loss = clipped_surrogate_loss(log_prob, old, advantage, 0.2)
    # 1.2 - 1.5 + 0.5 - 0.8 + 2.2 - 1.8
    assert loss.item() == pytest.approx(0.2 / 6, abs=1e-6)
    assert loss.dtype == dtype


@pytest.mark.parametrize("epsilon", [0.01, 0.2, 0.99])
def test_clipped_surrogate_is_its_definition(epsilon):
    log_prob, old, advantage = random(3, 200)
    expected = surrogate_by_definition(*random(3, 200).tolist(), epsilon)
    loss = clipped_surrogate_loss(log_prob, old, advantage, epsilon)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_clipped_surrogate_has_no_gradient_where_moving_on_would_profit():
    log_prob = tensor(RATIOS).log().requires_grad_()
    old = torch.zeros(6).double().requires_grad_()
    advantage = tensor(ADVANTAGES).requires_grad_()
    clipped_surrogate_loss(log_prob, old, advantage, 0.2).backward()
    expected = [0.0, 1.5, -0.5, 0.0, -2.2, 1.8]
    torch.testing.assert_close(log_prob.grad * 6, tensor(expected))
    assert old.grad is None
    assert advantage.grad is None


def test_clipped_surrogate_at_the_old_policy_is_the_policy_gradient():
    log_prob, advantage = random(20).requires_grad_(), random(20, seed=1)
    gradients = [
        torch.autograd.grad(loss, log_prob)[0]
        for loss in (
            clipped_surrogate_loss(log_prob, log_prob, advantage, 0.2),
            policy_gradient_loss(log_prob, advantage),
        )
    ]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("dtype", DTYPES)
def test_clipped_surrogate_stays_a_number_with_extreme_ratios(dtype):
    log_prob = tensor([1e6, 1e6, -1e6, -1e6], dtype).requires_grad_()
    advantage = tensor([1.0, 0.0, 1.0, -1.0], dtype)
    loss = clipped_surrogate_loss(log_prob, torch.zeros_like(advantage), advantage, 0.5)
    loss.backward()
    assert loss.item() == pytest.approx(-(1.5 + 0 + 0 - 0.5) / 4)
    assert log_prob.grad.tolist() == [0.0] * 4


@pytest.mark.parametrize("dtype", DTYPES)
def test_entropy_by_hand(dtype):
    logits = tensor([[7.0] * 4, [0.0, 0.0, -INFINITY, -INFINITY]], dtype)
    logits[1, :2] = tensor([0.0, math.log(3)], dtype)
    certain = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    expected = tensor([math.log(4), certain], dtype)
    torch.testing.assert_close(entropy(logits), expected)


def test_entropy_is_that_of_scipy():
    logits = random(30, 6) * 3
    probs = np.exp(logits.numpy())
    torch.testing.assert_close(
        entropy(logits), torch.from_numpy(scipy.stats.entropy(probs, axis=1))
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("low", [-1e6, -1e30, -INFINITY])
def test_entropy_of_a_decided_policy_is_zero_with_a_finite_gradient(low, dtype):
    logits = tensor([[1e6, low, low]], dtype).requires_grad_()
    value = entropy(logits)
    value.sum().backward()
    assert value.item() == 0.0
    assert logits.grad.tolist() == [[0.0, 0.0, 0.0]]


def test_entropy_is_differentiable_also_beside_a_forbidden_action():
    logits = random(3, 4).requires_grad_()
    assert torch.autograd.gradcheck(entropy, (logits,))
    forbidden = torch.full((3, 1), -INFINITY).double()
    assert torch.autograd.gradcheck(
        lambda x: entropy(torch.cat([x, forbidden], 1)), (logits,)
    )


def positive_definite(size, dtype=torch.float64, seed=0):
    root = random(size, size, seed=seed, dtype=dtype)
    return root @ root.T + size * torch.eye(size, dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_conjugate_gradient_solves_what_elimination_solves(scale, dtype):
    matrix, b = positive_definite(12, dtype), random(12, seed=1, dtype=dtype) * scale
    x = conjugate_gradient(lambda v: matrix @ v, b, 40, 1e-6)
    expected = torch.linalg.solve(matrix, b)
    torch.testing.assert_close(x / scale, expected / scale, rtol=1e-4, atol=1e-5)
    assert x.dtype == dtype


def test_conjugate_gradient_by_hand():
    # 4x + y = 1, x + 3y = 2 is solved by (1/11, 7/11) in two iterations
    matrix = tensor([[4.0, 1.0], [1.0, 3.0]])
    x = conjugate_gradient(lambda v: matrix @ v, tensor([1.0, 2.0]), 2, 0.0)
    torch.testing.assert_close(x, tensor([1 / 11, 7 / 11]))
    # one iteration: b times b·b / b·Ab = 5 / 20
    first = conjugate_gradient(lambda v: matrix @ v, tensor([1.0, 2.0]), 1, 0.0)
    torch.testing.assert_close(first, tensor([0.25, 0.5]))


def count_products(matrix, b, tolerance):
    asked = []

    def matvec(v):
        asked.append(v)
        return matrix @ v

    return conjugate_gradient(matvec, b, 100, tolerance), len(asked)


def test_conjugate_gradient_asks_no_more_than_the_tolerance_needs():
    matrix, b = torch.diag(tensor([1.0, 1.0, 1.0, 2.0, 5.0])), random(5)
    assert count_products(torch.eye(5).double() * 3, b, 1e-9)[1] == 1
    assert count_products(matrix, b, 1e-9)[1] == 3  # as many as different eigenvalues
    rough, few = count_products(matrix, b, 0.5)
    assert few < 3
    assert (b - matrix @ rough).norm() <= 0.5 * b.norm()


def test_conjugate_gradient_of_nothing_is_nothing():
    x, products = count_products(torch.eye(3), torch.zeros(3), 0.0)
    assert x.tolist() == [0.0] * 3
    assert products == 0


def test_conjugate_gradient_takes_a_product_that_needs_gradients_but_passes_none_on():
    parameters = random(4).requires_grad_()
    loss = (parameters**4).sum() + parameters.square().sum()
    (gradient,) = torch.autograd.grad(loss, parameters, create_graph=True)

    def hessian_times(v):
        return torch.autograd.grad(gradient @ v, parameters, create_graph=True)[0]

    x = conjugate_gradient(hessian_times, gradient, 20, 1e-12)
    hessian = 12 * parameters.detach() ** 2 + 2
    torch.testing.assert_close(x, gradient.detach() / hessian)
    assert not x.requires_grad


@pytest.mark.parametrize("matrix", [-torch.eye(2), torch.eye(2) * math.nan])
def test_conjugate_gradient_refuses_a_matrix_that_is_not_positive_definite(matrix):
    with pytest.raises(ValueError, match="matvec must be positive definite"):
        conjugate_gradient(lambda v: matrix @ v, torch.ones(2), 5, 0.0)


def squashed_by_scipy(pre_tanh, mean, log_std):
    density = scipy.stats.norm.logpdf(pre_tanh, mean, np.exp(log_std))
    return (density - np.log1p(-(np.tanh(pre_tanh) ** 2))).sum(1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_squashed_density_is_that_of_scipy(dtype):
    leaves = random(3, 20, 3, dtype=dtype)
    expected = squashed_by_scipy(*leaves.double().numpy())
    density = tanh_gaussian_log_prob(*leaves)
    torch.testing.assert_close(density, tensor(expected, dtype), rtol=1e-4, atol=1e-4)
    assert density.dtype == dtype


def test_squashed_density_integrates_to_one():
    action = (torch.arange(-100_000, 100_000).double() + 0.5) / 100_000
    pre_tanh = torch.atanh(action).unsqueeze(1)
    mean, log_std = torch.full_like(pre_tanh, 0.4), torch.full_like(pre_tanh, -0.5)
    density = tanh_gaussian_log_prob(pre_tanh, mean, log_std).exp()
    assert density.mean().item() * 2 == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("far", [20.0, 1e3, 1e6, -20.0, -1e3, -1e6])
def test_squashed_density_is_exact_where_the_action_rounds_to_one(far, dtype):
    pre_tanh = tensor([[far]], dtype).requires_grad_()
    mean = tensor([[far]], dtype)
    density = tanh_gaussian_log_prob(pre_tanh, mean, torch.zeros_like(mean))
    density.sum().backward()
    # 1 - tanh² is 4 exp(-2|u|) there
    expected = -0.5 * math.log(2 * math.pi) + 2 * abs(far) - math.log(4)
    assert density.item() == pytest.approx(expected, rel=1e-6)
    assert pre_tanh.grad.item() == pytest.approx(math.copysign(2, far))


def test_squashed_density_is_differentiable_in_everything():
    leaves = [it.requires_grad_() for it in random(3, 4, 2).unbind()]
    assert torch.autograd.gradcheck(tanh_gaussian_log_prob, leaves)


V, M = torch.zeros(3), torch.zeros(3, 2)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: policy_gradient_loss(V, M), r"advantage must be \(3,\), got \(3, 2\)"),
        (lambda: policy_gradient_loss(V[:0], V[:0]), "log_prob must have a sample"),
        (lambda: clipped_surrogate_loss(V, V[:1], V, 0.2), "old_log_prob must be"),
        (lambda: clipped_surrogate_loss(V, V, V[:1], 0.2), "advantage must be"),
        (lambda: clipped_surrogate_loss(V[:0], V[:0], V[:0], 0.2), "have a sample"),
        (lambda: clipped_surrogate_loss(V, V, V, 0.0), "epsilon must be above 0"),
        (lambda: clipped_surrogate_loss(V, V, V, 1.0), "epsilon must be above 0"),
        (lambda: clipped_surrogate_loss(V, V, V, math.nan), "epsilon must be above 0"),
        (lambda: entropy(V), r"logits must be \[B, A\]"),
        (lambda: conjugate_gradient(lambda v: v, M, 1, 0.0), r"b must be \[P\]"),
        (lambda: conjugate_gradient(lambda v: v, V, 0, 0.0), "limits must be positive"),
        (lambda: conjugate_gradient(lambda v: v, V, 1, -1.0), "limits must be"),
        (
            lambda: conjugate_gradient(lambda v: v[:1], V + 1, 1, 0.0),
            r"matvec\(v\) must",
        ),
        (lambda: tanh_gaussian_log_prob(V, V, V), r"pre_tanh must be \[B, D\]"),
        (lambda: tanh_gaussian_log_prob(M, M[:1], M), "mean must be"),
        (lambda: tanh_gaussian_log_prob(M, M, M[:, :1]), "log_std must be"),
    ],
)
def test_what_does_not_fit_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
