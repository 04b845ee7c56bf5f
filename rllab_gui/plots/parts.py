"""Parts of a whole, as rows of bars show them; no Qt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One bar.

    Attributes:
      name: What it is.
      share: Its length, 0 to 1.
      value, note: Its number, and what it is of the whole.
      tip: What belongs to it.
      colour: Number of its colour; below 0 one of the quiet tones.
      outline: How far it can grow, 0 to 1; 0 where that is not known.
    """

    name: str
    share: float
    value: str
    note: str
    tip: str
    colour: int = -1
    outline: float = 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that make up a whole, which is drawn as one bar above them."""

    title: str
    rows: tuple[Row, ...]
