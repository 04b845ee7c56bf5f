"""Work in parts, so that its owner can do something else between two of them."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")
Parts = Generator[None, None, Result]
"""Does a part each time it is asked for the next, and nothing before that."""


def whole(parts: Parts[Result]) -> Result:
    """Do all of it at once; what it returns."""
    while True:
        try:
            next(parts)
        except StopIteration as end:
            found: Result = end.value
            return found
