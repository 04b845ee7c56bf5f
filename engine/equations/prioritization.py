r"""How prioritized replay samples, and how it corrects for that.

Source of both: Schaul et al. (2016), https://arxiv.org/abs/1511.05952, section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.equations.shapes import check_rank


@torch.no_grad()
def sampling_probs(priority: Tensor, alpha: float) -> Tensor:
    r"""Probability of each transition, float [N].

    .. math:: P(i) = p_i^\alpha / \textstyle\sum_k p_k^\alpha

    A priority of 0 is never sampled, also with :math:`\alpha = 0`.

    Args:
      priority: float [N], not negative.
      alpha: 0 samples uniformly, 1 in proportion.

    Raises:
      ValueError: If the shape is another, a priority is negative or not a number,
        or all are 0.
    """
    check_rank("priority", priority, "N")
    if not bool((priority >= 0).all()):
        raise ValueError("priority must not be negative or NaN")
    power = torch.where(priority > 0, priority.pow(alpha), 0.0)
    total = power.sum()
    if not bool(total > 0):
        raise ValueError("priority must have an element above 0")
    return power / total


@torch.no_grad()
def importance_weights(probs: Tensor, size: int, beta: float) -> Tensor:
    r"""Weights that correct the loss, float [B], at most 1.

    .. math:: w_i = (N \cdot P(i))^{-\beta} / \max_j w_j

    The maximum is that of the batch (confirmed by the author; a maximum over the
    whole memory is in use elsewhere and gives smaller weights).

    Args:
      probs: Probabilities of the sampled transitions, float [B], above 0.
      size: :math:`N`, how many transitions could have been sampled.
      beta: 0 corrects nothing, 1 fully.

    Raises:
      ValueError: If the shape is another or a probability is not positive.
    """
    check_rank("probs", probs, "B")
    if not bool((probs > 0).all()):
        raise ValueError("probs must be above 0")
    weights = (size * probs).pow(-beta)
    return weights / weights.max()
