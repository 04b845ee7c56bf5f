"""Signs of health and illness of a learning network.

Letters: ``B`` observations, ``H`` units of a layer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.equations.shapes import check_rank, check_shape


@torch.no_grad()
def effective_rank(features: Tensor, delta: float) -> int:
    r"""How many directions the features of a layer really use.

    .. math:: \operatorname{srank}_\delta = \min\Bigl\{k : \frac{\sum_{i=1}^{k}
              \sigma_i}{\sum_i \sigma_i} \ge 1 - \delta\Bigr\}

    The singular values :math:`\sigma_1 \ge \sigma_2 \ge \dots` themselves are summed,
    not their squares. Features that are all 0 have rank 0.

    Source: Kumar et al. (2021), https://arxiv.org/abs/2010.14498, section 3.

    Args:
      features: float [B, H].
      delta: Share that may be missing, at least 0 and below 1; the paper has 0.01.

    Raises:
      ValueError: If the shape is another, a feature is not finite, or delta is
        outside its range.
    """
    _check_layer("features", features)
    if not 0 <= delta < 1:
        raise ValueError(f"delta must be at least 0 and below 1, got {delta}")
    sizes = torch.linalg.svdvals(features).cpu().double()
    reached = sizes.cumsum(0)
    if float(reached[-1]) == 0.0:
        return 0
    return int((reached < (1 - delta) * reached[-1]).sum()) + 1


def soft_divergence_bound(reward_max: float, gamma: float) -> float:
    r"""What no action value can truly exceed; estimates beyond it diverge softly.

    .. math:: |Q(s, a)| \le \frac{r_{\max}}{1 - \gamma}

    Source: van Hasselt et al. (2018), https://arxiv.org/abs/1812.02648.

    Args:
      reward_max: Largest possible absolute reward, at least 0.
      gamma: Discount, at least 0 and below 1.

    Raises:
      ValueError: If a number is outside its range.
    """
    if not reward_max >= 0:
        raise ValueError(f"reward_max must be at least 0, got {reward_max}")
    if not 0 <= gamma < 1:
        raise ValueError(f"gamma must be at least 0 and below 1, got {gamma}")
    return reward_max / (1 - gamma)


@torch.no_grad()
def dormant_fraction(activations: Tensor, tau: float) -> float:
    r"""Share of a layer's units that hardly ever answer, 0 to 1.

    .. math:: s_i = \frac{\mathbb E_x |h_i(x)|}{\frac{1}{H} \sum_k
              \mathbb E_x |h_k(x)|}, \quad \text{dormant where } s_i \le \tau

    In a layer that is 0 everywhere all units are dormant.

    Source: Sokar et al. (2023), https://arxiv.org/abs/2302.12902, definition 3.1.

    Args:
      activations: :math:`h`, float [B, H]; of a convolution each place in the image
        counts as an observation and each channel as a unit.
      tau: Threshold, at least 0.

    Raises:
      ValueError: If the shape is another, an activation is not finite, or the
        threshold is negative.
    """
    _check_layer("activations", activations)
    if not tau >= 0:
        raise ValueError(f"tau must be at least 0, got {tau}")
    size = activations.abs().mean(0)
    return float((size <= tau * size.mean()).to(size.dtype).mean())


@torch.no_grad()
def overestimation(predicted: Tensor, realised_return: Tensor) -> Tensor:
    r"""How much more was promised than came, float [B].

    .. math:: o = Q(s, a) - G

    Source: van Hasselt et al. (2016), https://arxiv.org/abs/1509.06461, who compare
    the means of both.

    Args:
      predicted: Value of the action taken, float [B].
      realised_return: Discounted return that followed it, float [B].

    Raises:
      ValueError: If a shape does not match.
    """
    check_rank("predicted", predicted, "B")
    check_shape("realised_return", realised_return, predicted.shape)
    return predicted - realised_return


def _check_layer(name: str, layer: Tensor) -> None:
    check_rank(name, layer, "BH")
    if layer.numel() == 0:
        raise ValueError(f"{name} must not be empty")
    if not bool(layer.isfinite().all()):
        raise ValueError(f"{name} must be finite")
