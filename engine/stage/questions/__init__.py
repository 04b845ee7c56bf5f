"""One file for each question; :func:`registry` finds them."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from engine.stage.context import Question


@cache
def registry() -> dict[str, Question]:
    """All questions by their name; a file may declare one or several."""
    found: dict[str, Question] = {}
    for module in pkgutil.iter_modules(__path__):
        content = vars(importlib.import_module(f"{__name__}.{module.name}"))
        for value in content.values():
            if isinstance(value, Question):
                found[value.name] = value
    return found
