"""How an option is declared: one pydantic field that carries everything about it.

The form, the command line, the tooltip, the preset check and the documentation
are all made from these declarations, so a fact about an option stands once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Applies = Literal["live", "restart"]
Scale = Literal["linear", "log"]
When = Mapping[str, tuple[Any, ...]]
"""For each of these options the values under which another one has an effect."""
Value = bool | int | float | str | tuple[int, ...] | dict[str, Any]


class OptionGroup(BaseModel):
    """A frozen group of options; assigning or an unknown name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """What is known of one option, for whoever shows, reads or checks it.

    Attributes:
      key: Dotted name, ``group.name``.
      title: What the form writes in front of the field.
      symbol: The letter that the equations use, or an empty string.
      unit: Unit of the value in words, or an empty string.
      kind: ``bool``, ``int``, ``float``, ``str``, ``choice``, ``integers`` or
        ``mapping``.
      default: Value of a configuration that does not mention the option.
      minimum: Least allowed number, or None.
      maximum: Greatest allowed number, or None.
      choices: Allowed words of a ``choice``.
      scale: Whether a slider moves linearly or in decades.
      applies: ``live`` acts at once, ``restart`` needs a new run.
      help: One sentence: what it is.
      effect: One sentence: what happens when it is raised or lowered.
      advanced: Folded away under *more* in the form.
      when: Values of other options under which this one has an effect; all of
        them have to hold.
    """

    key: str
    title: str
    symbol: str
    unit: str
    kind: str
    default: Value
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    scale: Scale
    applies: Applies
    help: str
    effect: str
    advanced: bool
    when: When = field(default_factory=dict)


def option(
    default: Any,
    title: str,
    *,
    help: str,
    effect: str = "",
    symbol: str = "",
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    scale: Scale = "linear",
    applies: Applies = "restart",
    advanced: bool = False,
    when: When | None = None,
) -> Any:
    """Declare one option as a pydantic field; see :class:`OptionSpec`."""
    extra: dict[str, Any] = {
        "symbol": symbol,
        "unit": unit,
        "scale": scale,
        "applies": applies,
        "effect": effect,
        "advanced": advanced,
        "minimum": minimum,
        "maximum": maximum,
        "when": when or {},
    }
    bounds: dict[str, Any] = {}
    if minimum is not None:
        bounds["ge"] = minimum
    if maximum is not None:
        bounds["le"] = maximum
    return Field(
        default=default,
        title=title,
        description=help,
        json_schema_extra=extra,
        **bounds,
    )
