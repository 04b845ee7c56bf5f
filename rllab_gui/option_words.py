"""Options and their values in words, and what events say of them."""

from __future__ import annotations

import json
from typing import Any

from engine.contract.messages import Event
from engine.contract.options import OptionSpec, spec, specs
from rllab_gui.forms.scale import written
from rllab_gui.forms.words import value_title
from rllab_gui.titles import with_titles


def option_name(of: OptionSpec) -> str:
    """Title and symbol: "Learning rate α"."""
    return f"{of.title} {of.symbol}".strip()


def option_text(key: str, value: Any) -> str:
    """An option and its value: "Learning rate α 0.0001"."""
    return f"{option_name(spec(key))} {_value_text(spec(key), value)}"


def event_text(event: Event) -> str:
    """What happened; of an option its values: "Learning rate α 0.0025 → 0.0001"."""
    key = str(event.data.get("key", ""))
    if event.kind != "option" or key not in specs():
        return with_titles(event.text)
    old, new = (_value_text(spec(key), event.data.get(it)) for it in ("old", "new"))
    return f"{option_name(spec(key))} {old} → {new}"


def _value_text(of: OptionSpec, value: Any) -> str:
    if of.kind in ("bool", "choice"):
        return value_title(value)
    if of.kind in ("int", "float") and isinstance(value, int | float):
        return written(int(value) if of.kind == "int" else value, of)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)
