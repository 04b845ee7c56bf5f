"""What else an option could be: at once, together with one other option, or not at all.

A rule of :mod:`engine.contract.combinations` names remedies, single changes that mend
it. A value that breaks rules may still be chosen where one remedy, about another option
than the one that is being chosen, leaves nothing wrong; both are then changed as one.
Where no single remedy does, the value is impossible for now, and the sentences say why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.contract.combinations import Complaint, complaints
from engine.contract.options import Configuration, spec

if TYPE_CHECKING:
    from engine.contract.catalogue import EnvironmentCard


@dataclass(frozen=True, slots=True)
class Alternative:
    """What it takes that an option has another value.

    Attributes:
      companion: The one other option that has to change as well, with its new value.
      reason: Why it is impossible beside the other options; empty where it is not.
    """

    companion: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


def alternatives(
    configuration: Configuration, card: EnvironmentCard | None, key: str
) -> dict[Any, Alternative]:
    """For each value of a choice or of a flag what it takes; all others have none.

    Complaints that the configuration has already are held against no value.
    """
    of = spec(key)
    values = (False, True) if of.kind == "bool" else of.choices
    known = frozenset(complaints(configuration, card))
    return {it: _judged(configuration, card, key, it, known) for it in values}


def alternative(
    configuration: Configuration, card: EnvironmentCard | None, key: str, value: Any
) -> Alternative:
    """What it takes that this option has this value."""
    known = frozenset(complaints(configuration, card))
    return _judged(configuration, card, key, value, known)


def _judged(
    configuration: Configuration,
    card: EnvironmentCard | None,
    key: str,
    value: Any,
    known: frozenset[Complaint],
) -> Alternative:
    if configuration.get(key) == value:
        return Alternative()
    changed = _with(configuration, key, value)
    new = _new(changed, card, known)
    if not new:
        return Alternative()
    further: list[Complaint] = []
    for other, cure in (it for complaint in new for it in complaint.remedies):
        if other == key:
            continue
        left = _new(_with(changed, other, cure), card, known)
        if not left:
            return Alternative({other: cure})
        further = further or [it for it in left if it not in new]
    sentences = dict.fromkeys(it.sentence for it in (*new, *further))
    return Alternative(reason=" ".join(sentences))


def _new(
    configuration: Configuration,
    card: EnvironmentCard | None,
    known: frozenset[Complaint],
) -> list[Complaint]:
    return [it for it in complaints(configuration, card) if it not in known]


def _with(configuration: Configuration, key: str, value: Any) -> Configuration:
    """Another value of a choice, which needs no checking; this is quick."""
    group, name = key.split(".")
    options = getattr(configuration, group).model_copy(update={name: value})
    return configuration.model_copy(update={group: options})
