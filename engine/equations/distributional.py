r"""Learning the whole distribution of the return.

Letters: ``B`` transitions of a batch, ``N`` atoms, quantiles or particles of an
estimate, ``M`` (``K`` for atoms) of its target. A *support* holds the increasing
values of the atoms; its spacing is not checked, as the answer would have to be
fetched from the device in each update. Losses are per sample, for weights and
priorities. Targets carry no gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.equations.shapes import check_rank, check_shape
from engine.equations.value import huber


@torch.no_grad()
def project_categorical(
    target_support: Tensor, target_probs: Tensor, support: Tensor
) -> Tensor:
    r"""A distribution moved onto other atoms, float [B, N].

    .. math:: p_i = \sum_j q_j \Bigl[1 - \frac{|\operatorname{clip}(y_j, z_1, z_N)
              - z_i|}{\Delta z}\Bigr]_0^1

    Each probability is shared by the two atoms around its value, so that the mean
    stays (inside the support) and nothing gets lost.

    Source: Bellemare et al. (2017), https://arxiv.org/abs/1707.06887, eq. 7.

    Args:
      target_support: Values :math:`y`, in any order and range, float [B, K].
      target_probs: Their probabilities :math:`q`, float [B, K].
      support: Evenly spaced, increasing atoms :math:`z`, at least 2, float [N].

    Raises:
      ValueError: If a shape does not match.
    """
    check_rank("target_support", target_support, "BK")
    check_shape("target_probs", target_probs, target_support.shape)
    _check_support(support)
    last = support.shape[0] - 1
    position = (target_support - support[0]) * (last / (support[-1] - support[0]))
    position = position.clamp(0, last)
    # A position that is not a number must not become an index that does not exist.
    below = position.detach().long().clamp(0, last - 1)
    passed = position - below
    empty = target_probs.new_zeros(target_probs.shape[0], support.shape[0])
    lower = empty.scatter_add(1, below, target_probs * (1 - passed))
    return lower.scatter_add(1, below + 1, target_probs * passed)


def categorical_cross_entropy(logits: Tensor, target_probs: Tensor) -> Tensor:
    r"""Cross-entropy of each sample, float [B].

    .. math:: L = -\sum_i p_i \log \operatorname{softmax}(x)_i

    Source: Bellemare et al. (2017), https://arxiv.org/abs/1707.06887, algorithm 1.

    Args:
      logits: :math:`x` of the action taken, float [B, N].
      target_probs: :math:`p`, float [B, N].

    Raises:
      ValueError: If a shape does not match.
    """
    check_rank("logits", logits, "BN")
    check_shape("target_probs", target_probs, logits.shape)
    return -(target_probs.detach() * torch.log_softmax(logits, 1)).sum(1)


def categorical_mean(probs: Tensor, support: Tensor) -> Tensor:
    r"""Mean of each distribution, float [...].

    .. math:: Q = \sum_i p_i z_i

    Source: Bellemare et al. (2017), https://arxiv.org/abs/1707.06887, algorithm 1.

    Args:
      probs: float [..., N].
      support: float [N].

    Raises:
      ValueError: If a shape does not match.
    """
    _check_distributions(probs, support)
    return (probs * support).sum(-1)


def categorical_cvar(probs: Tensor, support: Tensor, level: float) -> Tensor:
    r"""Mean of the worst share of each distribution, float [...].

    .. math:: \operatorname{CVaR}_\alpha = \frac{1}{\alpha} \sum_i w_i z_i, \quad
              w_i = \min(\alpha, P_i) - \min(\alpha, P_{i-1}), \quad
              P_i = \textstyle\sum_{j \le i} p_j

    Source: Rockafellar and Uryasev (2000), https://doi.org/10.21314/JOR.2000.038.

    Args:
      probs: float [..., N].
      support: Increasing, float [N].
      level: :math:`\alpha` > 0; 1 is the mean, towards 0 it is the worst possible.

    Raises:
      ValueError: If a shape does not match or the level is not above 0 and at most 1.
    """
    _check_distributions(probs, support)
    _check_level(level)
    reached = probs.cumsum(-1).clamp(max=level)
    weights = torch.diff(reached, dim=-1, prepend=torch.zeros_like(reached[..., :1]))
    # Not divided by the level: rounding may leave all probabilities short of 1.
    return (weights / reached[..., -1:] * support).sum(-1)


def quantile_midpoints(
    n: int, dtype: torch.dtype = torch.float32, device: torch.device | None = None
) -> Tensor:
    r"""Levels in the middle of n equal shares, float [N].

    .. math:: \hat\tau_i = \frac{2i - 1}{2N}, \quad i = 1, \dots, N

    Source: Dabney et al. (2018), https://arxiv.org/abs/1710.10044, lemma 2.

    Raises:
      ValueError: If n is below 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    return (torch.arange(n, dtype=dtype, device=device) + 0.5) / n


def quantile_huber_loss(
    quantiles: Tensor,
    target: Tensor,
    tau: Tensor,
    kappa: float,
    target_probs: Tensor | None = None,
) -> Tensor:
    r"""Quantile regression loss of each sample, float [B].

    .. math:: L = \sum_{i=1}^{N} \frac{1}{M} \sum_{j=1}^{M}
              \bigl|\tau_i - [u_{ij} < 0]\bigr| \, L_\kappa(u_{ij}), \quad
              u_{ij} = y_j - \theta_i

    :math:`L_\kappa` is the Huber loss, not divided by :math:`\kappa`. Without
    division it would vanish towards :math:`\kappa = 0`, so 0 instead stands for
    the pure quantile loss with :math:`L_0(u) = |u|`.

    Source: Dabney et al. (2018), https://arxiv.org/abs/1710.10044, eq. 10 (and 8
    for 0).

    Args:
      quantiles: Predicted :math:`\theta`, float [B, N].
      target: Samples or quantiles :math:`y` of the target, float [B, M].
      tau: Level of each predicted quantile, float [N], or float [B, N] where each
        sample has its own.
      kappa: Threshold of the Huber loss, at least 0.
      target_probs: Probability of each target in the place of 1/M, float [B, M].

    Raises:
      ValueError: If a shape does not match or the threshold is negative.
    """
    _check_samples(quantiles, target, "quantiles")
    check_shape("tau", tau, quantiles.shape[1:] if tau.dim() == 1 else quantiles.shape)
    if not kappa >= 0:
        raise ValueError(f"kappa must be at least 0, got {kappa}")
    error = target.detach().unsqueeze(1) - quantiles.unsqueeze(2)
    slope = (tau.detach().unsqueeze(-1) - (error < 0).to(tau.dtype)).abs()
    distance = huber(error, kappa) if kappa > 0 else error.abs()
    losses = slope * distance
    if target_probs is None:
        return losses.mean(2).sum(1)
    check_shape("target_probs", target_probs, target.shape)
    return (losses * target_probs.detach().unsqueeze(1)).sum((1, 2))


def cvar(quantiles: Tensor, level: float) -> Tensor:
    r"""Mean of the worst share of equally likely values, float [...].

    .. math:: \operatorname{CVaR}_\alpha = \frac{1}{\alpha N} \sum_{i=1}^{N}
              \min\bigl(1, \max(0, \alpha N - i + 1)\bigr)\, \theta_{(i)}, \quad
              \theta_{(1)} \le \dots \le \theta_{(N)}

    Source: Rockafellar and Uryasev (2000), https://doi.org/10.21314/JOR.2000.038;
    for acting on it Dabney et al. (2018), https://arxiv.org/abs/1806.06923.

    Args:
      quantiles: Quantiles, particles or samples in any order, float [..., N].
      level: :math:`\alpha` > 0; 1 is the mean, towards 0 it is the minimum.

    Raises:
      ValueError: If there is no value or the level is not above 0 and at most 1.
    """
    if quantiles.dim() == 0 or quantiles.shape[-1] == 0:
        raise ValueError(f"quantiles must be [..., N], got {tuple(quantiles.shape)}")
    _check_level(level)
    n = quantiles.shape[-1]
    ranks = torch.arange(n, dtype=torch.float64, device=quantiles.device)
    counted = (level * n - ranks).clamp_(0.0, 1.0) / (level * n)
    return (quantiles.sort(-1).values * counted.to(quantiles.dtype)).sum(-1)


def mmd_loss(
    particles: Tensor,
    target: Tensor,
    bandwidths: Sequence[float],
    target_probs: Tensor | None = None,
) -> Tensor:
    r"""Squared maximum mean discrepancy of each sample, float [B], at least 0.

    .. math:: L = \frac{1}{N^2} \sum_{i,i'} k(x_i, x_{i'})
              - \frac{2}{NM} \sum_{i,j} k(x_i, y_j)
              + \frac{1}{M^2} \sum_{j,j'} k(y_j, y_{j'}), \quad
              k(x, y) = \sum_h e^{-(x - y)^2 / h}

    The biased estimate: a particle is also compared with itself. Rounding may bring
    it below 0, where it is clipped.

    Source: Nguyen-Tang et al. (2021), https://arxiv.org/abs/2007.12354.

    Args:
      particles: Predicted :math:`x`, float [B, N].
      target: :math:`y`, float [B, M].
      bandwidths: Each :math:`h` > 0, in squared units of the return.
      target_probs: Probability of each target in the place of 1/M, float [B, M].

    Raises:
      ValueError: If a shape does not match or a bandwidth is not positive.
    """
    _check_samples(particles, target, "particles")
    if not (len(bandwidths) and all(it > 0 for it in bandwidths)):
        raise ValueError(f"bandwidths must be positive, got {bandwidths}")
    target = target.detach()
    p = torch.full_like(particles, 1 / particles.shape[1])
    q = torch.full_like(target, 1 / target.shape[1])
    if target_probs is not None:
        check_shape("target_probs", target_probs, target.shape)
        q = target_probs.detach()
    own = _mean_kernel(particles, p, particles, p, bandwidths)
    other = _mean_kernel(target, q, target, q, bandwidths)
    both = _mean_kernel(particles, p, target, q, bandwidths)
    return (own + other - 2 * both).clamp(min=0)


def _mean_kernel(
    x: Tensor, p: Tensor, y: Tensor, q: Tensor, bandwidths: Sequence[float]
) -> Tensor:
    """Mean over all pairs, whose probabilities are p and q, float [B]."""
    square = (x.unsqueeze(2) - y.unsqueeze(1)).square()
    kernel = torch.zeros_like(square)
    for width in bandwidths:
        kernel = kernel + (-square / width).exp()
    return torch.einsum("bn,bnm,bm->b", p, kernel, q)


def _check_samples(predicted: Tensor, target: Tensor, name: str) -> None:
    check_rank(name, predicted, "BN")
    check_rank("target", target, "BM")
    check_shape("target", target, (predicted.shape[0], target.shape[1]))
    if predicted.shape[1] == 0 or target.shape[1] == 0:
        raise ValueError(f"{name} and target must have values")


def _check_distributions(probs: Tensor, support: Tensor) -> None:
    _check_support(support)
    check_shape("probs", probs, (*probs.shape[:-1], support.shape[0]))


def _check_support(support: Tensor) -> None:
    check_rank("support", support, "N")
    if support.shape[0] < 2:
        raise ValueError("support must have at least 2 atoms")


def _check_level(level: float) -> None:
    if not 0 < level <= 1:
        raise ValueError(f"level must be above 0 and at most 1, got {level}")
