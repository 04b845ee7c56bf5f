"""How much Q-values change with what is observed: gradients, and along a path.

Letters: ``n`` observations of any shape ``...``, ``A`` actions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.agents.insight import look
from engine.agents.recollection import Recollection
from engine.networks import QNetwork, ReturnModel

PATH_STEPS = 64
"""Pieces of the way of integrated gradients."""


def gradient(
    network: QNetwork,
    model: ReturnModel | None,
    observations: Tensor,
    action: int,
    recollection: Recollection | None = None,
) -> Tensor:
    """∂Q(s, a)/∂s of each observation by itself, float [n, ...].

    Args:
      network: Without noise.
      model: How its numbers are read; None for a scalar head.
      observations: Floats, on the scale of what the network sees.
      action: a.
      recollection: What a recurrent network remembers before each; it goes on.
    """
    with torch.inference_mode(False), torch.enable_grad():
        leaf = observations.clone().requires_grad_()
        if recollection is not None:
            recollection.state = recollection.state.clone()
        q = look(network, model, leaf, None, recollection)["q"]
        (found,) = torch.autograd.grad(q[:, action].sum(), leaf)
    return found


def integrated_gradients(
    network: QNetwork,
    model: ReturnModel | None,
    ends: Tensor,
    action: int,
    recollection: Recollection | None = None,
) -> Tensor:
    """What each number of an observation adds to Q(s, a), float [...].

    (s - s') times the mean gradient along the straight way from s' to s, so that all
    of it together is Q(s, a) - Q(s', a).

    Source: Sundararajan et al. (2017), https://arxiv.org/abs/1703.01365, eq. 1.

    Args:
      network: Without noise.
      model: How its numbers are read.
      ends: s' and s, float [2, ...].
      action: a.
      recollection: What a recurrent network remembers, once for each of PATH_STEPS.
    """
    blank, seen = ends
    # The middles of equal pieces of the way.
    middles = torch.arange(PATH_STEPS, dtype=ends.dtype, device=ends.device) + 0.5
    shares = (middles / PATH_STEPS).view(-1, *[1] * seen.dim())
    points = blank + shares * (seen - blank)
    mean = gradient(network, model, points, action, recollection).mean(0)
    added: Tensor = (seen - blank) * mean
    return added
