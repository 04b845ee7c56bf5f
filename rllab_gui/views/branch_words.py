"""What came of a branch, in words; no Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.contract.branches import NO_CHANCE, Comparison, Difference, compare, parting
from engine.contract.notes import Branch
from rllab_gui.plots.numbers import short
from rllab_gui.views.episode_model import action_word

MARK = {"exact": "", "approximate": "≈ "}


def change(difference: Difference) -> str:
    """``+37 ± 4``."""
    if difference.half is None:
        return signed(difference.mean)
    return f"{signed(difference.mean)} ± {short(difference.half)}"


def signed(value: float) -> str:
    """With its sign in front."""
    if not math.isfinite(value):
        return short(value)
    return f"+{short(value)}" if value > 0 else short(value)


def tree_words(branch: Branch) -> tuple[str, str]:
    """Name, and how much more or less return it brought (undiscounted)."""
    found = compare(branch)
    gain = change(found.undiscounted) if found is not None else ""
    return f"{MARK[branch.exactness]}{branch.name}", gain


def who(branch: Branch) -> str:
    """Who chose in the branch."""
    human = len(branch.rollouts[0].human) if branch.rollouts else 0  # same in all
    if branch.checkpoint < 0:
        return "played by hand"
    words = f"the checkpoint of step {branch.checkpoint:,} goes on"
    return f"by hand for {human:,} steps, then {words}" if human else words


def answer(branch: Branch, names: Sequence[str]) -> str:
    """The result in one or two sentences."""
    found = compare(branch)
    what, other = _arms(branch, tuple(names))
    if found is None:
        return f"{what}: {who(branch)}."
    if not other:
        return f"{what} is what was done, so both arms are the same: {who(branch)}."
    parts = [f"{what} against {other}: {_gain(branch, found)}."]
    parts += [_predicted(branch, found), _cut(branch, found)]
    parts.append(f"{_capital(who(branch))}.")
    return " ".join(it for it in parts if it)


def _arms(branch: Branch, names: tuple[str, ...]) -> tuple[str, str]:
    """What was tried and what it is compared with; empty where that is the same."""
    recorded = "what was recorded"
    if branch.predicted is None and branch.rollouts and branch.rollouts[0].human:
        return f"By hand from t {branch.t + branch.rollouts[0].human[0]:,}", recorded
    if branch.action < 0:
        return f"The policy from t {branch.t:,}", recorded
    k = parting(branch)
    pair = [it[0].actions[k : k + 1] for it in (branch.rollouts, branch.main) if it]
    tried = _capital(action_word(names, branch.action))
    if len(pair) < 2 or not pair[1] or pair[0] == pair[1]:
        return tried, ""
    return f"{tried} at t {branch.t + k:,}", action_word(names, pair[1][0])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _gain(branch: Branch, found: Comparison) -> str:
    pairs = found.discounted.pairs
    sure = f"n = {pairs}, no interval"
    if pairs == 1 and branch.why.startswith(NO_CHANCE):
        sure = "nothing here is left to chance, so one rollout tells all"
    if found.discounted.half is not None:
        sure = f"95 % interval of {pairs} pairs"
    elif pairs > 1:
        sure = f"the same in all {pairs} pairs"
    return (
        f"discounted return {change(found.discounted)} ({short(found.branch)} against "
        f"{short(found.main)}; {sure}), undiscounted {change(found.undiscounted)}"
    )


def _predicted(branch: Branch, found: Comparison) -> str:
    """What the agent had thought of it, beside what came of it."""
    if branch.predicted is None or not math.isfinite(branch.predicted):
        return ""
    said = f"The agent had predicted {signed(branch.predicted)}"
    gained = found.discounted
    if gained.half is not None:
        inside = abs(branch.predicted - gained.mean) <= gained.half
        return f"{said}, {'within' if inside else 'outside'} the interval."
    return f"{said}."


def _cut(branch: Branch, found: Comparison) -> str:
    if not found.cut:
        return ""
    arms = len(branch.rollouts) + len(branch.main)
    steps = max(len(it.actions) for it in (*branch.rollouts, *branch.main))
    if arms == 2 and found.cut == 2:
        return f"Both were cut off after {steps:,} steps, still going on."
    return f"{found.cut} of {arms} were cut off, still going on."
