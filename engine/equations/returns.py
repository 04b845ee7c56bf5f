r"""Returns of whole pieces of experience.

Letters: ``B`` pieces, ``T`` steps of each. ``discount[t]`` is :math:`\gamma`, or 0
where the step ended its episode by termination; ``next_value[t]`` belongs to the
observation after step ``t``. All results are float [B, T] and carry no gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.equations.shapes import check_rank, check_shape


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
    if not 0 <= lambda_ <= 1:
        raise ValueError(f"lambda_ must be from 0 to 1, got {lambda_}")
    returns = torch.empty_like(reward)
    following = next_value[:, -1]
    for t in range(reward.shape[1] - 1, -1, -1):
        mixed = (1 - lambda_) * next_value[:, t] + lambda_ * following
        following = reward[:, t] + discount[:, t] * mixed
        returns[:, t] = following
    return returns


def _check_pieces(reward: Tensor, **others: Tensor) -> None:
    check_rank("reward", reward, "BT")
    if reward.shape[1] == 0:
        raise ValueError("reward must have at least one step")
    for name, tensor in others.items():
        check_shape(name, tensor, reward.shape)
