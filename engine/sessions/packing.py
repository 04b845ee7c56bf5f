"""Rows of the live store as bytes: plain values and arrays, never pickle."""

from __future__ import annotations

import json
import math
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

PIECE_BYTES = 1 << 20
"""No row of the live store carries more data than this (before compression)."""

_LENGTH = struct.Struct("<I")
_KINDS = "biuf"


def checksum(data: bytes | memoryview | str, *keys: object) -> int:
    """CRC32 over the keys of a row and its data, so that neither can change alone.

    The first key is the name of the table, so that a row proves where it belongs.
    Damage can also change the type of a value; the result is -1 then.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    if not isinstance(data, (bytes, memoryview)):
        return -1
    return zlib.crc32(data, zlib.crc32(repr(keys).encode()))


def check_array(name: str, array: np.ndarray) -> np.ndarray:
    """The array, C-contiguous and little-endian; only plain numbers pass.

    Raises:
      TypeError: If its type is not boolean, integer or float.
    """
    if array.dtype.kind not in _KINDS:
        raise TypeError(f"'{name}' cannot be stored: its type is {array.dtype}")
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def array_bytes(array: np.ndarray) -> memoryview:
    """The memory of a contiguous array, as plain bytes (an empty one has none)."""
    if not array.size:
        return memoryview(b"")
    return memoryview(array.reshape(-1).view(np.uint8).data)


def pack(values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Values and arrays as one blob; compressed where that saves a tenth."""
    bodies, table = [], []
    for name, array in arrays.items():
        array = check_array(name, array)
        body = squeeze(array_bytes(array))
        bodies.append(body)
        table.append([name, array.dtype.str, array.shape, len(body)])
    head = json.dumps({"values": dict(values), "arrays": table}).encode()
    return b"".join([_LENGTH.pack(len(head)), head, *bodies])


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Inverse of :func:`pack`; the arrays are read-only."""
    (length,) = _LENGTH.unpack_from(data)
    head = json.loads(data[4 : 4 + length])
    at, arrays = 4 + length, {}
    view = memoryview(data)
    for name, dtype, shape, size in head["arrays"]:
        kind = np.dtype(dtype)
        body = expand(view[at : at + size], kind.itemsize * math.prod(shape))
        arrays[name] = np.frombuffer(body, kind).reshape(shape)
        at += size
    return head["values"], arrays


def squeeze(data: memoryview) -> bytes:
    """One byte that says how, then the data, deflated where that saves a tenth."""
    if data.nbytes > 256:
        small = zlib.compress(data, 1)
        if len(small) < 0.9 * data.nbytes:
            return b"\1" + small
    return b"\0" + bytes(data)


def expand(data: memoryview, most: int = PIECE_BYTES) -> bytes | memoryview:
    """Inverse of :func:`squeeze`.

    Raises:
      ValueError: If there is more than ``most`` bytes, or it is damaged.
    """
    if data[0] != 1:
        return data[1:]
    try:
        found = zlib.decompressobj().decompress(data[1:], most + 1)
    except zlib.error as error:
        raise ValueError("A piece of a live store is damaged.") from error
    if len(found) > most:
        raise ValueError("A piece of a live store is larger than it says.")
    return found
