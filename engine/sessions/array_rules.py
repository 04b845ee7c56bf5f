"""What an array of a session file must be like; see :mod:`engine.sessions.rules`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.sessions.hdf5 import CHUNK_LIMIT_BYTES, MAX_CHUNKS, MAX_RANK, h5py
from engine.sessions.rules import Rules, plain_type

FILTERS = ("shuffle", "deflate", "fletcher32")
_CODES = {
    h5py.h5z.FILTER_SHUFFLE: "shuffle",
    h5py.h5z.FILTER_DEFLATE: "deflate",
    h5py.h5z.FILTER_FLETCHER32: "fletcher32",
}


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
