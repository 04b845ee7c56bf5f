"""One step of C51's projection: from what follows to what is moved towards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.contract.options import Configuration
from engine.stage.context import Asker, Context, Question, QuestionError
from engine.stage.inside import Inside, look_inside
from engine.stage.jobs import Job
from engine.stage.judging import Told, returns_ended, told
from engine.stage.questions.inside_episode import RETURNS, EpisodeArguments, by_whom

if TYPE_CHECKING:
    from torch import Tensor

    from engine.agents.targets import Following


class ProjectArguments(EpisodeArguments, frozen=True, kw_only=True):
    """A step of an episode."""

    t: int


def _project(context: Context, arguments: ProjectArguments, asker: Asker) -> Job:
    """The distributions of one step, and how they come out of each other.

    Returns:
      ``support``, ``current`` (of the action taken), ``projected`` [N];
      ``next_values`` (what follows), ``target_values`` (shifted by reward and
      discount) and ``target_probs`` of both [M]; ``reward``, ``discount``,
      ``terminated``, ``action``, ``next_action`` (-1 where it is a mixture),
      ``checkpoint_step``, ``t``.
    """
    session, record, weights = yield from by_whom(context, arguments)
    if session.configuration.head.kind != "c51":
        raise QuestionError("Only a C51 head projects its target onto fixed values.")
    t = arguments.t
    if not 0 <= t < len(record["actions"]):
        raise QuestionError(f"After step {t:,} of this episode nothing follows.")
    steps = range(t, t + 2)
    found = yield from look_inside(context, session, record, weights, steps, RETURNS)
    step = {"t": t, "checkpoint_step": weights.step}
    return step | projection(session.configuration, record, found, t, weights.step)


def projection(
    configuration: Configuration,
    record: dict[str, Any],
    found: Inside,
    t: int,
    step: int,
) -> dict[str, Any]:
    """See :func:`_project`.

    Args:
      configuration: Of the agent.
      record: The episode.
      found: What was said of the states at ``t`` and after.
      t: The step.
      step: Training step, for the exploration of the policy that SARSA values.
    """
    import torch

    from engine.agents.targets import Following
    from engine.equations.distributional import project_categorical

    valued, online = (
        told(it["preference"][1:], it["return_values"][1:], it["return_probs"][1:])
        for it in (found.following, found.online)
    )
    choosing = online if configuration.agent.double else valued
    following = Following(valued, choosing)
    action, terminated = int(record["actions"][t]), bool(returns_ended(record)[t])
    reward = float(record["rewards"][t])
    if configuration.environment.clip_rewards:
        reward = float(np.sign(reward))
    discount = 0.0 if terminated else configuration.agent.discount
    later = record["actions"][t + 1 : t + 2]
    taken = int(later[0]) if len(later) else -1
    unmoved, _ = _target(configuration, following, (0.0, 1.0), taken, step)
    values, probs = _target(configuration, following, (reward, discount), taken, step)
    support = torch.tensor(found.online["return_values"][0, action])
    return {
        "support": support.numpy(),
        "current": found.online["return_probs"][0, action],
        "next_values": unmoved[0].numpy(),
        "target_values": values[0].numpy(),
        "target_probs": probs[0].numpy(),
        "projected": project_categorical(values, probs, support)[0].numpy(),
        "reward": reward,
        "discount": discount,
        "terminated": terminated,
        "action": action,
        "next_action": _next_action(configuration.agent.estimator, following, taken),
    }


def _target(
    configuration: Configuration,
    following: Following,
    moved: tuple[float, float],
    taken: int,
    step: int,
) -> tuple[Tensor, Tensor]:
    """The target [1, M] for this reward and discount: values and probabilities."""
    import torch

    from engine.agents import schedules
    from engine.agents.layouts import Rows
    from engine.agents.targets import distributional_target

    reward, discount = torch.tensor(moved).unsqueeze(1)
    actions = torch.tensor([0]), torch.tensor([taken])
    rows = Rows(actions[0], reward, discount, actions[1], None, 1)
    exploration = schedules.exploration(configuration, step)
    values, probs = distributional_target(
        configuration, Told(), rows, following, exploration
    )
    return values, probs


def _next_action(estimator: str, following: Following, taken: int) -> int:
    """Whose distribution the target is made of; -1 for a mixture."""
    if estimator == "q_learning":
        return int(Told().preference(following.chosen_by)[0].argmax())
    return taken if estimator == "sarsa" else -1


PROJECT_RETURNS = Question("project_returns", ProjectArguments, _project)
