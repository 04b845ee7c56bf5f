"""Targets and errors against numbers worked out by hand."""

import math

import pytest
import torch

from engine.equations import value

DTYPES = [torch.float32, torch.float64]
INFINITY = math.inf


def tensor(rows, dtype=torch.float64):
    return torch.tensor(rows, dtype=dtype)


# Decoys 99 and 98 stand where a wrong axis or index would pick them up.
REWARD = [1.0, -2.0, 3.0]
DISCOUNT = [0.5, 0.9, 0.0]
NEXT_Q = [[2.0, 4.0], [-1.0, -3.0], [99.0, 98.0]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_q_target_bootstraps_on_the_best_action(dtype):
    target = value.q_target(
        tensor(REWARD, dtype), tensor(DISCOUNT, dtype), tensor(NEXT_Q, dtype)
    )
    # 1 + 0.5·4; -2 + 0.9·(-1); 3 and nothing after a termination
    torch.testing.assert_close(target, tensor([3.0, -2.9, 3.0], dtype))
    assert target.dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
def test_sarsa_target_bootstraps_on_the_action_taken(dtype):
    target = value.sarsa_target(
        tensor(REWARD, dtype),
        tensor(DISCOUNT, dtype),
        tensor(NEXT_Q, dtype),
        torch.tensor([0, 1, 1]),
    )
    torch.testing.assert_close(target, tensor([2.0, -4.7, 3.0], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_expected_sarsa_target_bootstraps_on_the_mean(dtype):
    probs = tensor([[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]], dtype)
    target = value.expected_sarsa_target(
        tensor(REWARD, dtype), tensor(DISCOUNT, dtype), tensor(NEXT_Q, dtype), probs
    )
    torch.testing.assert_close(target, tensor([2.75, -2.9, 3.0], dtype))


def test_expected_sarsa_of_a_greedy_policy_is_q_learning():
    torch.manual_seed(0)
    reward, discount = torch.randn(50), torch.rand(50)
    next_q = torch.randn(50, 6)
    greedy = torch.nn.functional.one_hot(next_q.argmax(1), 6).float()
    torch.testing.assert_close(
        value.expected_sarsa_target(reward, discount, next_q, greedy),
        value.q_target(reward, discount, next_q),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_double_q_target_selects_with_one_and_evaluates_with_the_other(dtype):
    select = tensor([[1.0, 0.0, -5.0], [0.0, 0.0, 7.0]], dtype)
    evaluate = tensor([[10.0, 99.0, 98.0], [99.0, 98.0, -20.0]], dtype)
    target = value.double_q_target(
        tensor([1.0, 2.0], dtype), tensor([0.5, 0.1], dtype), select, evaluate
    )
    torch.testing.assert_close(target, tensor([6.0, 0.0], dtype))


def test_double_q_with_one_network_is_q_learning():
    torch.manual_seed(1)
    reward, discount, next_q = torch.randn(40), torch.rand(40), torch.randn(40, 5)
    torch.testing.assert_close(
        value.double_q_target(reward, discount, next_q, next_q),
        value.q_target(reward, discount, next_q),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_soft_target_by_hand(dtype):
    target = value.soft_q_target(
        tensor([1.0], dtype), tensor([0.5], dtype), tensor([[0.0, 0.0]], dtype), 2.0
    )
    torch.testing.assert_close(target, tensor([1 + 0.5 * 2 * math.log(2)], dtype))


def test_soft_target_becomes_q_learning_when_cold_and_stays_finite():
    q = tensor([[1000.0, -1000.0]])
    cold = value.soft_q_target(tensor([0.0]), tensor([1.0]), q, 1e-6)
    assert cold.item() == 1000.0


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_soft_target_refuses_a_temperature_that_is_not_positive(temperature):
    with pytest.raises(ValueError, match="temperature must be positive"):
        value.soft_q_target(tensor([0.0]), tensor([1.0]), tensor([[1.0]]), temperature)


@pytest.mark.parametrize("dtype", DTYPES)
def test_td_error_is_target_minus_estimate(dtype):
    q = tensor([[1.0, 99.0], [98.0, 2.0]], dtype)
    error = value.td_error(q, torch.tensor([0, 1]), tensor([3.0, -1.0], dtype))
    torch.testing.assert_close(error, tensor([2.0, -3.0], dtype))


def test_td_error_sends_its_gradient_only_into_the_value_of_the_action():
    q = tensor([[1.0, 2.0], [3.0, 4.0]]).requires_grad_()
    target = tensor([0.0, 0.0]).requires_grad_()
    value.td_error(q, torch.tensor([1, 0]), target).sum().backward()
    assert q.grad.tolist() == [[0.0, -1.0], [-1.0, 0.0]]
    assert target.grad is None


def test_no_target_carries_a_gradient():
    reward, discount = tensor(REWARD).requires_grad_(), tensor(DISCOUNT)
    next_q = tensor(NEXT_Q).requires_grad_()
    probs, action = torch.full((3, 2), 0.5).double(), torch.tensor([0, 1, 0])
    targets = [
        value.q_target(reward, discount, next_q),
        value.sarsa_target(reward, discount, next_q, action),
        value.expected_sarsa_target(reward, discount, next_q, probs),
        value.double_q_target(reward, discount, next_q, next_q),
        value.soft_q_target(reward, discount, next_q, 1.0),
    ]
    assert not any(target.requires_grad for target in targets)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("delta", [0.3, 1.0, 2.5])
def test_huber_is_torchs_own(dtype, delta):
    torch.manual_seed(2)
    error = torch.randn(500, dtype=dtype) * 3
    expected = torch.nn.functional.huber_loss(
        error, torch.zeros_like(error), reduction="none", delta=delta
    )
    torch.testing.assert_close(value.huber(error, delta), expected)


def test_huber_by_hand():
    error = tensor([0.0, 1.0, -2.0, 10.0])
    assert value.huber(error, 2.0).tolist() == [0.0, 0.5, 2.0, 18.0]
    assert value.huber(error, INFINITY).tolist() == [0.0, 0.5, 2.0, 50.0]


@pytest.mark.parametrize("delta", [0.5, 3.0, INFINITY])
def test_huber_slope_is_the_derivative_of_huber(delta):
    torch.manual_seed(3)
    error = (torch.randn(200).double() * 4).requires_grad_()
    value.huber(error, delta).sum().backward()
    torch.testing.assert_close(value.huber_slope(error.detach(), delta), error.grad)


@pytest.mark.parametrize("function", [value.huber, value.huber_slope])
def test_huber_refuses_a_threshold_that_is_not_positive(function):
    with pytest.raises(ValueError, match="delta must be positive, got 0"):
        function(tensor([1.0]), 0.0)


def test_trust_region_drops_only_what_is_outside_and_drifts_further_out():
    online = tensor([5.0, 5.0, -5.0, -5.0, 0.5])
    target_network = torch.zeros(5).double()
    # target above, below, above, below, above the online value
    target = tensor([9.0, 1.0, -1.0, -9.0, 9.0])
    keep = value.trust_region_mask(online, target_network, target, 2.0, 1.0)
    assert keep.tolist() == [False, True, True, False, True]
    assert keep.dtype == torch.bool


def test_trust_region_takes_a_scale_per_sample():
    keep = value.trust_region_mask(
        tensor([5.0, 5.0]),
        tensor([0.0, 0.0]),
        tensor([9.0, 9.0]),
        2.0,
        tensor([1.0, 3.0]),
    )
    assert keep.tolist() == [False, True]


@pytest.mark.parametrize("dtype", DTYPES)
def test_dueling_centres_each_row_by_its_own_mean_or_maximum(dtype):
    state_value = tensor([10.0, 20.0], dtype)
    advantage = tensor([[1.0, 3.0], [5.0, -5.0]], dtype)
    mean = value.dueling(state_value, advantage, "mean")
    most = value.dueling(state_value, advantage, "max")
    torch.testing.assert_close(mean, tensor([[9.0, 11.0], [25.0, 15.0]], dtype))
    torch.testing.assert_close(most, tensor([[8.0, 10.0], [20.0, 10.0]], dtype))


def test_dueling_without_advantages_is_the_value():
    q = value.dueling(tensor([1.0, 2.0]), torch.zeros(2, 3).double(), "mean")
    assert q.tolist() == [[1.0] * 3, [2.0] * 3]


@pytest.mark.parametrize("aggregate", ["mean", "max"])
def test_dueling_is_differentiable(aggregate):
    torch.manual_seed(4)
    streams = (torch.randn(3).double(), torch.randn(3, 4).double())
    inputs = tuple(it.requires_grad_() for it in streams)
    assert torch.autograd.gradcheck(lambda v, a: value.dueling(v, a, aggregate), inputs)


def test_dueling_refuses_an_unknown_aggregate():
    with pytest.raises(ValueError, match="aggregate must be mean or max, got sum"):
        value.dueling(tensor([1.0]), tensor([[1.0]]), "sum")


@pytest.mark.parametrize(
    ("dtype", "close"), [(torch.float32, 2e-3), (torch.float64, 1e-9)]
)
def test_signed_parabolic_undoes_signed_hyperbolic(dtype, close):
    x = tensor([-1e5, -3.0, -1e-3, 0.0, 0.5, 7.0, 1e5], dtype)
    back = value.signed_parabolic(value.signed_hyperbolic(x))
    torch.testing.assert_close(back, x, rtol=close, atol=close)


def test_signed_hyperbolic_by_hand():
    x = tensor([0.0, 3.0, -8.0])
    expected = tensor([0.0, 1.0 + 0.3, -2.0 - 0.8])
    torch.testing.assert_close(value.signed_hyperbolic(x, 0.1), expected)


VECTOR, MATRIX, ACTION = torch.zeros(3), torch.zeros(3, 2), torch.zeros(3).long()
CALLS = {
    "q_target": (VECTOR, VECTOR, MATRIX),
    "sarsa_target": (VECTOR, VECTOR, MATRIX, ACTION),
    "expected_sarsa_target": (VECTOR, VECTOR, MATRIX, MATRIX),
    "double_q_target": (VECTOR, VECTOR, MATRIX, MATRIX),
    "soft_q_target": (VECTOR, VECTOR, MATRIX, 1.0),
    "td_error": (MATRIX, ACTION, VECTOR),
    "trust_region_mask": (VECTOR, VECTOR, VECTOR, 1.0, VECTOR),
    "dueling": (VECTOR, MATRIX, "mean"),
}
SPOILED = [
    (name, position)
    for name, arguments in CALLS.items()
    for position, argument in enumerate(arguments)
    if isinstance(argument, torch.Tensor)
]


@pytest.mark.parametrize(("name", "position"), SPOILED)
def test_every_argument_of_another_shape_is_refused(name, position):
    arguments = list(CALLS[name])
    getattr(value, name)(*arguments)
    arguments[position] = arguments[position].unsqueeze(-1)
    with pytest.raises(ValueError, match=r"must be .*, got "):
        getattr(value, name)(*arguments)


@pytest.mark.parametrize(("name", "position"), SPOILED)
def test_every_argument_of_another_batch_size_is_refused(name, position):
    arguments = list(CALLS[name])
    arguments[position] = arguments[position][:1]
    with pytest.raises(ValueError, match=r"must be .*, got "):
        getattr(value, name)(*arguments)


def test_an_action_that_is_no_int64_is_refused():
    with pytest.raises(ValueError, match="action must be int64, got"):
        value.td_error(MATRIX, torch.zeros(3, dtype=torch.int32), VECTOR)


def test_the_message_names_argument_and_shapes():
    with pytest.raises(ValueError, match=r"discount must be \(3,\), got \(3, 1\)"):
        value.q_target(VECTOR, VECTOR.unsqueeze(1), MATRIX)
