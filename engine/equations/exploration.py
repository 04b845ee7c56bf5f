"""How actions are chosen from values while learning.

Letters: ``B`` observations, ``A`` actions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.equations.shapes import check_rank, check_shape


@torch.no_grad()
def epsilon_greedy_probs(q: Tensor, epsilon: float | Tensor) -> Tensor:
    r"""Probability of each action, float [B, A]; equally good ones share.

    .. math:: \pi(a \mid s) = \frac{\varepsilon}{A} + (1 - \varepsilon)
              \frac{[Q(s, a) = \max Q]}{|\{a' : Q(s, a') = \max Q\}|}

    Source: Sutton and Barto (2018), section 2.2.

    Args:
      q: float [B, A].
      epsilon: Share of random actions, 0 to 1; a tensor [] is not checked.

    Raises:
      ValueError: If the shape is another or epsilon is no probability.
    """
    check_rank("q", q, "BA")
    if not isinstance(epsilon, Tensor) and not 0 <= epsilon <= 1:
        raise ValueError(f"epsilon must be from 0 to 1, got {epsilon}")
    best = (q == q.amax(1, keepdim=True)).to(q.dtype)
    greedy = best / best.sum(1, keepdim=True)
    return epsilon / q.shape[1] + (1 - epsilon) * greedy


@torch.no_grad()
def boltzmann_probs(q: Tensor, temperature: float | Tensor) -> Tensor:
    r"""Probability of each action, float [B, A].

    .. math:: \pi(a \mid s) \propto \exp(Q(s, a) / \tau)

    Source: Sutton and Barto (2018), eq. 2.11.

    Args:
      q: float [B, A].
      temperature: :math:`\tau` > 0; high explores, towards 0 it is greedy. A
        tensor [] is not checked.

    Raises:
      ValueError: If the shape is another or the temperature is not positive.
    """
    check_rank("q", q, "BA")
    if not isinstance(temperature, Tensor) and not temperature > 0:
        raise ValueError(f"temperature must be positive, got {temperature}")
    return torch.softmax(q / temperature, 1)


@torch.no_grad()
def ucb_scores(mean: Tensor, count: Tensor, total: Tensor | int, c: float) -> Tensor:
    r"""Upper confidence bounds, float [B, A]; an untried action has infinity.

    .. math:: U(a) = \bar x_a + c \sqrt{\ln t / n_a}

    Source: Auer et al. (2002), https://doi.org/10.1023/A:1013689704352 (UCB1 with
    :math:`c = \sqrt 2`).

    Args:
      mean: Mean result of each action, float [B, A].
      count: How often each was tried, float [B, A].
      total: :math:`t`, all trials together, at least 1; a number, or float [B] for
        each row its own.
      c: How much is added for uncertainty.

    Raises:
      ValueError: If a shape does not match or there was no trial.
    """
    check_rank("mean", mean, "BA")
    check_shape("count", count, mean.shape)
    trials = torch.as_tensor(total, dtype=mean.dtype, device=mean.device)
    if trials.dim():
        check_shape("total", trials, mean.shape[:1])
    if not bool((trials >= 1).all()):
        raise ValueError(f"total must be at least 1, got {total}")
    bound = mean + c * (trials.log().unsqueeze(-1) / count).sqrt()
    return torch.where(count > 0, bound, torch.inf)


@torch.no_grad()
def count_bonus(count: Tensor, scale: float) -> Tensor:
    r"""Reward for seldom visited states; same shape as ``count``.

    .. math:: b(s) = \beta / \sqrt{N(s)}

    Source: Bellemare et al. (2016), https://arxiv.org/abs/1606.01868; Strehl and
    Littman (2008).

    Args:
      count: Visits including this one, at least 1.
      scale: :math:`\beta`.

    Raises:
      ValueError: If a count is below 1.
    """
    if not bool((count >= 1).all()):
        raise ValueError("count must be at least 1")
    return scale / count.sqrt()
