"""Filters of tables: terms such as ``ret>490`` that must all hold; no Qt."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_TERM = re.compile(r"^([a-z_|]+)(>=|<=|!=|>|<|==?)(.+)$")


class FilterError(ValueError):
    """The filter cannot be read; the sentence says which part."""


def terms_of(words: str) -> list[str]:
    """The terms of a filter."""
    return words.lower().replace(" and ", " ").split()


def parts_of(term: str, words: Mapping[str, str], example: str) -> tuple[str, str, str]:
    """Column, sign and what it is compared with.

    Args:
      term: Such as ``ret>490``.
      words: The columns by what they may be called.
      example: Terms that can be read.

    Raises:
      FilterError: If it is no term, or of no such column.
    """
    found = _TERM.match(term)
    if found is None or found[1] not in words:
        raise FilterError(f"'{term}' cannot be read: write something like {example}.")
    return words[found[1]], found[2].replace("==", "="), found[3]


def compared(column: np.ndarray, sign: str, number: str) -> np.ndarray:
    """Which values fulfil it, bool [n].

    Raises:
      FilterError: If that is no number.
    """
    try:
        value = float(number.replace(",", ""))
    except ValueError:
        raise FilterError(f"'{number}' is not a number.") from None
    return np.asarray(_COMPARE[sign](column, value))
