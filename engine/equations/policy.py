r"""Learning a policy itself.

Letters: ``B`` samples, ``A`` actions to choose from, ``D`` numbers of a continuous
action, ``P`` parameters. ``...`` stands for any axes, as [B] or [B, T]. Advantages
and old probabilities carry no gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from engine.equations.shapes import check_rank, check_shape


def policy_gradient_loss(log_prob: Tensor, advantage: Tensor) -> Tensor:
    r"""Loss whose descent climbs the policy gradient, one float [].

    .. math:: L = -\frac{1}{B} \sum_t \hat A_t \log \pi(a_t \mid s_t)

    Source: Williams (1992), https://doi.org/10.1007/BF00992696; Sutton and Barto
    (2018), section 13.4.

    Args:
      log_prob: Log-probability of the action taken, float [...].
      advantage: Return, or how much better it was than expected, float [...].

    Raises:
      ValueError: If a shape does not match or there is no sample.
    """
    _check_samples(log_prob, advantage=advantage)
    return -(log_prob * advantage.detach()).mean()


def clipped_surrogate_loss(
    log_prob: Tensor, old_log_prob: Tensor, advantage: Tensor, epsilon: float
) -> Tensor:
    r"""Loss of PPO: no reward for moving far from the old policy, one float [].

    .. math:: L = -\frac{1}{B} \sum_t \min\bigl(\rho_t \hat A_t,
              \operatorname{clip}(\rho_t, 1 - \varepsilon, 1 + \varepsilon)
              \hat A_t\bigr), \quad
              \rho_t = \frac{\pi(a_t \mid s_t)}{\pi_{\text{old}}(a_t \mid s_t)}

    Source: Schulman et al. (2017), https://arxiv.org/abs/1707.06347, eq. 7.

    Args:
      log_prob: Log-probability of the action taken, float [...].
      old_log_prob: The same when it was taken, float [...].
      advantage: float [...].
      epsilon: How far the ratio may move with profit, above 0 and below 1.

    Raises:
      ValueError: If a shape does not match, there is no sample, or epsilon is
        outside its range.
    """
    _check_samples(log_prob, old_log_prob=old_log_prob, advantage=advantage)
    if not 0 < epsilon < 1:
        raise ValueError(f"epsilon must be above 0 and below 1, got {epsilon}")
    advantage = advantage.detach()
    log_ratio = log_prob - old_log_prob.detach()
    # The minimum bounds the ratio from above where the advantage is positive and
    # from below where it is negative. Bounding its logarithm keeps the gradient a
    # number where the ratio itself would overflow.
    above = log_ratio.clamp(max=math.log1p(epsilon))
    below = log_ratio.clamp(min=math.log1p(-epsilon))
    return -(torch.where(advantage >= 0, above, below).exp() * advantage).mean()


def entropy(logits: Tensor) -> Tensor:
    r"""How undecided each policy is, in nats, float [B].

    .. math:: H = -\sum_a \pi(a) \log \pi(a), \quad \pi = \operatorname{softmax}(x)

    An action whose logit is minus infinity is forbidden and adds nothing.

    Source: Shannon (1948), https://doi.org/10.1002/j.1538-7305.1948.tb01338.x; as a
    reward for exploring Williams and Peng (1991).

    Args:
      logits: :math:`x`, float [B, A].

    Raises:
      ValueError: If the shape is another.
    """
    check_rank("logits", logits, "BA")
    log_prob = torch.log_softmax(logits, 1)
    prob = log_prob.exp()
    return -(prob * log_prob.masked_fill(prob == 0, 0.0)).sum(1)


def conjugate_gradient(
    matvec: Callable[[Tensor], Tensor], b: Tensor, iterations: int, tolerance: float
) -> Tensor:
    r"""Solution of a linear system whose matrix need not be known, float [P].

    .. math:: A x = b, \quad \text{until} \quad \|b - A x\| \le \epsilon \|b\|

    In exact arithmetic P iterations suffice. No gradient flows through it.

    Source: Hestenes and Stiefel (1952), https://doi.org/10.6028/jres.049.044; for
    natural gradients Schulman et al. (2015), https://arxiv.org/abs/1502.05477,
    appendix C.

    Args:
      matvec: Gives :math:`A v`, float [P], for :math:`v`, float [P]; :math:`A` is
        symmetric and positive definite.
      b: float [P].
      iterations: How many at most, at least 1.
      tolerance: :math:`\epsilon`, at least 0.

    Raises:
      ValueError: If a shape does not match, a limit is outside its range, or
        :math:`v^\top A v` is not positive.
    """
    check_rank("b", b, "P")
    if iterations < 1 or not tolerance >= 0:
        raise ValueError(f"limits must be positive, got {iterations} and {tolerance}")
    residual = direction = b.detach()
    x = torch.zeros_like(residual)
    square = residual.dot(residual)
    enough = tolerance**2 * square
    for _ in range(iterations):
        if bool(square <= enough):
            break
        product = matvec(direction).detach()
        check_shape("matvec(v)", product, b.shape)
        curvature = direction.dot(product)
        if not bool(curvature > 0):
            raise ValueError(f"matvec must be positive definite, got {curvature}")
        x = x + square / curvature * direction
        residual = residual - square / curvature * product
        previous, square = square, residual.dot(residual)
        direction = residual + square / previous * direction
    return x


def tanh_gaussian_log_prob(pre_tanh: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    r"""Log-density of actions squashed into (-1, 1), float [B].

    .. math:: \log \pi(\tanh u) = \sum_{d} \log \mathcal N(u_d; \mu_d, \sigma_d^2)
              - \log(1 - \tanh^2 u_d)

    .. math:: \log(1 - \tanh^2 u) = 2 \bigl(\log 2 - u
              + \log \operatorname{sigmoid}(2u)\bigr)

    The second line is what is computed: it stays finite where the action rounds to
    -1 or 1.

    Source: Haarnoja et al. (2018), https://arxiv.org/abs/1801.01290, eq. 21.

    Args:
      pre_tanh: :math:`u`, the action before it was squashed, float [B, D].
      mean: :math:`\mu`, float [B, D].
      log_std: :math:`\log \sigma`, float [B, D].

    Raises:
      ValueError: If a shape does not match.
    """
    check_rank("pre_tanh", pre_tanh, "BD")
    check_shape("mean", mean, pre_tanh.shape)
    check_shape("log_std", log_std, pre_tanh.shape)
    distance = (pre_tanh - mean) * torch.exp(-log_std)
    gaussian = -0.5 * distance.square() - log_std - 0.5 * math.log(2 * math.pi)
    slope = math.log(2) - pre_tanh + torch.nn.functional.logsigmoid(2 * pre_tanh)
    return (gaussian - 2 * slope).sum(1)


def _check_samples(log_prob: Tensor, **others: Tensor) -> None:
    if log_prob.numel() == 0:
        raise ValueError("log_prob must have a sample")
    for name, tensor in others.items():
        check_shape(name, tensor, log_prob.shape)
