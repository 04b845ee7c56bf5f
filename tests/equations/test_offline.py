"""The penalty on values of actions that were never recorded."""

import math

import pytest
import torch

from engine.equations.offline import cql_penalty

DTYPES = [torch.float32, torch.float64]


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("dtype", DTYPES)
def test_penalty_by_hand(dtype):
    q = torch.tensor([[0.0, 2.0 * math.log(3)], [4.0, 4.0]], dtype=dtype)
    penalty = cql_penalty(q, torch.tensor([0, 1]), 2.0)
    expected = torch.tensor([2 * math.log(4), 2 * math.log(2)], dtype=dtype)
    torch.testing.assert_close(penalty, expected)
    assert penalty.dtype == dtype


@pytest.mark.parametrize("temperature", [0.1, 1.0, 7.0])
def test_penalty_is_its_definition(temperature):
    q, action = random(20, 5) * 3, torch.arange(20) % 5
    expected = [
        temperature * math.log(sum(math.exp(it / temperature) for it in row)) - row[a]
        for row, a in zip(q.tolist(), action.tolist(), strict=True)
    ]
    penalty = cql_penalty(q, action, temperature)
    torch.testing.assert_close(penalty, torch.tensor(expected).double())


def test_penalty_at_temperature_one_is_the_cross_entropy_of_the_action():
    q, action = random(20, 5), torch.arange(20) % 5
    torch.testing.assert_close(
        cql_penalty(q, action, 1.0),
        torch.nn.functional.cross_entropy(q, action, reduction="none"),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("temperature", [1e-30, 1e-3])
def test_penalty_of_a_cold_maximum_is_the_distance_to_the_best(temperature, dtype):
    q = torch.tensor([[1e6, -1e6], [0.1, 0.3], [0.3, 0.1]], dtype=dtype)
    q.requires_grad_()
    penalty = cql_penalty(q, torch.tensor([1, 0, 0]), temperature)
    penalty.sum().backward()
    gap = torch.tensor([2e6, 0.2, 0.0], dtype=dtype)
    torch.testing.assert_close(penalty.detach(), gap)
    torch.testing.assert_close(
        q.grad, torch.tensor([[1.0, -1.0], [-1.0, 1.0], [0.0, 0.0]], dtype=dtype)
    )


def test_penalty_of_a_hot_maximum_counts_the_actions():
    penalty = cql_penalty(random(3, 4), torch.zeros(3).long(), 1e9)
    torch.testing.assert_close(penalty / 1e9, torch.full((3,), math.log(4)).double())


@pytest.mark.parametrize("temperature", [1e-3, 0.3, 1.0])
def test_penalty_is_never_below_zero(temperature):
    q = random(500, 4).float() * 100
    assert (cql_penalty(q, q.argmax(1), temperature) >= 0).all()


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_penalty_lifts_the_recorded_action_above_the_others(temperature):
    q, action = random(3, 4).requires_grad_(), torch.tensor([0, 3, 1])
    assert torch.autograd.gradcheck(lambda it: cql_penalty(it, action, temperature), q)
    (gradient,) = torch.autograd.grad(cql_penalty(q, action, temperature).sum(), q)
    recorded = torch.nn.functional.one_hot(action, 4)
    torch.testing.assert_close(
        gradient, torch.softmax(q.detach() / temperature, 1) - recorded
    )


Q, ACTION = torch.zeros(3, 2), torch.zeros(3).long()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: cql_penalty(Q[0], ACTION, 1.0), r"q must be \[B, A\]"),
        (lambda: cql_penalty(Q, ACTION[:1], 1.0), r"action must be \(3,\)"),
        (lambda: cql_penalty(Q, ACTION.float(), 1.0), "action must be int64"),
        (lambda: cql_penalty(Q, ACTION, 0.0), "temperature must be positive"),
        (lambda: cql_penalty(Q, ACTION, math.nan), "temperature must be positive"),
    ],
)
def test_what_does_not_fit_is_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
