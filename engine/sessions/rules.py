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
    CHUNK_LIMIT_BYTES,
    MAX_ATTRIBUTE_BYTES,
    MAX_ATTRIBUTES,
    MAX_CHUNKS,
    MAX_DEPTH,
    MAX_LINKS,
    MAX_RANK,
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
FILTERS = ("shuffle", "deflate", "fletcher32")
_CODES = {
    h5py.h5z.FILTER_SHUFFLE: "shuffle",
    h5py.h5z.FILTER_DEFLATE: "deflate",
    h5py.h5z.FILTER_FLETCHER32: "fletcher32",
}


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


# ---------------------------------------------------------------------- arrays


@dataclass(frozen=True)
class Array:
    """A data set, whose properties HDF5 is asked for once; ``length`` is the file's.

    Its type is turned into numpy's only where the rules say that it is a plain one.
    """

    dataset: Any
    length: int

    @cached_property
    def plan(self) -> Any:
        """How it is stored."""
        return self.dataset.get_create_plist()

    @cached_property
    def layout(self) -> int:
        """How its elements lie in the file."""
        return int(self.plan.get_layout())

    @cached_property
    def chunk(self) -> tuple[int, ...]:
        """Elements of one chunk along each dimension; only of a chunked one."""
        return tuple(self.plan.get_chunk())

    @cached_property
    def filters(self) -> tuple[str, ...]:
        """Names of its filters, in the order of writing."""
        codes = [self.plan.get_filter(at)[0] for at in range(self.plan.get_nfilters())]
        return tuple(_CODES.get(code, "unknown") for code in codes)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Elements along each dimension."""
        return tuple(self.dataset.shape)

    @cached_property
    def kind(self) -> Any:
        """HDF5's type of its elements."""
        return self.dataset.get_type()

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The same as numpy's."""
        found: np.dtype[Any] = self.kind.dtype
        return found

    @cached_property
    def chunks(self) -> int:
        """How many chunks there are."""
        return int(self.dataset.get_num_chunks())

    @property
    def size(self) -> int:
        """Bytes of all its elements."""
        return math.prod(self.shape) * self.dtype.itemsize


def _external(it: Array) -> str:
    return "it is stored outside of the file" if it.plan.get_external_count() else ""


def _layout(it: Array) -> str:
    known = it.layout in (h5py.h5d.CONTIGUOUS, h5py.h5d.CHUNKED)
    return "" if known else "its storage is not one that RL Lab writes"


ARRAYS: Rules[Array] = {
    "dimensions": lambda it: (
        f"it has {len(it.shape)} dimensions" if len(it.shape) > MAX_RANK else ""
    ),
    "array's type": lambda it: (
        "" if plain_type(it.kind) else "its type is not a plain number"
    ),
    "external storage": _external,
    "layout": _layout,
}


def _there(it: Array) -> str:
    stored = it.dataset.get_storage_size() == it.size
    there = stored and it.dataset.get_offset() is not None
    return "" if there or not it.size else "its data are not there"


CONTIGUOUS: Rules[Array] = {"data are there": _there}


def _chunk_size(it: Array) -> str:
    size = math.prod(it.chunk) * it.dtype.itemsize
    return "its chunks are too large" if size > CHUNK_LIMIT_BYTES else ""


def _known_filters(it: Array) -> str:
    known = it.filters == tuple(name for name in FILTERS if name in it.filters)
    return "" if known else "it needs a filter that RL Lab does not use"


def _many_chunks(it: Array) -> str:
    return f"it has {it.chunks} chunks" if it.chunks > MAX_CHUNKS else ""


def _all_chunks(it: Array) -> str:
    pairs = zip(it.shape, it.chunk, strict=True)
    wanted = math.prod(-(-n // c) for n, c in pairs)
    return "" if it.chunks == wanted else "some of its data are not there"


CHUNKED: Rules[Array] = {
    "chunk size": _chunk_size,
    "filters": _known_filters,
    "number of chunks": _many_chunks,
    "all chunks": _all_chunks,
}


@dataclass(frozen=True, slots=True)
class Chunks:
    """Where the chunks of an array lie: one line for each.

    Attributes:
      at: Of its first element within the array, int64 [chunks, rank].
      start, size: Its bytes in the file.
      mask: The filters that it skips.
    """

    at: np.ndarray
    start: np.ndarray
    size: np.ndarray
    mask: np.ndarray
    shape: tuple[int, ...]
    chunk: tuple[int, ...]
    length: int


def _places(it: Chunks) -> str:
    chunk, shape = np.array(it.chunk), np.array(it.shape)
    right = ((it.at % chunk == 0) & (it.at < shape)).all()
    return "" if right else "a chunk lies outside of its array"


def _distinct(it: Chunks) -> str:
    once = len(np.unique(it.at, axis=0)) == len(it.at)
    return "" if once else "two chunks are of the same place"


def _apart(it: Chunks) -> str:
    order = np.argsort(it.start)
    start, end = it.start[order], (it.start + it.size)[order]
    return "its chunks overlap" if (start[1:] < end[:-1]).any() else ""


def _chunks_inside(it: Chunks) -> str:
    outside = ((it.start < 0) | (it.start + it.size > it.length)).any()
    return "a chunk lies outside of the file" if outside else ""


CHUNKS: Rules[Chunks] = {
    "no filter left out": lambda it: (
        "a chunk leaves out a filter" if it.mask.any() else ""
    ),
    "chunks inside": _chunks_inside,
    "stored size": lambda it: (
        "a chunk takes too many bytes"
        if (it.size > CHUNK_LIMIT_BYTES + (1 << 16)).any()
        else ""
    ),
    "chunk's place": _places,
    "one chunk for each place": _distinct,
    "chunks apart": _apart,
}


@dataclass(frozen=True, slots=True)
class Text:
    """An array that is to hold text, and its limit in bytes."""

    array: Array
    most: int


TEXTS: Rules[Text] = {
    "bytes": lambda it: (
        ""
        if it.array.dtype == np.uint8 and len(it.array.shape) == 1
        else "it is not JSON text"
    ),
    "length of text": lambda it: (
        "it is too long" if math.prod(it.array.shape) > it.most else ""
    ),
}


def plain_type(kind: Any) -> bool:
    """Integer, IEEE float, or the enumeration that h5py uses for booleans."""
    if kind.committed():
        return False
    if isinstance(kind, h5py.h5t.TypeEnumID):
        return bool(kind.dtype == np.dtype(bool))
    if not isinstance(kind, (h5py.h5t.TypeIntegerID, h5py.h5t.TypeFloatID)):
        return False
    return kind.get_size() in (1, 2, 4, 8) and kind.dtype.kind in "iuf"
