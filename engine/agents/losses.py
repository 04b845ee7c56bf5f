"""From estimates and targets to TD errors, a loss, and its gradient."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from engine.agents.layouts import Layout, Rows
from engine.contract.options import Configuration
from engine.equations.offline import cql_penalty
from engine.equations.value import huber, huber_slope, td_error
from engine.networks import Distribution, ReturnModel

CQL_TEMPERATURE = 1.0


class Judged(NamedTuple):
    """What a batch came to.

    Attributes:
      error: TD errors, float [R].
      surprise: How much is left to learn: TD errors, or the losses of C51, float [R].
      gradient: Of the loss, by the numbers in the network's own shape.
      loss: The weighted mean, [].
    """

    error: Tensor
    surprise: Tensor
    gradient: Tensor
    loss: Tensor


def huber_delta(configuration: Configuration) -> float:
    """Where the loss turns linear; infinite for the squared loss."""
    options = configuration.agent
    return options.huber_delta if options.loss == "huber" else math.inf


def judge_directly(
    configuration: Configuration, q: Tensor, rows: Rows, target: Tensor
) -> Judged:
    """Scalar heads: the gradient is spelled out, [R, A].

    The loss is the mean over the batch, weighted by importance.
    """
    delta = huber_delta(configuration)
    error = td_error(q, rows.action, target)
    slope, losses = huber_slope(error, delta), huber(error, delta)
    if rows.weight is not None:
        losses, slope = losses * rows.weight, slope * rows.weight
    # A TD error is target minus estimate: raising Q lowers it.
    per_action = (slope / -rows.total).unsqueeze(1)
    gradient = torch.zeros_like(q).scatter_(1, rows.action.unsqueeze(1), per_action)
    return Judged(error, error, gradient, losses.sum() / rows.total)


def judge_by_graph(
    configuration: Configuration,
    model: ReturnModel | None,
    layout: Layout,
    numbers: Tensor,
    target: Tensor | Distribution,
) -> Judged:
    """Every head and layout: torch differentiates."""
    rows, weight = layout.rows, configuration.agent.conservative
    with torch.enable_grad():
        leaf = numbers.detach().clone().requires_grad_()
        each = layout.current(leaf)
        if model is None:
            assert isinstance(target, Tensor)
            q, error = each, td_error(each, rows.action, target)
            losses = huber(error, huber_delta(configuration))
        else:
            assert isinstance(target, Distribution)
            q, taken = model.mean(each), of_action(each, rows.action)
            error = td_error(q, rows.action, target.mean)
            losses = model.losses(taken, target)
        surprise = losses if configuration.head.kind == "c51" else error
        if weight:
            losses = losses + weight * cql_penalty(q, rows.action, CQL_TEMPERATURE)
        if rows.weight is not None:
            losses = losses * rows.weight
        loss = losses.sum() / rows.total
    (gradient,) = torch.autograd.grad(loss, leaf)
    return Judged(error.detach(), surprise.detach(), gradient, loss.detach())


def of_action(numbers: Tensor, action: Tensor) -> Tensor:
    """Numbers of one action per row, [R, N] of [R, A, N]."""
    index = action[:, None, None].expand(-1, 1, numbers.shape[2])
    return numbers.gather(1, index).squeeze(1)
