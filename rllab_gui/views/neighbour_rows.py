"""Neighbours of a step as rows of a table and in words; no Qt."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rllab_gui.plots.numbers import count, fitting, short, shortest

KINDS = ("embedding", "observation")
HEADINGS = (
    ("", "A picture of the state, where it can be drawn"),
    ("d", "Distance from the step at the cursor"),
    ("does", "What the agent would do there now"),
    ("return", "Discounted sum of the rewards that followed there"),
)


SAME = 1e-5
"""What is nearer differs by rounding only, if at all."""


@dataclass(frozen=True, eq=False)
class Neighbour:
    """A state like the one at the cursor.

    Attributes:
      action: What the agent would do there; taken: what was done, empty if unknown.
      return_to_go: What followed, discounted; NaN where it is not known.
      kind, episode, t: Where it was seen; the episode is -1 where that is not known.
    """

    distance: float
    action: str
    value: float
    explored: bool
    taken: str
    return_to_go: float
    ended: bool
    kind: str
    episode: int
    t: int
    frame: np.ndarray | None

    @classmethod
    def of(cls, row: Mapping[str, Any], word: Callable[[int], str]) -> Neighbour:
        """A row of the stage's answer."""
        taken = row.get("taken")
        return cls(
            distance=float(row["distance"]),
            action=word(int(row["action"])),
            value=float(row["value"]),
            explored=bool(row["explored"]),
            taken="" if taken is None else word(int(taken)),
            return_to_go=float(row.get("return_to_go", math.nan)),
            ended=bool(row.get("ended", False)),
            kind=str(row.get("kind", "")),
            episode=int(row.get("episode", -1)),
            t=int(row.get("t", -1)),
            frame=row.get("frame"),
        )

    @property
    def known(self) -> bool:
        """Whether one can go there."""
        return self.episode >= 0

    @property
    def words(self) -> str:
        """All that is known of it."""
        said = [f"distance {short(self.distance)}, V(s) = {short(self.value)}"]
        if self.known:
            where = f"{self.kind} episode {count(self.episode)}, t {self.t}"
            said.insert(0, where)
        else:
            said.insert(0, "its episode is not recorded")
        if self.taken:
            why = "explored" if self.explored else "greedy"
            said.append(f"{self.taken} ({why}) was taken")
        if math.isfinite(self.return_to_go):
            least = "" if self.ended else "at least "
            said.append(f"return from there {least}{short(self.return_to_go)}")
        return "; ".join(said) + "."


class NeighbourRows:
    """Neighbours as a table, nearest first."""

    headings = HEADINGS

    def __init__(self) -> None:
        self.neighbours: tuple[Neighbour, ...] = ()

    def take(self, neighbours: tuple[Neighbour, ...]) -> int:
        """Show these."""
        added = len(neighbours) - len(self.neighbours)
        self.neighbours = neighbours
        return added

    def count(self) -> int:
        """How many there are."""
        return len(self.neighbours)

    def text(self, row: int, column: int) -> str:
        """Distance, action or return."""
        it = self.neighbours[row]
        far = "≈ 0" if it.distance < SAME else shortest(it.distance)
        cells = ("", far, it.action, fitting(it.return_to_go))
        return cells[column]

    def tip(self, row: int, column: int) -> str:
        """All that is known of it."""
        return self.neighbours[row].words

    def is_number(self, column: int) -> bool:
        """Distance and return."""
        return column in (1, 3)


def sentence(neighbours: Sequence[Neighbour]) -> str:
    """What the agent does in states that are alike to it, and what came of it."""
    if not neighbours:
        return "There is no state like this one."
    (most, often), *_ = Counter(it.action for it in neighbours).most_common(1)
    said = f"In {often} of the {len(neighbours)} states most alike to the network it "
    said += f"would do {most}"
    known = [it.return_to_go for it in neighbours if math.isfinite(it.return_to_go)]
    if known:
        low, high = min(known), max(known)
        said += f"; the returns that followed were {short(low)} to {short(high)}"
    return f"{said}."
