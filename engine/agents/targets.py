"""What an estimate is moved towards: estimator x double x head x correction.

Letters as in ``equations.value``. ``R`` rows, ``A`` actions, ``N`` numbers of each.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from engine.agents.layouts import Rows
from engine.agents.losses import of_action
from engine.contract.options import Configuration
from engine.equations.exploration import boltzmann_probs, epsilon_greedy_probs
from engine.equations.returns import retrace_targets
from engine.equations.value import (
    double_q_target,
    expected_sarsa_target,
    q_target,
    sarsa_target,
    soft_q_target,
)
from engine.networks import Distribution, ReturnReader


class WindowRows(NamedTuple):
    """The steps of windows as tensors [R, n]; see ``replay.Windows``."""

    action: Tensor
    reward: Tensor
    discount: Tensor
    behaviour: Tensor
    last: Tensor


class Following(NamedTuple):
    """What two networks say about the next observations.

    Attributes:
      valued: Numbers of the network that values them, [R, A] or [R, A, N].
      chosen_by: Numbers of the one that chooses the next action: with double
        Q-learning the online network, else the same.
    """

    valued: Tensor
    chosen_by: Tensor


def scalar_target(
    configuration: Configuration,
    rows: Rows,
    following: Following,
    exploration: float | Tensor,
) -> Tensor:
    """Targets of a head that gives Q-values, float [R].

    Args:
      configuration: Estimator, double and temperature.
      rows: Rewards, discounts and next actions.
      following: Q-values of the next observations.
      exploration: ε or temperature of the policy that SARSA values.
    """
    options, (reward, discount) = configuration.agent, rows[1:3]
    valued, chosen_by = following
    if options.estimator == "q_learning":
        if options.double:
            return double_q_target(reward, discount, chosen_by, valued)
        return q_target(reward, discount, valued)
    if options.estimator == "soft" and not options.double:
        return soft_q_target(reward, discount, valued, options.temperature)
    probs, entropy = next_policy(configuration, chosen_by, exploration)
    if options.estimator == "sarsa":
        taken = sarsa_target(reward, discount, valued, rows.next_action.clamp(min=0))
        known = rows.next_action >= 0
        expected = expected_sarsa_target(reward, discount, valued, probs)
        return torch.where(known, taken, expected)
    return expected_sarsa_target(reward, discount, valued + entropy, probs)


def distributional_target(
    configuration: Configuration,
    model: ReturnReader,
    rows: Rows,
    following: Following,
    exploration: float | Tensor,
) -> Distribution:
    """Targets of a head that gives distributions: values and probabilities [R, M].

    Greedy and taken actions give the distribution of one action; an expected one is
    the mixture over all of them, with the entropy of soft Q-learning added to the
    return of each action.
    """
    options = configuration.agent
    discount, reward = rows.discount[:, None], rows.reward[:, None]
    preference = model.preference(following.chosen_by)
    if options.estimator == "q_learning":
        best = of_action(following.valued, preference.argmax(1))
        values, probs = model.distribution(best)
        return Distribution(reward + discount * values, probs)
    values, probs = model.distribution(following.valued)
    policy, entropy = next_policy(configuration, preference, exploration)
    if options.estimator == "sarsa":
        known = (rows.next_action >= 0)[:, None]
        # one_hot() looks into the tensor, which nothing that is recorded may do.
        actions = torch.arange(policy.shape[1], device=policy.device)
        taken = rows.next_action.clamp(min=0).unsqueeze(1) == actions
        policy = torch.where(known, taken.to(policy.dtype), policy)
    values = values + entropy.unsqueeze(2)
    probs = probs * policy.unsqueeze(2)
    return Distribution(reward + discount * values.flatten(1), probs.flatten(1))


def next_policy(
    configuration: Configuration, q: Tensor, exploration: float | Tensor
) -> tuple[Tensor, Tensor]:
    """Probabilities of the next actions, and what their entropy adds, [R, A] both."""
    options = configuration.agent
    if options.estimator == "soft":
        probs = boltzmann_probs(q, options.temperature)
        return probs, -options.temperature * probs.clamp(min=1e-30).log()
    if options.estimator == "q_learning":
        return epsilon_greedy_probs(q, 0.0), torch.zeros_like(q)
    if configuration.exploration.kind == "boltzmann":
        return boltzmann_probs(q, exploration), torch.zeros_like(q)
    return epsilon_greedy_probs(q, exploration), torch.zeros_like(q)


def retrace_target(
    configuration: Configuration,
    windows: WindowRows,
    following: Following,
    exploration: float | Tensor,
) -> Tensor:
    """Targets over whole windows, corrected for what the policy would do now, [R].

    Args:
      configuration: Estimator and trace decay.
      windows: The steps of each window, [R, n].
      following: Q-values after each step, [R, n, A].
      exploration: ε or temperature of the policy that SARSA values.
    """
    next_q = following.valued
    steps, actions = next_q.shape[1:]
    flat, choosing = (it.flatten(0, 1) for it in following)
    probs, entropy = next_policy(configuration, choosing, exploration)
    value = (probs * (flat + entropy)).sum(1).view(-1, steps)
    # Step t of a window is taken in the state that the step before led to.
    later = windows.action[:, 1:, None]
    before_q = next_q[:, :-1].gather(2, later).squeeze(2)
    likely = probs.view(-1, steps, actions)[:, :-1].gather(2, later).squeeze(2)
    ratio = torch.ones_like(value)
    ratio[:, 1:] = likely / windows.behaviour[:, 1:].clamp(min=1e-6)
    q_taken = torch.zeros_like(value)
    q_taken[:, 1:] = before_q
    return retrace_targets(
        windows.reward,
        windows.discount,
        q_taken,
        value,
        ratio,
        windows.last,
        configuration.agent.trace_decay,
    )[:, 0]
