"""What an object of a session file must be like: named rules, judged one by one.

Each rule gets a subject and says why it is refused, or nothing. The rules of the
reader are those of the writer: whatever our writer does not do is refused. They are
kept by name so that a test can switch off each of them and see what gets through.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from engine.sessions.hdf5 import (
    MAX_ATTRIBUTE_BYTES,
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_LINKS,
    NAME,
    h5py,
)

Subject = TypeVar("Subject")
Rules = dict[str, Callable[[Subject], str]]

_SUPERBLOCK = struct.Struct("<11sB4Q")
_BEGINNINGS = {b"\x89HDF\r\n\x1a\n" + bytes([it, 8, 8]) for it in (2, 3)}
"""Signature, version 2 or 3, addresses and lengths of eight bytes."""
HEAD_BYTES = _SUPERBLOCK.size
_NONE = 2**64 - 1


def broken(rules: Rules[Subject], subject: Subject) -> str:
    """The reason of the first rule that refuses the subject, or an empty text."""
    return next((why for rule in rules.values() if (why := rule(subject))), "")


# ------------------------------------------------------------------ superblock


@dataclass(frozen=True, slots=True)
class Superblock:
    """The first bytes of the file; ``length`` is what the seal says."""

    length: int
    known: bool
    flags: int = 0
    base: int = 0
    extension: int = _NONE
    end: int = -1

    @classmethod
    def parse(cls, data: bytes, length: int) -> Superblock:
        """From the file's beginning; of another kind nothing more is known."""
        size = _SUPERBLOCK.size
        beginning, *fields = _SUPERBLOCK.unpack(data[:size].ljust(size, b"\0"))
        if beginning not in _BEGINNINGS:
            return cls(length, False, end=length)
        return cls(length, True, *fields[:-1])


SUPERBLOCK: Rules[Superblock] = {
    "beginning": lambda it: (
        "" if it.known else "it does not begin as the HDF5 that RL Lab writes"
    ),
    "flags": lambda it: "it was not closed" if it.flags else "",
    "base": lambda it: "it does not begin at its base" if it.base else "",
    "extension": lambda it: "" if it.extension == _NONE else "it has an extension",
    "end": lambda it: "" if it.end == it.length else "it does not end where it says",
}


# ----------------------------------------------------------------------- links


@dataclass(frozen=True, slots=True)
class Link:
    """A name in a group."""

    path: str
    group: Any

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


def is_name(text: str) -> bool:
    """Whether our writer uses such names; HDF5 takes a dot for the group itself."""
    return bool(NAME.match(text)) and bool(text.strip("."))


def _hard(link: Link) -> str:
    kind = link.group.links.get_info(link.name.encode()).type
    return "" if kind == h5py.h5l.TYPE_HARD else "it is a link to somewhere else"


NAMES: Rules[Link] = {
    "name": lambda it: "" if is_name(it.name) else "its name is not allowed",
    "depth": lambda it: "it lies too deep" if it.path.count("/") >= MAX_DEPTH else "",
}
LINKS: Rules[Link] = {"hard link": _hard}
OBJECTS: Rules[Any] = {
    "object": lambda it: (
        ""
        if isinstance(it, (h5py.h5g.GroupID, h5py.h5d.DatasetID))
        else "it is neither a group nor an array"
    )
}
GROUPS: Rules[Any] = {
    "members": lambda it: f"it has {len(it)} members" if len(it) > MAX_LINKS else "",
    "attributes": lambda it: (
        f"it has {count} attributes"
        if (count := h5py.h5a.get_num_attrs(it)) > MAX_ATTRIBUTES
        else ""
    ),
}


@dataclass(frozen=True, slots=True)
class Visit:
    """An object on a walk through the file, and what was met before."""

    address: int
    seen: set[int]


VISITS: Rules[Visit] = {
    "linked once": lambda it: (
        "it is linked more than once" if it.address in it.seen else ""
    )
}


# ------------------------------------------------------------------ attributes


def plain_type(kind: Any) -> bool:
    """Integer, IEEE float, or the enumeration that h5py uses for booleans."""
    if kind.committed():
        return False
    if isinstance(kind, h5py.h5t.TypeEnumID):
        return bool(kind.dtype == np.dtype(bool))
    if not isinstance(kind, (h5py.h5t.TypeIntegerID, h5py.h5t.TypeFloatID)):
        return False
    return kind.get_size() in (1, 2, 4, 8) and kind.dtype.kind in "iuf"


@dataclass(frozen=True)
class Attribute:
    """An attribute, whose properties HDF5 is asked for once."""

    found: Any

    @cached_property
    def name(self) -> str:
        """What it is called."""
        return str(self.found.name.decode("utf-8", "replace"))

    @cached_property
    def kind(self) -> Any:
        """HDF5's type of its value."""
        return self.found.get_type()

    @cached_property
    def value(self) -> Any:
        """A Python number or text; only where the rules say that it is one."""
        stored = np.empty((), self.kind.dtype)
        self.found.read(stored)
        value = stored.item()
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _plain_attribute(it: Attribute) -> str:
    text = isinstance(it.kind, h5py.h5t.TypeStringID) and not it.kind.is_variable_str()
    return "" if text or plain_type(it.kind) else "an attribute is not plain"


def _attribute_size(it: Attribute) -> str:
    size = it.found.get_storage_size()
    return "an attribute is too large" if size > MAX_ATTRIBUTE_BYTES else ""


ATTRIBUTES: Rules[Attribute] = {
    "attribute's name": lambda it: (
        "" if is_name(it.name) else "the name of an attribute is not allowed"
    ),
    "attribute's type": _plain_attribute,
    "attribute's own type": lambda it: (
        "the type of an attribute is stored elsewhere" if it.kind.committed() else ""
    ),
    "attribute's size": _attribute_size,
    "one value": lambda it: (
        "" if it.found.shape == () else "an attribute has many values"
    ),
}
VALUES: Rules[Any] = {
    "finite": lambda it: (
        "an attribute is not a finite number"
        if isinstance(it, float) and not math.isfinite(it)
        else ""
    )
}
