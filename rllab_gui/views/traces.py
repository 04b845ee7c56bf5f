"""Series that a plot can show: what they are called and how they are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import Qt

SOLID, DASH, DOT = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
)
MARKS = {SOLID: "━", DASH: "╌", DOT: "┈"}
STYLES = (SOLID, DASH, DOT)
COLOURS = 6
"""So many lines differ by their colour."""
WORDS = {
    "masked": "masked share",
    "model_error": "model error",
    "q_mean": "mean V(s)",
    "q_max": "largest V(s)",
    "bonus": "count bonus",
    "disagreement": "disagreement",
    "temperature": "temperature",
}
MEANINGS = {
    "masked": "share of the samples that the trust region leaves out: their value has "
    "left it and would go on moving away",
    "model_error": "how far the predictions of the planning model are from what "
    "really happened, over its batches",
    "q_mean": "mean of V(s) = max_a Q(s,a) over the batches; where it is negative, "
    "switch log off",
    "q_max": "largest V(s) = max_a Q(s,a) in the batches; likewise",
}
"""A sentence, where the name does not say it."""
TELLING = ("masked", "model_error")
"""Series that come with a method which is judged by them: shown by themselves."""
SHARES = ("masked",)
"""Series from 0 to 1 that share an axis with others of this kind."""
NOISE = "noise."
"""Series of noise levels are called so, followed by the name of a layer."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One series that can be shown.

    Attributes:
      share: It is drawn as a share of its largest value, on the right axis.
    """

    name: str
    words: str
    colour: int
    style: Qt.PenStyle
    shown: bool
    share: bool = False


def words_of(name: str) -> str:
    """What a series is called, also one that no one has told of."""
    if name.startswith(NOISE):
        return f"noise of {name.removeprefix(NOISE)}"
    return WORDS.get(name, name.replace("_", " "))


def further(names: Iterable[str], known: Iterable[Trace], apart: int) -> list[Trace]:
    """Traces of series that are not among the known ones, most of them not shown yet.

    Args:
      names: Series of which something has arrived.
      known: Traces that there are.
      apart: How many were added before; colours and dashes go on from there.
    """
    taken = {trace.name for trace in known}
    new = [name for name in names if name not in taken]
    return [
        Trace(
            name,
            words_of(name),
            place,
            style_of(place),
            name in TELLING,
            name in SHARES,
        )
        for place, name in enumerate(new, apart)
    ]


def style_of(number: int) -> Qt.PenStyle:
    """Another dash each time; where the colours begin again, not the same as before."""
    return STYLES[(number + number // COLOURS) % len(STYLES)]
