"""The matching episodes in their order, as rows of a table."""

from __future__ import annotations

import numpy as np

from rllab_gui.plots.numbers import count, fitting
from rllab_gui.views.episode_table import EpisodeTable

COLUMNS = ("episode", "kind", "return", "length", "max_td", "glyph")
SHORT = {"training": "train", "evaluation": "eval"}
SORTED_BY = {"episode": "step0"}
"""Numbers of the two kinds cannot be compared: the first column sorts by time."""
HEADINGS = (
    ("ep", "Number of the episode of its kind; sorted by when it began"),
    ("kind", "train: in training, exploring; eval: in an evaluation, greedy"),
    ("ret", "Return: sum of the rewards, undiscounted"),
    ("len", "Length: number of steps"),
    ("max |δ|", "Largest TD error; known once you have looked at the episode"),
    (
        "",
        "^ return in the highest 5 % of this session, ?? in the lowest 5 %, "
        "T truncated: the time was up",
    ),
)


class EpisodeRows:
    """The matching episodes in their order, as a table.

    Attributes:
      table: Where they are from.
      order: Which, and in which order.
      hides_errors: TD errors tell what somebody is about to predict.
    """

    headings = HEADINGS

    def __init__(self, table: EpisodeTable) -> None:
        self.table = table
        self.order = np.empty(0, int)
        self.hides_errors = False

    def set_order(self, order: np.ndarray) -> int:
        """Show these rows of the table; returns how many more there are."""
        added = len(order) - len(self.order)
        self.order = order
        return added

    def clear(self) -> int:
        """Forget the episodes and their rows at once: Qt may paint at any time."""
        self.table.clear()
        return self.set_order(np.empty(0, int))

    def count(self) -> int:
        """How many rows there are."""
        return len(self.order)

    def text(self, row: int, column: int) -> str:
        """A number, the kind or the glyph."""
        at, name = int(self.order[row]), COLUMNS[column]
        if name == "glyph":
            return self.table.glyph(at)
        if name == "kind":
            return SHORT[self.table.key(at)[0]]
        if name == "max_td" and self.hides_errors:
            return ""
        value = float(self.table.column(name)[at])
        if name == "episode":
            return f"{value:.0f}"
        return fitting(value)

    def tip(self, row: int, column: int) -> str:
        """From which step and seed it is."""
        at = int(self.order[row])
        step = self.table.column("step0")[at]
        seed = self.table.column("seed")[at]
        began = f"began at training step {count(step)}" if np.isfinite(step) else ""
        return f"{began}, seed {seed:.0f}" if np.isfinite(seed) else began

    def is_number(self, column: int) -> bool:
        """All but the kind and the glyph."""
        return COLUMNS[column] not in ("kind", "glyph")

    def row_of(self, at: int) -> int:
        """Where a row of the table is shown; -1 where it is not."""
        found = np.flatnonzero(self.order == at)
        return int(found[0]) if len(found) else -1
