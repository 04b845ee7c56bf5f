"""Optimizers against torch's own, or by hand, and their state."""

import pytest
import torch

from engine.agents.optimizers import Adam, RMSProp, make_optimizer


@pytest.mark.parametrize("epsilon", [1e-8, 1e-3])
def test_it_is_torchs_adam(epsilon):
    torch.manual_seed(0)
    values, gradients = torch.randn(50), torch.zeros(50)
    parameter = torch.nn.Parameter(values.clone())
    peer = torch.optim.Adam([parameter], lr=0.01, eps=epsilon)
    adam = Adam(values, gradients, epsilon)
    for step in range(200):
        gradients.copy_(torch.randn(50) * (10.0 if step % 7 else 0.0))
        parameter.grad = gradients.clone()
        peer.step()
        adam.step(0.01)
    torch.testing.assert_close(values, parameter.detach(), rtol=1e-4, atol=1e-5)


def test_the_learning_rate_may_change_at_each_step():
    values, gradients = torch.zeros(1), torch.ones(1)
    adam = Adam(values, gradients, 1e-8)
    for rate in (0.1, 0.0, 0.2):
        adam.step(rate)
    # With a constant gradient each step is as long as its rate.
    assert values.item() == pytest.approx(-0.3, rel=1e-5)


def test_a_restored_state_goes_on_to_the_bit():
    torch.manual_seed(1)
    values, gradients = torch.randn(20), torch.randn(20)
    adam = Adam(values, gradients, 1e-8)
    for _ in range(5):
        adam.step(0.01)
    other_values, state = values.clone(), adam.state()
    adam.step(0.01)
    other = Adam(other_values, gradients, 1e-8)
    other.restore(state)
    other.step(0.01)
    assert torch.equal(values, other_values)


def test_a_state_is_a_copy():
    values, gradients = torch.randn(3), torch.randn(3)
    adam = Adam(values, gradients, 1e-8)
    state = adam.state()
    adam.step(0.1)
    assert not state["mean"].any()


def test_rmsprop_is_torchs_with_its_epsilon_inside_the_root():
    torch.manual_seed(0)
    values, gradients = torch.randn(20, dtype=torch.float64), torch.zeros(20).double()
    expected, mean, square = values.clone(), 0.0, 0.0
    rmsprop = RMSProp(values, gradients, 0.01)
    for _ in range(50):
        gradients.copy_(torch.randn(20))
        mean = 0.95 * mean + 0.05 * gradients
        square = 0.95 * square + 0.05 * gradients**2
        expected = expected - 0.1 * gradients / (square - mean**2 + 0.01).sqrt()
        rmsprop.step(0.1)
    torch.testing.assert_close(values, expected)


def test_plain_descent_follows_the_gradient():
    values, gradients = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 4.0])
    make_optimizer("sgd", values, gradients, 1e-8).step(0.1)
    torch.testing.assert_close(values, torch.tensor([0.95, -2.4]))


@pytest.mark.parametrize("kind", ["adam", "rmsprop", "sgd"])
def test_every_optimizer_goes_on_to_the_bit(kind):
    torch.manual_seed(1)
    values, gradients = torch.randn(20), torch.randn(20)
    optimizer = make_optimizer(kind, values, gradients, 0.01)
    for _ in range(5):
        optimizer.step(0.01)
    copied = values.clone()
    other = make_optimizer(kind, copied, gradients, 0.01)
    other.restore(optimizer.state())
    for it in (optimizer, other):
        it.step(0.01)
    assert torch.equal(values, copied)
