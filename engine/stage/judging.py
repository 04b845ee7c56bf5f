"""What a network thinks of each step of an episode, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.contract.options import Configuration

if TYPE_CHECKING:
    from torch import Tensor

    from engine.agents.layouts import Rows
    from engine.agents.targets import Following
    from engine.networks import Distribution


class Values(NamedTuple):
    """What a network says of T + 1 states in a row.

    Attributes:
      q: Expected returns, [T+1, A].
      liking: What it chooses actions by: the same, or CVaR, [T+1, A].
    """

    q: np.ndarray
    liking: np.ndarray


def split_q(
    q: np.ndarray, configuration: Configuration
) -> tuple[np.ndarray, np.ndarray]:
    """Advantage [n, A] and value head [n] that belong to these Q-values [n, A].

    A dueling network with mean-centred advantages has V = mean_a Q, one centred by
    the maximum V = max_a Q. Where no such stream is, or Q-values alone do not tell
    it (the logits of C51 are no return; of several quantiles the maximum of the
    means is not the mean of the maxima; the prior of an ensemble is in no stream),
    A = Q - max_a Q is derived and the head is NaN.
    """
    kind, head = configuration.agent.dueling, configuration.head.kind
    ensemble = configuration.exploration.kind == "bootstrapped"
    if kind == "mean" and head != "c51" and not ensemble:
        value = q.mean(axis=1)
    elif kind == "max" and head == "scalar" and not ensemble:
        value = q.max(axis=1)
    else:
        return q - q.max(axis=1)[:, None], np.full(len(q), np.nan, np.float32)
    return q - value[:, None], value


def bootstraps_online(configuration: Configuration) -> bool:
    """Whether the network that learns also values the next states."""
    shared = configuration.target_network.kind == "none"
    return shared or configuration.agent.bootstrap == "trust_region"


def returns_ended(record: Mapping[str, Any]) -> np.ndarray:
    """Steps behind which nothing is bootstrapped, bool [T]: ends, and lost lives."""
    ended: np.ndarray = np.array(record["terminations"], bool)
    ended |= record.get("life_lost", False)
    return ended


def one_step_td_errors(
    configuration: Configuration,
    online: Values,
    bootstrap: Values,
    actions: np.ndarray,
    rewards: np.ndarray,
    terminations: np.ndarray,
    step: int,
) -> np.ndarray:
    """Target minus estimate of each step, float32 [T]; NaN where a Q-value is.

    The target is the one that the configuration learns from, over one step: the
    discount is 0 after a termination, while a truncated step bootstraps. Of a
    distribution it is the expected value; a bonus for seldom seen states is not in
    it.

    Args:
      configuration: Discount, estimator, double, head, clipped rewards.
      online: What the network that learns says.
      bootstrap: What the network says that values the next states.
      actions: int64 [T].
      rewards: As the environment gave them, [T].
      terminations: bool [T].
      step: Training step, for the exploration of the policy that SARSA values.
    """
    import torch

    from engine.agents import schedules
    from engine.agents.layouts import Rows
    from engine.agents.targets import Following
    from engine.equations.value import td_error

    if configuration.environment.clip_rewards:
        rewards = np.sign(rewards)
    discount = configuration.agent.discount * (1.0 - terminations.astype(np.float64))
    next_actions = np.append(actions[1:], -1)
    rows = Rows(
        torch.tensor(np.asarray(actions, np.int64)),
        torch.tensor(np.asarray(rewards, np.float32)),
        torch.tensor(discount.astype(np.float32)),
        torch.tensor(next_actions.astype(np.int64)),
        None,
        len(actions),
    )
    valued = _after(bootstrap, terminations)
    double = configuration.agent.double and not bootstraps_online(configuration)
    chosen_by = _after(online, terminations) if double else valued
    exploration = schedules.exploration(configuration, step)
    target = _target(configuration, rows, Following(valued, chosen_by), exploration)
    estimates = torch.tensor(np.array(online.q[:-1], np.float32))
    return td_error(estimates, rows.action, target).numpy()


def told(
    liking: np.ndarray, values: np.ndarray, probs: np.ndarray | None = None
) -> Tensor:
    """Distributions of returns, float [..., A, 1 + 2N], as :class:`Told` reads them.

    Args:
      liking: What actions are chosen by, [..., A].
      values: [..., A, N].
      probs: Their probabilities; all 1 where there is one value for each action.
    """
    import torch

    probs = np.ones_like(values) if probs is None else probs
    parts = np.concatenate([liking[..., None], values, probs], -1)
    return torch.tensor(parts.astype(np.float32))


class Told:
    """A ``networks.ReturnReader`` of distributions that somebody has computed."""

    def mean(self, numbers: Tensor) -> Tensor:
        """See ``networks.ReturnReader``."""
        return self.distribution(numbers).mean

    def preference(self, numbers: Tensor) -> Tensor:
        """See ``networks.ReturnReader``."""
        return numbers[..., 0]

    def distribution(self, numbers: Tensor) -> Distribution:
        """See ``networks.ReturnReader``."""
        from engine.networks import Distribution

        return Distribution(*numbers[..., 1:].chunk(2, -1))


def _after(values: Values, terminations: np.ndarray) -> Tensor:
    """What is said of each next state: a single value for each action."""
    # Behind a termination nothing is bootstrapped; what stands there may be NaN.
    q, liking = (np.where(terminations[:, None], 0.0, it[1:]) for it in values)
    return told(liking, q[..., None])


def _target(
    configuration: Configuration, rows: Rows, following: Following, exploration: float
) -> Tensor:
    """Expected targets, float [T]."""
    from engine.agents.targets import Following, distributional_target, scalar_target

    if configuration.head.kind == "scalar":
        q = Following(following.valued[..., 1], following.chosen_by[..., 1])
        return scalar_target(configuration, rows, q, exploration)
    return distributional_target(
        configuration, Told(), rows, following, exploration
    ).mean
