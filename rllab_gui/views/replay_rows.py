"""What a replay memory held, as rows that can be filtered and sorted; no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rllab_gui.plots.numbers import count, short
from rllab_gui.views.filtering import compared, parts_of, terms_of

EXAMPLE = "p>0.5, age<1000, ep=12 or drawn=0"
WORDS = {
    "ep": "episode",
    "episode": "episode",
    "t": "t",
    "age": "age",
    "p": "priority",
    "priority": "priority",
    "before": "priority_before",
    "prob": "probability",
    "probability": "probability",
    "drawn": "times_sampled",
    "td": "td_error",
    "w": "weight",
}
"""The columns by what a filter may call them."""


class Column(NamedTuple):
    """One column of the table: its name in the answer, heading and tooltip."""

    name: str
    heading: str
    tip: str


COLUMNS = (
    Column("picture", "", "What was seen; double-click goes to that step"),
    Column("episode", "ep", "Number of the training episode it is from"),
    Column("t", "t", "Step within the episode"),
    Column("age", "age", "Steps of its environment that were stored since"),
    Column("priority", "p", "Priority p = |δ| + ε at this checkpoint"),
    Column(
        "priority_before",
        "p before",
        "Priority at the kept checkpoint before; empty for what is newer",
    ),
    Column(
        "td_error",
        "|δ|",
        "TD error when it was last learned from: p − ε; empty if it never was",
    ),
    Column("probability", "P(i)", "Probability of being drawn next: p^α / Σ p^α"),
    Column(
        "weight",
        "w",
        "Importance weight (N P(i))^−β, before the largest of its batch divides it",
    ),
    Column("times_sampled", "drawn", "How often it was drawn for a batch so far"),
)


class ReplayRows:
    """The matching steps in their order, as a table.

    Attributes:
      order: Which of the steps are shown, from the top.
    """

    def __init__(self) -> None:
        self.headings: Sequence[tuple[str, str]] = [it[1:] for it in COLUMNS]
        self._columns: dict[str, np.ndarray] = {}
        self.order = np.empty(0, np.int64)
        self.whole = 0

    def take(self, answer: Mapping[str, Any]) -> None:
        """Another memory; all of it matches until a filter says otherwise."""
        names = [it.name for it in COLUMNS]
        self._columns = {
            it: np.asarray(answer[it], np.float64) for it in names if it in answer
        }
        if "priority" in self._columns:
            error = self._columns["priority"] - float(answer["priority_epsilon"])
            drawn = self._columns.get("times_sampled", np.ones(len(error)))
            # A new step has the largest priority so far, which was never its error.
            learned = np.where(drawn > 0, np.maximum(error, 0.0), np.nan)
            self._columns["td_error"] = learned
        self.whole = len(answer.get("t", ()))
        self.order = np.arange(self.whole)

    def has(self, name: str) -> bool:
        """Whether this memory knows such a column."""
        return name == "picture" or name in self._columns

    def arrange(
        self, words: str, by: str, *, descending: bool, only: np.ndarray | None
    ) -> np.ndarray:
        """The steps that match, in this order.

        Args:
          words: A filter.
          by: A column.
          descending: The largest first.
          only: The steps of a selection, bool [n]; None for all.

        Raises:
          FilterError: If the filter cannot be read.
        """
        kept = self.matches(words) if only is None else self.matches(words) & only
        shown = np.flatnonzero(kept)
        values = self._columns.get(by, np.arange(self.whole))[shown]
        values = np.where(np.isnan(values), -np.inf, values)
        found: np.ndarray = shown[
            np.argsort(-values if descending else values, kind="stable")
        ]
        return found

    def matches(self, words: str) -> np.ndarray:
        """Which steps fulfil every term of the filter, bool [n]."""
        kept = np.ones(self.whole, bool)
        for term in terms_of(words):
            name, sign, number = parts_of(term, WORDS, EXAMPLE)
            unknown = np.full(self.whole, np.nan)
            kept &= compared(self._columns.get(name, unknown), sign, number)
        return kept

    def within(self, name: str, low: float, high: float) -> np.ndarray:
        """Which steps have a value from ``low`` to ``high`` there, bool [n]."""
        values = self._columns.get(name, np.full(self.whole, np.nan))
        return np.asarray((values >= low) & (values <= high))

    def step(self, row: int) -> tuple[int, int]:
        """Episode and step of a shown row; the episode is -1 where nobody knows."""
        return self.step_of(int(self.order[row]))

    def step_of(self, at: int) -> tuple[int, int]:
        """The same of any step of the memory."""
        return int(self._columns["episode"][at]), int(self._columns["t"][at])

    def steps(self) -> np.ndarray:
        """Episode and step of all, int64 [n, 2]."""
        both = [self._columns[it] for it in ("episode", "t")] if self.whole else []
        return np.stack(both, 1).astype(np.int64) if both else np.empty((0, 2), int)

    def table(self, rows: Sequence[int]) -> dict[str, np.ndarray]:
        """The columns of these shown rows, as they are exported."""
        at = self.order[np.asarray(rows, np.int64)]
        return {name: it[at] for name, it in self._columns.items()}

    # ---------------------------------------------------------- for the table

    def set_order(self, order: np.ndarray) -> int:
        """Show these steps; returns how many more there are."""
        added = len(order) - len(self.order)
        self.order = order
        return added

    def count(self) -> int:
        """How many rows there are."""
        return len(self.order)

    def text(self, row: int, column: int) -> str:
        """A number; nothing where it is not known."""
        name = COLUMNS[column].name
        if name not in self._columns:
            return ""
        value = float(self._columns[name][self.order[row]])
        if np.isnan(value):
            return ""
        if name == "episode":
            return f"{value:.0f}" if value >= 0 else "–"
        return count(value) if value.is_integer() else short(value)

    def tip(self, row: int, column: int) -> str:
        """Which step it is, in words."""
        episode, t = self.step(row)
        if episode < 0:
            return "The episode of this step is not known."
        return f"Training episode {episode}, t {t}: double-click goes there"

    def is_number(self, column: int) -> bool:
        """All but the picture."""
        return column > 0
