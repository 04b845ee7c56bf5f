"""Learning from recorded experience alone.

Letters: ``B`` transitions of a batch, ``A`` actions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.equations.shapes import check_index, check_rank, check_shape


def cql_penalty(q: Tensor, action: Tensor, temperature: float) -> Tensor:
    r"""How far the best values stand above the recorded action's, float [B].

    .. math:: L = \tau \log \sum_{a'} \exp\bigl(Q(s, a') / \tau\bigr) - Q(s, a)

    Never below 0. Added to the TD loss with a weight, it holds down the values of
    actions that nobody tried.

    Source: Kumar et al. (2020), https://arxiv.org/abs/2006.04779, eq. 4 (with
    :math:`\tau = 1`).

    Args:
      q: float [B, A].
      action: The recorded ones, int64 [B].
      temperature: :math:`\tau` > 0; towards 0 the first term is the maximum.

    Raises:
      ValueError: If a shape or type does not match or the temperature is not
        positive.
    """
    check_rank("q", q, "BA")
    check_shape("action", action, (q.shape[0],))
    check_index("action", action)
    if not temperature > 0:
        raise ValueError(f"temperature must be positive, got {temperature}")
    # Taken from the maximum, a constant here, so that no exponential overflows.
    maximum = q.detach().amax(1, keepdim=True)
    above = temperature * torch.logsumexp((q - maximum) / temperature, 1)
    return above + (maximum - q.gather(1, action.unsqueeze(1))).squeeze(1)
