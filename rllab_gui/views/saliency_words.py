"""What an agent seems to look at, and what a test found, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rllab_gui.plots.numbers import short
from rllab_gui.plots.perturbations import Perturbations
from rllab_gui.plots.updates import signed

Word = Callable[[int], str]
FEW = 3
"""Of so many actions the new values are told too."""


def map_words(
    answer: Mapping[str, Any], values: np.ndarray, square: tuple[int, int], word: Word
) -> str:
    """Which square counts most; of integrated gradients whether they add up."""
    name = word(int(answer["action"]))
    place = f"row {square[0] + 1}, column {square[1] + 1}"
    said = f"Hypothesis: for {name}, {place} counts most"
    if answer.get("explained") is None:
        return f"{said}. Test it."
    whole = signed(float(values.sum()))
    of = signed(float(answer["explained"]))
    return f"{said}. Together all places add {whole}; Q({name}) − Q(empty) is {of}."


def bars_words(bars: Perturbations, name: str) -> str:
    """Which number counts most."""
    feature, sign = bars.strongest
    changes, flips = bars.lower, bars.lower_flips
    if sign > 0:
        changes, flips = bars.upper, bars.upper_flips
    way = "lowered" if sign < 0 else "raised"
    also = " and flips the greedy action" if bool(flips[feature]) else ""
    return (
        f"Hypothesis: {name} leans most on {bars.names[feature]}: {way} by "
        f"{100 * bars.share:g} % of its spread it changes Q by "
        f"{signed(float(changes[feature]))}{also}."
    )


def found_words(tested: Mapping[str, Any], word: Word, names: Sequence[str]) -> str:
    """What a test found, action by action."""
    before, after = np.asarray(tested["q"]), np.asarray(tested["changed_q"])
    changes = []
    for action in range(len(before)):
        change = signed(float(after[action] - before[action]))
        now = f" (to {short(float(after[action]))})" if len(before) <= FEW else ""
        changes.append(f"{word(action)} {change}{now}")
    best, then = int(tested["greedy"]), int(tested["changed_greedy"])
    outcome = f"The greedy action stays {word(best)}."
    if best != then:
        outcome = f"The greedy action flips: {word(best)} → {word(then)}."
    return f"{part_words(tested, names)}: ΔQ {', '.join(changes)}. {outcome}"


def part_words(tested: Mapping[str, Any], names: Sequence[str]) -> str:
    """What was taken out or moved."""
    if tested["row"] >= 0:
        return f"Without row {tested['row'] + 1}, column {tested['column'] + 1}"
    feature, share = int(tested["feature"]), float(tested["share"])
    if not 0 <= feature < len(names) or not share:
        return "Nothing taken out"
    way = "lowered" if share < 0 else "raised"
    return f"{names[feature]} {way} by {100 * abs(share):g} % of its spread"


def perturbations(answer: dict[str, Any]) -> Perturbations:
    """The stage's answer about a vector as bars."""
    action, greedy = int(answer["action"]), int(answer["greedy"])
    q = np.asarray(answer["q"], np.float64)
    values = np.asarray(answer["observation"], np.float64)
    known = list(map(str, answer.get("observation_names", ())))
    names = (known + [f"o{it}" for it in range(len(known), len(values))])[: len(values)]
    return Perturbations(
        names=tuple(names),
        values=values,
        lower=np.asarray(answer["lower"], np.float64)[:, action] - q[action],
        upper=np.asarray(answer["upper"], np.float64)[:, action] - q[action],
        lower_flips=np.asarray(answer["lower_greedy"]) != greedy,
        upper_flips=np.asarray(answer["upper_greedy"]) != greedy,
        share=float(answer["share"]),
    )
