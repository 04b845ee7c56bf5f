r"""Targets and errors of learning action values.

Letters: ``B`` transitions of a batch, ``A`` actions. ``reward`` is the (n-step
discounted) sum :math:`r` of the rewards of a transition, ``discount`` is
:math:`\gamma^n` or 0 where the episode terminated, primes belong to the
observation after the transition. Targets carry no gradient.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from engine.equations.shapes import check_index, check_rank, check_shape


def q_target(reward: Tensor, discount: Tensor, next_q: Tensor) -> Tensor:
    r"""Target of Q-learning, float [B].

    .. math:: y = r + \gamma^n \max_a Q(s', a)

    Source: Watkins and Dayan (1992), https://doi.org/10.1007/BF00992698.

    Args:
      reward: float [B].
      discount: float [B].
      next_q: float [B, A].

    Raises:
      ValueError: If a shape does not match.
    """
    _check_targets(reward, discount, next_q=next_q)
    return torch.addcmul(reward, discount, next_q.amax(1)).detach()


def sarsa_target(
    reward: Tensor, discount: Tensor, next_q: Tensor, next_action: Tensor
) -> Tensor:
    r"""Target of SARSA: the action that was really taken next, float [B].

    .. math:: y = r + \gamma^n Q(s', a')

    Source: Sutton and Barto (2018), section 6.4.

    Args:
      reward: float [B].
      discount: float [B].
      next_q: float [B, A].
      next_action: int64 [B].

    Raises:
      ValueError: If a shape or type does not match.
    """
    _check_targets(reward, discount, next_q=next_q)
    return torch.addcmul(
        reward, discount, _taken(next_q, next_action, "next_action")
    ).detach()


def expected_sarsa_target(
    reward: Tensor, discount: Tensor, next_q: Tensor, next_probs: Tensor
) -> Tensor:
    r"""Target of Expected SARSA: the mean over the next actions, float [B].

    .. math:: y = r + \gamma^n \sum_a \pi(a \mid s') Q(s', a)

    Source: van Seijen et al. (2009), https://doi.org/10.1109/ADPRL.2009.4927542.

    Args:
      reward: float [B].
      discount: float [B].
      next_q: float [B, A].
      next_probs: float [B, A], rows sum to 1.

    Raises:
      ValueError: If a shape does not match.
    """
    _check_targets(reward, discount, next_q=next_q, next_probs=next_probs)
    return torch.addcmul(reward, discount, (next_q * next_probs).sum(1)).detach()


def double_q_target(
    reward: Tensor, discount: Tensor, next_q_select: Tensor, next_q_evaluate: Tensor
) -> Tensor:
    r"""Target of double Q-learning, float [B].

    .. math:: y = r + \gamma^n Q_{\text{evaluate}}\bigl(s',
              \arg\max_a Q_{\text{select}}(s', a)\bigr)

    Source: van Hasselt et al. (2016), https://arxiv.org/abs/1509.06461, eq. 4.

    Args:
      reward: float [B].
      discount: float [B].
      next_q_select: float [B, A], the network that chooses (online).
      next_q_evaluate: float [B, A], the network that values the choice (target).

    Raises:
      ValueError: If a shape does not match.
    """
    _check_targets(
        reward, discount, next_q_select=next_q_select, next_q_evaluate=next_q_evaluate
    )
    chosen = next_q_select.argmax(1, keepdim=True)
    return torch.addcmul(
        reward, discount, next_q_evaluate.gather(1, chosen).squeeze(1)
    ).detach()


def soft_q_target(
    reward: Tensor, discount: Tensor, next_q: Tensor, temperature: float
) -> Tensor:
    r"""Target of soft Q-learning, float [B].

    .. math:: y = r + \gamma^n \tau \log \sum_a \exp\bigl(Q(s', a) / \tau\bigr)

    Source: Haarnoja et al. (2017), https://arxiv.org/abs/1702.08165, eq. 3.

    Args:
      reward: float [B].
      discount: float [B].
      next_q: float [B, A].
      temperature: :math:`\tau` > 0; towards 0 it becomes the maximum.

    Raises:
      ValueError: If a shape does not match or the temperature is not positive.
    """
    _check_targets(reward, discount, next_q=next_q)
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, got {temperature}")
    soft_value = temperature * torch.logsumexp(next_q / temperature, 1)
    return torch.addcmul(reward, discount, soft_value).detach()


def td_error(q: Tensor, action: Tensor, target: Tensor) -> Tensor:
    r"""How far the target is above the estimate, float [B].

    .. math:: \delta = y - Q(s, a)

    The gradient flows into ``q`` only where the action was taken, never into
    ``target``. Source: Sutton and Barto (2018), eq. 6.5.

    Args:
      q: float [B, A].
      action: int64 [B].
      target: float [B].

    Raises:
      ValueError: If a shape or type does not match.
    """
    check_rank("q", q, "BA")
    check_shape("target", target, (q.shape[0],))
    return target.detach() - _taken(q, action, "action")


def huber(error: Tensor, delta: float) -> Tensor:
    r"""Squared near zero and linear far away, float of the same shape.

    .. math:: L(x) = \begin{cases} x^2/2 & |x| \le \delta \\
              \delta\,(|x| - \delta/2) & \text{otherwise} \end{cases}

    Source: Huber (1964), https://doi.org/10.1214/aoms/1177703732.

    Args:
      error: float, any shape.
      delta: Threshold > 0; infinite for half the square everywhere.

    Raises:
      ValueError: If the threshold is not positive.
    """
    slope = huber_slope(error, delta)
    # With the slope s this is both cases at once: s (x - s/2).
    return slope * (error - slope / 2)


def huber_slope(error: Tensor, delta: float) -> Tensor:
    r"""Derivative of :func:`huber`, float of the same shape.

    .. math:: L'(x) = \min(\max(x, -\delta), \delta)

    Args:
      error: float, any shape.
      delta: Threshold > 0.

    Raises:
      ValueError: If the threshold is not positive.
    """
    if not delta > 0:
        raise ValueError(f"delta must be positive, got {delta}")
    return error.clamp(-delta, delta)


@torch.no_grad()
def trust_region_mask(
    q_online: Tensor,
    q_target_network: Tensor,
    target: Tensor,
    alpha: float,
    sigma: Tensor | float,
) -> Tensor:
    r"""Which samples to keep when bootstrapping online, bool [B], True = keep.

    A sample is dropped where the online value has left the trust region around
    the target network's and the update would drive it further out:

    .. math:: |Q - Q_T| > \alpha\sigma \;\land\;
              \operatorname{sgn}(Q - Q_T) \ne \operatorname{sgn}(Q - y)

    Source: Kapturowski et al. (2023), https://arxiv.org/abs/2209.07550, eq. 5.

    Args:
      q_online: Online value of the action taken, float [B].
      q_target_network: The target network's value of it, float [B].
      target: float [B].
      alpha: Width of the region in units of ``sigma``.
      sigma: Scale of TD errors, a number, float [] or float [B].

    Raises:
      ValueError: If a shape does not match.
    """
    check_rank("q_online", q_online, "B")
    check_shape("q_target_network", q_target_network, q_online.shape)
    check_shape("target", target, q_online.shape)
    if isinstance(sigma, Tensor) and sigma.dim():
        check_shape("sigma", sigma, q_online.shape)
    away = q_online - q_target_network
    outside = away.abs() > alpha * sigma
    return ~(outside & (away.sign() != (q_online - target).sign()))


def dueling(
    value: Tensor, advantage: Tensor, aggregate: Literal["mean", "max"]
) -> Tensor:
    r"""Q-values from a value and an advantage stream, float [B, A].

    .. math:: Q(s, a) = V(s) + A(s, a) - \operatorname*{agg}_{a'} A(s, a')

    Source: Wang et al. (2016), https://arxiv.org/abs/1511.06581, eq. 8 (max) and
    eq. 9 (mean).

    Args:
      value: float [B].
      advantage: float [B, A].
      aggregate: ``mean`` or ``max`` over the actions of each sample.

    Raises:
      ValueError: If a shape does not match or the aggregate is unknown.
    """
    check_rank("advantage", advantage, "BA")
    check_shape("value", value, (advantage.shape[0],))
    if aggregate == "mean":
        centre = advantage.mean(1, keepdim=True)
    elif aggregate == "max":
        centre = advantage.amax(1, keepdim=True)
    else:
        raise ValueError(f"aggregate must be mean or max, got {aggregate}")
    return value.unsqueeze(1) + (advantage - centre)


def signed_hyperbolic(x: Tensor, epsilon: float = 1e-3) -> Tensor:
    r"""Squash large values, invertibly; same shape.

    .. math:: h(x) = \operatorname{sgn}(x)\,(\sqrt{|x| + 1} - 1) + \varepsilon x

    Source: Pohlen et al. (2018), https://arxiv.org/abs/1805.11593, prop. A.2.
    """
    return x.sign() * ((x.abs() + 1).sqrt() - 1) + epsilon * x


def signed_parabolic(x: Tensor, epsilon: float = 1e-3) -> Tensor:
    r"""Inverse of :func:`signed_hyperbolic`; same shape.

    .. math:: h^{-1}(x) = \operatorname{sgn}(x) \left( \left( \frac{\sqrt{1 +
              4\varepsilon(|x| + 1 + \varepsilon)} - 1}{2\varepsilon} \right)^2
              - 1 \right)

    Source: Pohlen et al. (2018), https://arxiv.org/abs/1805.11593, prop. A.2.
    """
    root = (1 + 4 * epsilon * (x.abs() + 1 + epsilon)).sqrt()
    return x.sign() * (((root - 1) / (2 * epsilon)).square() - 1)


def _taken(q: Tensor, action: Tensor, name: str) -> Tensor:
    """Value of one action per row, float [B]."""
    check_shape(name, action, (q.shape[0],))
    check_index(name, action)
    return q.gather(1, action.unsqueeze(1)).squeeze(1)


def _check_targets(reward: Tensor, discount: Tensor, **next_values: Tensor) -> None:
    check_rank("reward", reward, "B")
    check_shape("discount", discount, reward.shape)
    first = next(iter(next_values.values()))
    for name, tensor in next_values.items():
        check_rank(name, tensor, "BA")
        check_shape(name, tensor, (reward.shape[0], first.shape[1]))
