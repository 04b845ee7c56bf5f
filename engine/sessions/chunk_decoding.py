"""One chunk of an array from its stored bytes, with a limit, without HDF5's filters."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.sessions.rules import Rules, broken


@dataclass(frozen=True, slots=True)
class Stored:
    """The checksum that stands behind a chunk, and that of its bytes."""

    told: int
    found: int


STORED: Rules[Stored] = {
    "checksum": lambda it: "" if it.told == it.found else "a checksum is wrong"
}


def decode_chunk(
    raw: bytes, filters: tuple[str, ...], shape: tuple[int, ...], dtype: np.dtype[Any]
) -> np.ndarray:
    """One chunk from its stored bytes.

    Raises:
      ValueError: If a checksum or the length is not right.
    """
    size = math.prod(shape) * dtype.itemsize
    if "fletcher32" in filters:
        raw, told = raw[:-4], int.from_bytes(raw[-4:], "little")
        if reason := broken(STORED, Stored(told, fletcher32(raw))):
            raise ValueError(reason)
    if "deflate" in filters:
        raw = _inflated(raw, size)
    if len(raw) != size:
        raise ValueError("a chunk has another length than it says")
    data = np.frombuffer(raw, np.uint8)
    if "shuffle" in filters and dtype.itemsize > 1:
        data = np.ascontiguousarray(data.reshape(dtype.itemsize, -1).T).reshape(-1)
    return data.view(dtype).reshape(shape)


def _inflated(raw: bytes, size: int) -> bytes:
    """At most one byte more than is wanted, however much there would be."""
    try:
        return zlib.decompressobj().decompress(raw, size + 1)
    except zlib.error as error:
        raise ValueError("deflate") from error


def fletcher32(data: bytes) -> int:
    """HDF5's checksum: sums of big-endian 16-bit words, modulo 65535."""
    even = data if len(data) % 2 == 0 else data + b"\0"
    words = np.frombuffer(even, ">u2").astype(np.uint64)
    weights = np.arange(len(words), 0, -1, dtype=np.uint64)
    first, second = int(words.sum()), int((words * weights).sum())
    return _folded(second) << 16 | _folded(first)


def _folded(total: int) -> int:
    """As repeated folding leaves it: a multiple of 65535 that is not 0 is 65535."""
    return (total - 1) % 65535 + 1 if total else 0


def place(target: np.ndarray, block: np.ndarray, at: tuple[int, ...]) -> None:
    """Copy a chunk to its place; what stands over the edges is left out."""
    into, take = [], []
    for offset, length, room in zip(at, block.shape, target.shape, strict=True):
        start, end = max(0, offset), min(room, offset + length)
        into.append(slice(start, end))
        take.append(slice(start - offset, end - offset))
    target[tuple(into)] = block[tuple(take)]
