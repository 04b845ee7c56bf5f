"""Messages as frames of bytes: msgpack, and the memory of each array beside it."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import lz4.block
import msgspec
import numpy as np

from engine.contract.messages import Message


def _all_messages(base: type[Message]) -> list[type[Message]]:
    return [it for sub in base.__subclasses__() for it in (sub, *_all_messages(sub))]


class MalformedMessage(ValueError):
    """Bytes arrived that are not a message of this protocol version."""


_UNREADABLE = (
    msgspec.MsgspecError,
    ValueError,
    IndexError,
    TypeError,
    OverflowError,
    RecursionError,
    SyntaxError,  # numpy parses some names of types as Python
    lz4.block.LZ4BlockError,
    MemoryError,
)
_ARRAY, _PICTURE = 1, 2
_KINDS = "biuf"
_LARGE = 2**16
"""Bytes from which on a picture is packed."""
_LZ4_MOST = 256
"""No block of LZ4 holds more than so many times its bytes (its format allows 255)."""
_PICTURES_MOST = 1 << 30
"""Bytes of all pictures of a message: many may name the same frame."""


def encode(message: Message) -> list[Any]:
    """A message as frames: msgpack, then the memory of each array.

    Nothing is copied; large pictures are packed.
    """
    buffers: list[Any] = []

    def hook(value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        if not isinstance(value, np.ndarray) or value.dtype.kind not in _KINDS:
            raise TypeError(f"a message cannot hold {type(value)}")
        array = np.ascontiguousarray(value)
        packed = _packed(array)
        plain = array.reshape(-1).view(np.uint8).data if array.size else b""
        buffers.append(plain if packed is None else packed)
        meta = (array.dtype.str, value.shape, len(buffers) - 1)
        code = _ARRAY if packed is None else _PICTURE
        return msgspec.msgpack.Ext(code, msgspec.msgpack.encode(meta))

    head = msgspec.msgpack.encode(message, enc_hook=hook)
    return [head, *buffers]


def _packed(array: np.ndarray) -> bytes | None:
    """A picture in a twentieth of its bytes; None where that does not pay.

    Drawn pictures have large plain areas, and to encrypt those takes longer than to
    pack them, twice for each process that they pass through.
    """
    if array.dtype != np.uint8 or array.ndim < 3 or array.nbytes < _LARGE:
        return None
    packed: bytes = lz4.block.compress(array, store_size=False)
    return packed if 4 * len(packed) < 3 * array.nbytes else None


class _Codec(threading.local):
    """A decoder for each thread, and the buffers of the message it works on.

    Attributes:
      buffers: Its frames after the first.
      pictures: Bytes of the pictures that were unpacked from them.
    """

    def __init__(self) -> None:
        self.buffers: Sequence[Any] = ()
        self.pictures = 0
        union: Any = None
        for kind in _all_messages(Message):
            union = kind if union is None else union | kind
        self.decoder = msgspec.msgpack.Decoder(
            union, ext_hook=self._on_array, dec_hook=_on_type
        )

    def _on_array(self, code: int, data: memoryview) -> np.ndarray:
        if code not in (_ARRAY, _PICTURE):
            raise ValueError(f"unknown extension {code}")
        dtype, shape, index = msgspec.msgpack.decode(
            data, type=tuple[str, list[int], int]
        )
        kind = np.dtype(dtype)
        if kind.kind not in _KINDS or index < 0:
            raise ValueError(f"no array of {kind} in frame {index}")
        if code == _PICTURE:
            return self._picture(shape, index)
        return np.frombuffer(self.buffers[index], kind).reshape(shape)

    def _picture(self, shape: list[int], index: int) -> np.ndarray:
        """A picture that was packed.

        Its size is bounded by that of its frame before memory is taken for it, and
        that of all pictures of a message: they may come from a process that reads a
        stranger's file.
        """
        size, packed = math.prod(shape), self.buffers[index]
        if min(shape) < 0 or size > _LZ4_MOST * len(packed):
            raise ValueError(f"no picture of shape {shape} in {len(packed)} bytes")
        self.pictures += size
        if self.pictures > _PICTURES_MOST:
            raise ValueError(f"more than {_PICTURES_MOST:,} bytes of pictures")
        whole = lz4.block.decompress(packed, uncompressed_size=size)
        return np.frombuffer(whole, np.uint8).reshape(shape)


def _on_type(wanted: type, value: Any) -> Any:
    if not isinstance(value, wanted):
        raise ValueError(f"expected {wanted.__name__}, got {type(value).__name__}")
    return value


_codec = cache(_Codec)


def decode(frames: Sequence[Any]) -> Message:
    """Inverse of :func:`encode`; arrays are read-only, and but for pictures views.

    Raises:
      MalformedMessage: If the bytes are not one of our messages.
    """
    codec = _codec()
    try:
        head, *codec.buffers = frames
        codec.pictures = 0
        return cast(Message, codec.decoder.decode(head))
    except _UNREADABLE as error:
        raise MalformedMessage(f"A message was not understood: {error}") from error
    finally:
        codec.buffers = ()
