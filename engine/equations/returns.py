r"""Returns of whole pieces of experience.

Letters: ``B`` pieces, ``T`` steps of each. ``discount[t]`` is :math:`\gamma`, or 0
where the step ended its episode by termination; ``next_value[t]`` belongs to the
observation that step ``t`` led to. ``truncated[t]`` marks the last step of an
episode that was cut off: what follows in the piece belongs to another episode, so
nothing is carried back over it, but ``next_value[t]`` still counts. ``ratio[t]`` is
:math:`\pi(a_t \mid s_t) / \mu(a_t \mid s_t)`, the learned policy's probability of
the action over that of the policy which took it. All results are float [B, T] and
carry no gradient.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from engine.equations.shapes import check_flags, check_rank, check_shape


class VTrace(NamedTuple):
    """What V-trace learns from: for the values, and for the policy."""

    target: Tensor
    advantage: Tensor


@torch.no_grad()
def discounted_returns(reward: Tensor, discount: Tensor, bootstrap: Tensor) -> Tensor:
    r"""All rewards to come, and the value of what follows the last, float [B, T].

    .. math:: G_t = r_t + \gamma_t G_{t+1}, \quad G_T = V_{\text{bootstrap}}

    Source: Sutton and Barto (2018), eq. 3.9.

    Args:
      reward: float [B, T].
      discount: float [B, T].
      bootstrap: Value after the last step, float [B].

    Raises:
      ValueError: If a shape does not match.
    """
    _check_pieces(reward, discount=discount)
    check_shape("bootstrap", bootstrap, (reward.shape[0],))
    returns = torch.empty_like(reward)
    following = bootstrap
    for t in range(reward.shape[1] - 1, -1, -1):
        following = reward[:, t] + discount[:, t] * following
        returns[:, t] = following
    return returns


@torch.no_grad()
def n_step_returns(
    reward: Tensor, discount: Tensor, next_value: Tensor, n: int
) -> Tensor:
    r"""The next n rewards, and the value of what follows them, float [B, T].

    .. math:: G_t = \sum_{k=0}^{m-1} \Bigl(\prod_{j<k} \gamma_{t+j}\Bigr) r_{t+k}
              + \Bigl(\prod_{j<m} \gamma_{t+j}\Bigr) V_{t+m},
              \quad m = \min(n, T - t)

    Source: Sutton and Barto (2018), eq. 7.1.

    Args:
      reward: float [B, T].
      discount: float [B, T].
      next_value: float [B, T].
      n: Rewards to sum, at least 1; fewer are there at the end of the piece.

    Raises:
      ValueError: If a shape does not match or n is below 1.
    """
    _check_pieces(reward, discount=discount, next_value=next_value)
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    steps = reward.shape[1]
    returns = torch.empty_like(reward)
    for t in range(steps):
        last = min(t + n, steps) - 1
        following = next_value[:, last]
        for k in range(last, t - 1, -1):
            following = reward[:, k] + discount[:, k] * following
        returns[:, t] = following
    return returns


@torch.no_grad()
def lambda_returns(
    reward: Tensor, discount: Tensor, next_value: Tensor, lambda_: float
) -> Tensor:
    r"""Mixture of all n-step returns, float [B, T].

    .. math:: G_t = r_t + \gamma_t \bigl((1 - \lambda) V_{t+1} + \lambda
              G_{t+1}\bigr), \quad G_T = V_T

    Source: Sutton and Barto (2018), section 12.1.

    Args:
      reward: float [B, T].
      discount: float [B, T].
      next_value: float [B, T].
      lambda_: 0 is one step, 1 all rewards to come.

    Raises:
      ValueError: If a shape does not match or lambda is not from 0 to 1.
    """
    _check_pieces(reward, discount=discount, next_value=next_value)
    _check_share("lambda_", lambda_)
    returns = torch.empty_like(reward)
    following = next_value[:, -1]
    for t in range(reward.shape[1] - 1, -1, -1):
        mixed = (1 - lambda_) * next_value[:, t] + lambda_ * following
        following = reward[:, t] + discount[:, t] * mixed
        returns[:, t] = following
    return returns


@torch.no_grad()
def gae(
    reward: Tensor,
    value: Tensor,
    next_value: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    gamma: float,
    lambda_: float,
) -> Tensor:
    r"""Generalized advantage estimates, float [B, T]; plus ``value`` they are returns.

    .. math:: \hat A_t = \delta_t + \gamma \lambda (1 - d_t)(1 - u_t) \hat A_{t+1},
              \quad \delta_t = r_t + \gamma (1 - d_t) V(s_{t+1}) - V(s_t)

    with :math:`d_t` = 1 where terminated and :math:`u_t` = 1 where truncated.

    Source: Schulman et al. (2016), https://arxiv.org/abs/1506.02438, eq. 16.

    Args:
      reward: float [B, T].
      value: Value of the observation before each step, float [B, T].
      next_value: Value of the one it truly led to, also at a truncation (never of
        the next episode's first one), float [B, T].
      terminated: bool [B, T].
      truncated: bool [B, T].
      gamma: 0 to 1.
      lambda_: 0 is the TD error, 1 all rewards to come.

    Raises:
      ValueError: If a shape or type does not match or a factor is not from 0 to 1.
    """
    _check_pieces(reward, value=value, next_value=next_value)
    check_flags("terminated", terminated, reward.shape)
    check_flags("truncated", truncated, reward.shape)
    _check_share("gamma", gamma)
    _check_share("lambda_", lambda_)
    discount = gamma * (~terminated).to(reward.dtype)
    error = reward + discount * next_value - value
    return _carry_back(error, lambda_ * discount * ~truncated)


@torch.no_grad()
def retrace_targets(
    reward: Tensor,
    discount: Tensor,
    q_taken: Tensor,
    next_value: Tensor,
    ratio: Tensor,
    truncated: Tensor,
    lambda_: float,
) -> Tensor:
    r"""Targets of Retrace for the actions that were taken, float [B, T].

    .. math:: y_t = Q(s_t, a_t) + e_t, \quad
              e_t = \delta_t + \gamma_t (1 - u_t)\, c_{t+1}\, e_{t+1}

    .. math:: \delta_t = r_t + \gamma_t \sum_a \pi(a \mid s_{t+1}) Q(s_{t+1}, a)
              - Q(s_t, a_t), \quad c_t = \lambda \min\Bigl(1,
              \frac{\pi(a_t \mid s_t)}{\mu(a_t \mid s_t)}\Bigr)

    with :math:`u_t` = 1 where truncated. The first ratio of a piece plays no part:
    the action whose value is learned needs no correction.

    Source: Munos et al. (2016), https://arxiv.org/abs/1606.02647, table 1.

    Args:
      reward: float [B, T].
      discount: float [B, T].
      q_taken: Value of the action taken in each step, float [B, T].
      next_value: Mean of the next Q-values under the learned policy, float [B, T].
      ratio: float [B, T].
      truncated: bool [B, T].
      lambda_: 0 is one step of Expected SARSA, 1 carries back the most.

    Raises:
      ValueError: If a shape or type does not match or lambda is not from 0 to 1.
    """
    _check_pieces(
        reward, discount=discount, q_taken=q_taken, next_value=next_value, ratio=ratio
    )
    check_flags("truncated", truncated, reward.shape)
    _check_share("lambda_", lambda_)
    error = reward + discount * next_value - q_taken
    trace = lambda_ * ratio.clamp(max=1)
    return q_taken + _carry_back(error, discount * ~truncated * trace.roll(-1, 1))


@torch.no_grad()
def vtrace(
    reward: Tensor,
    discount: Tensor,
    value: Tensor,
    next_value: Tensor,
    ratio: Tensor,
    truncated: Tensor,
    rho_bar: float,
    c_bar: float,
) -> VTrace:
    r"""Targets of the values and advantages of the policy, each float [B, T].

    .. math:: v_t = V(s_t) + e_t, \quad
              e_t = \delta_t + \gamma_t (1 - u_t)\, c_t\, e_{t+1}, \quad
              \delta_t = \rho_t \bigl(r_t + \gamma_t V(s_{t+1}) - V(s_t)\bigr)

    .. math:: \hat A_t = \rho_t \bigl(r_t + \gamma_t v_{t+1} - V(s_t)\bigr), \quad
              \rho_t = \min(\bar\rho, \pi/\mu), \quad c_t = \min(\bar c, \pi/\mu)

    with :math:`u_t` = 1 where truncated; there, and after the last step of the
    piece, :math:`v_{t+1}` is the next value itself.

    Source: Espeholt et al. (2018), https://arxiv.org/abs/1802.01561, eq. 1 and
    section 4.2.

    Args:
      reward: float [B, T].
      discount: float [B, T].
      value: Value of the observation before each step, float [B, T].
      next_value: float [B, T].
      ratio: float [B, T].
      truncated: bool [B, T].
      rho_bar: Decides which policy's values are learned; infinite for :math:`\pi`.
      c_bar: How much is carried back, at most ``rho_bar``.

    Raises:
      ValueError: If a shape or type does not match or the limits do not fit.
    """
    _check_pieces(
        reward, discount=discount, value=value, next_value=next_value, ratio=ratio
    )
    check_flags("truncated", truncated, reward.shape)
    if not 0 <= c_bar <= rho_bar:
        raise ValueError(f"c_bar must be from 0 to rho_bar, got {c_bar} and {rho_bar}")
    rho, trace = ratio.clamp(max=rho_bar), ratio.clamp(max=c_bar)
    error = rho * (reward + discount * next_value - value)
    target = value + _carry_back(error, discount * ~truncated * trace)
    following = next_value.clone()
    following[:, :-1] = torch.where(truncated, next_value, target.roll(-1, 1))[:, :-1]
    return VTrace(target, rho * (reward + discount * following - value))


def _carry_back(error: Tensor, factor: Tensor) -> Tensor:
    """Each error plus ``factor[t]`` of the sum after it, float [B, T]."""
    total = error.clone()
    for t in range(error.shape[1] - 2, -1, -1):
        total[:, t] += factor[:, t] * total[:, t + 1]
    return total


def _check_share(name: str, share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {share}")


def _check_pieces(reward: Tensor, **others: Tensor) -> None:
    check_rank("reward", reward, "BT")
    if reward.shape[1] == 0:
        raise ValueError("reward must have at least one step")
    for name, tensor in others.items():
        check_shape(name, tensor, reward.shape)
