"""The update of a step as rows, and its equation with numbers; no Qt."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from rllab_gui.plots.numbers import count, short

Word = Callable[[int], str]
DIGITS = 5
"""Targets and estimates are large and close together: their difference counts."""


@dataclass(frozen=True, slots=True)
class UpdateRow:
    """One way to learn from a step; see the stage's ``explain_update``."""

    name: str
    title: str
    n_step: int
    double: bool
    bootstraps_online: bool
    reward: float
    discount: float
    next_action: int
    online_action: int
    valuing_action: int
    bootstrap: float
    target: float
    estimate: float
    td_error: float
    priority: float


def rows_of(answer: Mapping[str, Any]) -> tuple[UpdateRow, ...]:
    """The rows of an answer, the first as configured."""
    names = [it.name for it in fields(UpdateRow)]
    return tuple(
        UpdateRow(**{name: row[name] for name in names}) for row in answer["rows"]
    )


def equation(row: UpdateRow, estimator: str) -> str:
    """What this row computes, as rich text in the notation of lectures."""
    long = row.n_step > 1
    reward = "R<sup>(n)</sup>" if long else "r"
    gamma = "γ<sup>n</sup>" if long else "γ"
    state = "s<sub>t+n</sub>" if long else "s′"
    network = "online" if row.bootstraps_online else "target"
    q = f"Q<sub>{network}</sub>"
    follows = {
        "q_learning": f"max<sub>a</sub> {q}({state}, a)",
        "sarsa": f"{q}({state}, a′)",
        "expected_sarsa": f"Σ<sub>a</sub> π(a|{state}) {q}({state}, a)",
        "soft": f"τ log Σ<sub>a</sub> exp({q}({state}, a) / τ)",
    }[estimator]
    if row.double and estimator == "q_learning":
        follows = f"{q}({state}, argmax<sub>a</sub> Q<sub>online</sub>({state}, a))"
    if row.double and estimator == "soft":
        follows = f"Σ<sub>a</sub> π<sub>online</sub>(a) ({q}({state}, a) − τ log π)"
    return f"y = {reward} + {gamma} {follows}"


def substituted(row: UpdateRow, word: Word, discount: float) -> str:
    """The same with its numbers; ``discount`` is γ, for that of the row may be 0."""
    target = fine(row.target)
    if row.discount == 0.0:
        ended = "terminated" if row.n_step == 1 else "terminated within the window"
        behind = f"{ended}: nothing is bootstrapped" if discount > 0.0 else "γ = 0"
        return f"y = {fine(row.reward)} ({behind})"
    chosen = f" ({word(row.next_action)})" if row.next_action >= 0 else ""
    times = f"{row.discount:.4g} · {fine(row.bootstrap)}{chosen}"
    return f"y = {fine(row.reward)} + {times} = {target}"


def error_words(row: UpdateRow, action: str) -> str:
    """How far the estimate is from the target."""
    numbers = f"{fine(row.target)} − {_bracketed(row.estimate)}"
    return f"δ = y − Q(s, {action}) = {numbers} = {signed(row.td_error)}"


def choices(row: UpdateRow, word: Word) -> str:
    """Which action each network would take next; empty where nothing follows."""
    if row.discount == 0.0:
        return ""
    online, valuing = word(row.online_action), word(row.valuing_action)
    if row.bootstraps_online:
        return f"Next, the online network prefers {online}."
    if online == valuing:
        return f"Next, both networks prefer {online}."
    return f"Next, the online network prefers {online}, the target network {valuing}."


def standing(memory: Mapping[str, Any], priority: float, alpha: float) -> str:
    """How likely the step is to be learned from."""
    if "why" in memory:
        return str(memory["why"])
    size, probability = int(memory["size"]), float(memory["probability"])
    where = f"In the replay memory of step {count(memory['checkpoint_step'])}: "
    if "priority" not in memory:
        return f"{where}drawn with probability 1/{count(size)}, as any other."
    times = short(probability * size, 2)
    return (
        f"{where}priority {short(memory['priority'])}, probability p^α / Σ p^α = "
        f"{probability:.2g} (α {alpha:g}; {times} times the even share), weight "
        f"(N·P)^−β = {short(memory['weight'])}. This update would make the priority "
        f"{short(priority)}."
    )


def fine(value: float) -> str:
    """A number of which differences are taken."""
    return short(value, DIGITS)


def signed(value: float) -> str:
    """A number with its sign."""
    return f"+{short(value)}" if value > 0 else short(value)


def plain(html: str) -> str:
    """Rich text as plain text, for screen readers."""
    return re.sub(r"<sub>(.*?)</sub>", r"_\1", re.sub(r"</?sup>", "", html))


def _bracketed(value: float) -> str:
    return f"({fine(value)})" if value < 0 else fine(value)
