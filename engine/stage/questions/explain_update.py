"""What an update on one step of an episode would be made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.stage.bellman import LENGTHS, RECURRENT, RETRACE, explained, recorded
from engine.stage.context import Asker, Context, Question, QuestionError
from engine.stage.jobs import Job
from engine.stage.judging import returns_ended
from engine.stage.moments import observations_at
from engine.stage.questions.inside_episode import EpisodeArguments, by_whom
from engine.stage.remembered import remembered


class UpdateArguments(EpisodeArguments, frozen=True, kw_only=True):
    """A step of an episode."""

    t: int


def _explain_update(context: Context, arguments: UpdateArguments, asker: Asker) -> Job:
    """The update as configured, and with each part switched.

    Returns:
      ``rows``: one dictionary for each variant, the first as configured: ``reward``
      (of the window), ``discount`` (0 behind a termination), ``next_action`` (-1
      where the target is a mixture), ``online_action`` and ``valuing_action`` (the
      best of either network), ``bootstrap``, ``target``, ``estimate``, ``td_error``,
      ``surprise`` and ``priority``; of the step ``action``, ``reward``, ``steps``
      left, ``terminated``, ``truncated``; ``note``, ``checkpoint_step``, ``t``.
    """
    session, record, weights = yield from by_whom(context, arguments)
    configuration, card = session.configuration, session.card
    t, steps = arguments.t, len(record["actions"])
    if not 0 <= t < steps:
        raise QuestionError(f"After step {t:,} of this episode nothing follows.")
    # One more than the longest window, whose last action SARSA wants to know.
    longest = max(*LENGTHS, configuration.agent.n_step) + 1
    mind = yield from context.minds.learner(configuration, card)
    memory = mind.recollection(1)
    first, width = (t, 0) if memory is None else (0, memory.state.shape[1])
    window = range(first, t + longest + 1)
    seen = yield from observations_at(context, session, record, window)
    streams = recorded(configuration, card, record, seen, first, width)
    rows = yield from explained(mind, weights, streams, t - first)
    result: dict[str, Any] = {
        "t": t,
        "rows": rows,
        "action": int(record["actions"][t]),
        "reward": float(record["rewards"][t]),
        "terminated": bool(returns_ended(record)[t]),
        "truncated": bool(record["truncations"][t]),
        "note": _note(configuration, record, t),
        "checkpoint_step": weights.step,
        "estimator": configuration.agent.estimator,
        "discount": configuration.agent.discount,
    }
    return result


def _remembered(context: Context, arguments: UpdateArguments, asker: Asker) -> Job:
    """How likely this step was to be drawn; see ``stage.remembered``.

    It is asked apart: a whole checkpoint is read for it.
    """
    session, record, weights = yield from by_whom(context, arguments)
    if not 0 <= arguments.t < len(record["actions"]):
        raise QuestionError(f"This episode has no step {arguments.t:,}.")
    of = context, session, record, arguments.t, weights.step
    return {"t": arguments.t} | (yield from remembered(*of))


def _note(configuration: Any, record: Mapping[str, Any], t: int) -> str:
    """What the numbers leave out, and why nothing may follow."""
    notes = []
    lost = record.get("life_lost")
    if lost is not None and lost[t]:
        notes.append("A life was lost: for learning, the return ends here.")
    if configuration.network.recurrent != "none":
        notes.append(RECURRENT)
    if configuration.agent.n_step_correction == "retrace":
        notes.append(RETRACE)
    if configuration.exploration.kind == "bootstrapped":
        notes.append("Each member of the ensemble has its own; this is their mean.")
    if configuration.exploration.kind == "noisy":
        notes.append("An update draws new noise; this is without.")
    if configuration.exploration.bonus > 0:
        notes.append("The bonus for seldom seen states is not in it.")
    return " ".join(notes)


EXPLAIN_UPDATE = Question("explain_update", UpdateArguments, _explain_update)
REMEMBERED = Question("remembered", UpdateArguments, _remembered)
