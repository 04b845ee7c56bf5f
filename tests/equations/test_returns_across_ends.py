"""Returns that carry corrections back, across ends inside a piece."""

import math
from typing import NamedTuple

import pytest
import torch

from engine.equations.returns import (
    discounted_returns,
    gae,
    lambda_returns,
    retrace_targets,
    vtrace,
)

DTYPES = [torch.float32, torch.float64]


class Episodes(NamedTuple):
    """Pieces with ends inside; a next value is that of the next step but for them."""

    reward: torch.Tensor
    value: torch.Tensor
    next_value: torch.Tensor
    ratio: torch.Tensor
    terminated: torch.Tensor
    truncated: torch.Tensor

    @property
    def discount(self):
        return 0.9 * (~self.terminated).to(self.reward.dtype)


def episodes(dtype=torch.float64, seed=1, ends=True):
    generator = torch.Generator().manual_seed(seed)
    reward, value, log_ratio = torch.randn(3, 4, 8, generator=generator, dtype=dtype)
    last = torch.randn(4, 1, generator=generator, dtype=dtype)
    next_value = torch.cat([value[:, 1:], last], 1)
    terminated = torch.zeros(4, 8, dtype=torch.bool)
    truncated = torch.zeros(4, 8, dtype=torch.bool)
    if ends:
        terminated[1, 2] = terminated[3, 7] = terminated[3, 0] = True
        truncated[2, 4] = truncated[3, 3] = truncated[0, 7] = True
        next_value[2, 4], next_value[3, 3] = 5.0, -6.0
    return Episodes(reward, value, next_value, log_ratio.exp(), terminated, truncated)


def summed_by_definition(it, step_error, trace_between):
    """Sum over the errors to the end of the episode or piece, each with its trace."""
    sums = torch.zeros_like(it.reward)
    for b in range(sums.shape[0]):
        for t in range(sums.shape[1]):
            factor, total = 1.0, 0.0
            for k in range(t, sums.shape[1]):
                total += factor * step_error(b, k)
                if it.terminated[b, k] or it.truncated[b, k]:
                    break
                factor *= 0.9 * trace_between(b, k)
            sums[b, t] = total
    return sums


def td_by_definition(it):
    def error(b, t):
        future = 0.0 if it.terminated[b, t] else 0.9 * it.next_value[b, t].item()
        return it.reward[b, t].item() + future - it.value[b, t].item()

    return error


@pytest.mark.parametrize("dtype", DTYPES)
def test_advantages_by_hand(dtype):
    advantages = gae(
        torch.tensor([[1.0, 2.0, 3.0]], dtype=dtype),
        torch.tensor([[4.0, 2.0, 6.0]], dtype=dtype),
        torch.tensor([[2.0, 6.0, 8.0]], dtype=dtype),
        torch.zeros(1, 3, dtype=torch.bool),
        torch.zeros(1, 3, dtype=torch.bool),
        0.5,
        0.5,
    )
    # errors -2, 3, 1; factor 1/4: 3 + 1/4 = 3.25; -2 + 3.25/4 = -1.1875
    assert advantages.tolist() == [[-1.1875, 3.25, 1.0]]
    assert advantages.dtype == dtype


@pytest.mark.parametrize(
    ("terminated", "truncated", "expected"),
    [(False, False, 50.5), (False, True, 5.5), (True, False, 1.0), (True, True, 1.0)],
)
def test_a_truncation_bootstraps_and_cuts_a_termination_only_cuts(
    terminated, truncated, expected
):
    advantages = gae(
        torch.tensor([[1.0, 90.0]]),
        torch.tensor([[0.0, 0.0]]),
        torch.tensor([[9.0, 0.0]]),
        torch.tensor([[terminated, False]]),
        torch.tensor([[truncated, False]]),
        0.5,
        1.0,
    )
    # 1 + 0.5 * 9 + 0.5 * 90, of which an end takes away the last or the last two
    assert advantages[0, 0].item() == expected


@pytest.mark.parametrize("lambda_", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_advantages_are_the_sum_of_discounted_errors(lambda_, dtype):
    it = episodes(dtype)
    expected = summed_by_definition(it, td_by_definition(it), lambda b, k: lambda_)
    torch.testing.assert_close(gae(*of_gae(it), 0.9, lambda_), expected)


def of_gae(it):
    return it.reward, it.value, it.next_value, it.terminated, it.truncated


def test_advantages_are_lambda_returns_above_the_value():
    it = episodes(ends=False)
    torch.testing.assert_close(
        gae(*of_gae(it), 0.9, 0.7) + it.value,
        lambda_returns(it.reward, it.discount, it.next_value, 0.7),
    )


@pytest.mark.parametrize("handled", [True, False])
def test_an_endless_reward_cut_off_by_a_limit_is_valued_right_only_if_handled(handled):
    ones, none = torch.ones(1, 40).double(), torch.zeros(1, 40, dtype=torch.bool)
    limit = none.clone()
    limit[0, 9::10] = True
    value = ones / (1 - 0.9)
    terminated, truncated = (none, limit) if handled else (limit, none)
    advantages = gae(ones, value, value, terminated, truncated, 0.9, 0.95)
    assert (advantages.abs().max() < 1e-12) == handled


def of_retrace(it, ratio=None):
    ratio = it.ratio if ratio is None else ratio
    return it.reward, it.discount, it.value, it.next_value, ratio, it.truncated


@pytest.mark.parametrize("dtype", DTYPES)
def test_retrace_by_hand(dtype):
    targets = retrace_targets(
        torch.tensor([[1.0, 2.0, 3.0]], dtype=dtype),
        torch.full((1, 3), 0.5, dtype=dtype),
        torch.tensor([[4.0, 2.0, 6.0]], dtype=dtype),
        torch.tensor([[2.0, 6.0, 8.0]], dtype=dtype),
        torch.tensor([[99.0, 4.0, 0.25]], dtype=dtype),
        torch.zeros(1, 3, dtype=torch.bool),
        0.5,
    )
    # errors -2, 3, 1; traces of the later step 0.5 and 0.125; discount 0.5:
    # 3 + 0.0625 = 3.0625; -2 + 0.25 * 3.0625 = -1.234375
    assert targets.tolist() == [[2.765625, 5.0625, 7.0]]
    assert targets.dtype == dtype


@pytest.mark.parametrize("lambda_", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("dtype", DTYPES)
def test_retrace_is_its_definition(lambda_, dtype):
    it = episodes(dtype)
    sums = summed_by_definition(
        it,
        td_by_definition(it),
        lambda b, k: lambda_ * min(1.0, it.ratio[b, min(k + 1, 7)].item()),
    )
    targets = retrace_targets(*of_retrace(it), lambda_)
    torch.testing.assert_close(targets, it.value + sums)


def test_retrace_on_policy_is_the_lambda_return():
    it = episodes(ends=False)
    targets = retrace_targets(*of_retrace(it, torch.ones_like(it.ratio)), 0.7)
    expected = lambda_returns(it.reward, it.discount, it.next_value, 0.7)
    torch.testing.assert_close(targets, expected)


@pytest.mark.parametrize("ratio", [0.0, 1e6, math.inf])
def test_retrace_is_one_step_without_a_ratio_and_bounded_with_a_huge_one(ratio):
    it = episodes()
    targets = retrace_targets(*of_retrace(it, torch.full_like(it.ratio, ratio)), 1.0)
    one_step = it.reward + it.discount * it.next_value
    on_policy = retrace_targets(*of_retrace(it, torch.ones_like(it.ratio)), 1.0)
    torch.testing.assert_close(targets, on_policy if ratio else one_step)


def test_retrace_does_not_read_the_first_ratio():
    it = episodes()
    other = it.ratio.clone()
    other[:, 0] = 98.0
    assert torch.equal(
        retrace_targets(*of_retrace(it), 0.9),
        retrace_targets(*of_retrace(it, other), 0.9),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_vtrace_by_hand(dtype):
    result = vtrace(
        torch.tensor([[1.0, 2.0, 3.0]], dtype=dtype),
        torch.full((1, 3), 0.5, dtype=dtype),
        torch.tensor([[4.0, 2.0, 6.0]], dtype=dtype),
        torch.tensor([[2.0, 6.0, 8.0]], dtype=dtype),
        torch.tensor([[4.0, 0.5, 1.5]], dtype=dtype),
        torch.zeros(1, 3, dtype=torch.bool),
        2.0,
        1.0,
    )
    # rho 2, 0.5, 1.5 and c 1, 0.5, 1 times errors -2, 3, 1: -4, 1.5, 1.5;
    # 1.5 + 0.25 * 1.5 = 1.875; -4 + 0.5 * 1.875 = -3.0625
    assert result.target.tolist() == [[0.9375, 3.875, 7.5]]
    # 2 (1 + 0.5 * 3.875 - 4); 0.5 (2 + 0.5 * 7.5 - 2); 1.5 (3 + 0.5 * 8 - 6)
    assert result.advantage.tolist() == [[-2.125, 1.875, 1.5]]
    assert result.target.dtype == result.advantage.dtype == dtype


@pytest.mark.parametrize(
    ("rho_bar", "c_bar"), [(1.0, 1.0), (2.0, 0.5), (math.inf, 1.2), (0.3, 0.0)]
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_vtrace_targets_are_their_definition(rho_bar, c_bar, dtype):
    it = episodes(dtype)
    error = td_by_definition(it)
    sums = summed_by_definition(
        it,
        lambda b, k: min(rho_bar, it.ratio[b, k].item()) * error(b, k),
        lambda b, k: min(c_bar, it.ratio[b, k].item()),
    )
    result = vtrace(*of_retrace(it), rho_bar, c_bar)
    torch.testing.assert_close(result.target, it.value + sums)


def test_vtrace_advantages_use_the_next_target_but_the_next_value_at_an_end():
    it = episodes()
    result = vtrace(*of_retrace(it), 1.0, 1.0)
    for b in range(4):
        for t in range(8):
            end = t == 7 or it.truncated[b, t]
            following = it.next_value[b, t] if end else result.target[b, t + 1]
            gain = it.reward[b, t] + it.discount[b, t] * following - it.value[b, t]
            expected = min(1.0, it.ratio[b, t].item()) * gain.item()
            assert result.advantage[b, t].item() == pytest.approx(expected)


def test_vtrace_on_policy_is_the_discounted_return():
    it = episodes(ends=False)
    on_policy = torch.ones_like(it.ratio)
    result = vtrace(*of_retrace(it, on_policy), 1.0, 1.0)
    returns = discounted_returns(it.reward, it.discount, it.next_value[:, -1])
    torch.testing.assert_close(result.target, returns)
    torch.testing.assert_close(result.advantage, returns - it.value)


def test_what_follows_an_end_changes_nothing_before_it():
    it = episodes()
    reward, value = it.reward.clone(), it.value.clone()
    reward[2, 5:], value[2, 5:] = 1e6, -1e6
    other = it._replace(reward=reward, value=value)
    for results in (
        (gae(*of_gae(each), 0.9, 1.0) for each in (it, other)),
        (retrace_targets(*of_retrace(each), 1.0) for each in (it, other)),
        (vtrace(*of_retrace(each), 1.0, 1.0).target for each in (it, other)),
        (vtrace(*of_retrace(each), 1.0, 1.0).advantage for each in (it, other)),
    ):
        before, after = results
        assert torch.equal(before[2, :5], after[2, :5])
        assert not torch.equal(before[2, 5:], after[2, 5:])


def test_one_step_pieces_are_td_errors():
    it = Episodes(*(each[:, :1] for each in episodes()))
    td = it.reward + it.discount * it.next_value - it.value
    assert torch.equal(gae(*of_gae(it), 0.9, 0.5), td)
    torch.testing.assert_close(retrace_targets(*of_retrace(it), 0.5) - it.value, td)
    result = vtrace(*of_retrace(it), math.inf, 1.0)
    torch.testing.assert_close(result.advantage, it.ratio * td)


def test_corrected_returns_carry_no_gradient():
    it = Episodes(
        *(
            each.requires_grad_() if each.is_floating_point() else each
            for each in episodes()
        )
    )
    assert not gae(*of_gae(it), 0.9, 0.5).requires_grad
    assert not retrace_targets(*of_retrace(it), 0.5).requires_grad
    assert not any(each.requires_grad for each in vtrace(*of_retrace(it), 1.0, 1.0))


CORRECTED = {
    "gae": (gae, of_gae, (0.9, 0.5)),
    "retrace_targets": (retrace_targets, of_retrace, (0.5,)),
    "vtrace": (vtrace, of_retrace, (1.0, 1.0)),
}


@pytest.mark.parametrize("name", CORRECTED)
@pytest.mark.parametrize("spoil", [lambda x: x[:1], lambda x: x.unsqueeze(2)])
def test_corrected_returns_refuse_other_shapes(name, spoil):
    function, choose, extra = CORRECTED[name]
    for position in range(len(choose(episodes()))):
        arguments = list(choose(episodes()))
        arguments[position] = spoil(arguments[position])
        with pytest.raises(ValueError, match=r"must be .*, got"):
            function(*arguments, *extra)


@pytest.mark.parametrize("name", CORRECTED)
def test_ends_that_are_no_flags_are_refused(name):
    function, choose, extra = CORRECTED[name]
    it = episodes()
    it = it._replace(truncated=it.truncated.double())
    with pytest.raises(ValueError, match=r"truncated must be bool, got torch\.float64"):
        function(*choose(it), *extra)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_factors_and_limits_outside_their_range_are_refused(wrong):
    it = episodes()
    with pytest.raises(ValueError, match="gamma must be from 0 to 1"):
        gae(*of_gae(it), wrong, 0.5)
    with pytest.raises(ValueError, match="lambda_ must be from 0 to 1"):
        gae(*of_gae(it), 0.9, wrong)
    with pytest.raises(ValueError, match="lambda_ must be from 0 to 1"):
        retrace_targets(*of_retrace(it), wrong)
    with pytest.raises(ValueError, match="c_bar must be from 0 to rho_bar"):
        vtrace(*of_retrace(it), 1.0, wrong)
