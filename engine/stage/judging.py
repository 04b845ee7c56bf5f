"""What a network thinks of each step of an episode, in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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


def _after(values: Values, terminations: np.ndarray) -> Tensor:
    """Both numbers of each next state, float [T, A, 2]."""
    import torch

    # Behind a termination nothing is bootstrapped; what stands there may be NaN.
    both = np.where(terminations[:, None, None], 0.0, np.stack(values, -1)[1:])
    return torch.tensor(both.astype(np.float32))


def _target(
    configuration: Configuration, rows: Rows, following: Following, exploration: float
) -> Tensor:
    """Expected targets, float [T]."""
    from engine.agents.targets import Following, distributional_target, scalar_target

    if configuration.head.kind == "scalar":
        q = Following(following.valued[..., 0], following.chosen_by[..., 0])
        return scalar_target(configuration, rows, q, exploration)
    means = distributional_target(configuration, _Means(), rows, following, exploration)
    return means.mean


class _Means:
    """Distributions that are known by expected value and liking alone, [..., A, 2]."""

    def mean(self, numbers: Tensor) -> Tensor:
        """See ``networks.ReturnModel``."""
        return numbers[..., 0]

    def preference(self, numbers: Tensor) -> Tensor:
        """See ``networks.ReturnModel``."""
        return numbers[..., 1]

    def distribution(self, numbers: Tensor) -> Distribution:
        """All of it at the expected value."""
        from engine.networks import Distribution

        values = numbers[..., :1]
        return Distribution(values, values.new_ones(values.shape))

    def losses(self, numbers: Tensor, target: Distribution) -> Tensor:
        """Nothing is learned here."""
        raise NotImplementedError
