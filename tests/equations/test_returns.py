"""Returns against brute force, closed forms, and one another."""

import pytest
import torch

from engine.equations.returns import (
    discounted_returns,
    lambda_returns,
    n_step_returns,
)

DTYPES = [torch.float32, torch.float64]


def pieces(dtype=torch.float64, batch=3, steps=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    reward = torch.randn(batch, steps, generator=generator, dtype=dtype)
    discount = torch.full((batch, steps), 0.9, dtype=dtype)
    discount[1, 3] = 0.0
    next_value = torch.randn(batch, steps, generator=generator, dtype=dtype)
    return reward, discount, next_value


def n_step_by_definition(reward, discount, next_value, n):
    returns = torch.zeros_like(reward)
    for b in range(reward.shape[0]):
        for t in range(reward.shape[1]):
            factor, total = 1.0, 0.0
            last = min(t + n, reward.shape[1]) - 1
            for k in range(t, last + 1):
                total += factor * reward[b, k].item()
                factor *= discount[b, k].item()
            returns[b, t] = total + factor * next_value[b, last].item()
    return returns


@pytest.mark.parametrize("dtype", DTYPES)
def test_discounted_returns_by_hand(dtype):
    reward = torch.tensor([[1.0, 2.0, 4.0]], dtype=dtype)
    discount = torch.tensor([[0.5, 0.5, 0.5]], dtype=dtype)
    returns = discounted_returns(reward, discount, torch.tensor([8.0], dtype=dtype))
    # 4 + 4 = 8; 2 + 4 = 6; 1 + 3 = 4
    assert returns.tolist() == [[4.0, 6.0, 8.0]]
    assert returns.dtype == dtype


def test_discounted_returns_forget_what_follows_a_termination():
    reward = torch.tensor([[1.0, 2.0, 99.0]])
    discount = torch.tensor([[1.0, 0.0, 1.0]])
    returns = discounted_returns(reward, discount, torch.tensor([98.0]))
    assert returns[0, :2].tolist() == [3.0, 2.0]


def test_an_endless_reward_of_one_is_worth_its_closed_form():
    steps, gamma = 2_000, 0.99
    ones = torch.ones(1, steps, dtype=torch.float64)
    value = torch.tensor([1 / (1 - gamma)], dtype=torch.float64)
    returns = discounted_returns(ones, gamma * ones, value)
    torch.testing.assert_close(returns, torch.full_like(ones, 1 / (1 - gamma)))


@pytest.mark.parametrize("n", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("dtype", DTYPES)
def test_n_step_returns_are_their_definition(n, dtype):
    reward, discount, next_value = pieces(dtype)
    torch.testing.assert_close(
        n_step_returns(reward, discount, next_value, n),
        n_step_by_definition(reward, discount, next_value, n),
    )


def test_one_step_is_the_td_target():
    reward, discount, next_value = pieces()
    torch.testing.assert_close(
        n_step_returns(reward, discount, next_value, 1), reward + discount * next_value
    )


def test_all_steps_are_the_discounted_return():
    reward, discount, next_value = pieces()
    torch.testing.assert_close(
        n_step_returns(reward, discount, next_value, 7),
        discounted_returns(reward, discount, next_value[:, -1]),
    )


@pytest.mark.parametrize(("lambda_", "n"), [(0.0, 1), (1.0, 7)])
def test_lambda_returns_end_in_one_step_and_all_steps(lambda_, n):
    reward, discount, next_value = pieces()
    torch.testing.assert_close(
        lambda_returns(reward, discount, next_value, lambda_),
        n_step_returns(reward, discount, next_value, n),
    )


def test_lambda_returns_are_the_weighted_mean_of_n_step_returns():
    reward, discount, next_value = pieces()
    lambda_, steps = 0.7, reward.shape[1]
    returns = lambda_returns(reward, discount, next_value, lambda_)
    for t in range(steps):
        left = steps - t
        mixture = lambda_ ** (left - 1) * n_step_returns(
            reward, discount, next_value, left
        )
        for n in range(1, left):
            weight = (1 - lambda_) * lambda_ ** (n - 1)
            mixture = mixture + weight * n_step_returns(reward, discount, next_value, n)
        torch.testing.assert_close(returns[:, t], mixture[:, t])


def test_returns_carry_no_gradient():
    reward, discount, next_value = (it.requires_grad_() for it in pieces())
    assert not n_step_returns(reward, discount, next_value, 3).requires_grad
    assert not lambda_returns(reward, discount, next_value, 0.5).requires_grad
    assert not discounted_returns(reward, discount, next_value[:, 0]).requires_grad


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("spoil", [lambda x: x[:1], lambda x: x.unsqueeze(2)])
def test_other_shapes_are_refused(position, spoil):
    for function, extra in ((n_step_returns, 2), (lambda_returns, 0.5)):
        arguments = list(pieces())
        arguments[position] = spoil(arguments[position])
        with pytest.raises(ValueError, match=r"must be .*, got"):
            function(*arguments, extra)


def test_discounted_returns_refuse_a_bootstrap_of_another_shape():
    reward, discount, next_value = pieces()
    with pytest.raises(ValueError, match=r"bootstrap must be \(3,\)"):
        discounted_returns(reward, discount, next_value)


def test_empty_pieces_no_steps_and_wrong_lambdas_are_refused():
    reward, discount, next_value = pieces()
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        n_step_returns(reward, discount, next_value, 0)
    with pytest.raises(ValueError, match="lambda_ must be from 0 to 1"):
        lambda_returns(reward, discount, next_value, 1.5)
    with pytest.raises(ValueError, match="at least one step"):
        discounted_returns(reward[:, :0], discount[:, :0], next_value[:, 0])
