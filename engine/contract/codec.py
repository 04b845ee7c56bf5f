"""Messages as frames of bytes: msgpack, and the memory of each array beside it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

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
)
_ARRAY, _PICTURE = 1, 2
_KINDS = "biuf"
_LARGE = 2**16
"""Bytes from which on equal rows of a picture are sent once."""


def encode(message: Message) -> list[Any]:
    """A message as frames: msgpack, then the memory of each array.

    Nothing is copied, but of pictures: their equal rows are sent once.
    """
    buffers: list[Any] = []

    def hook(value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        if not isinstance(value, np.ndarray) or value.dtype.kind not in _KINDS:
            raise TypeError(f"a message cannot hold {type(value)}")
        array = np.ascontiguousarray(value)
        rows = _distinct_rows(array)
        if rows is not None:
            buffers.extend(it.reshape(-1).view(np.uint8).data for it in rows)
            meta = (array.dtype.str, value.shape, len(buffers) - 2)
            return msgspec.msgpack.Ext(_PICTURE, msgspec.msgpack.encode(meta))
        buffers.append(array.reshape(-1).view(np.uint8).data if array.size else b"")
        meta = (array.dtype.str, value.shape, len(buffers) - 1)
        return msgspec.msgpack.Ext(_ARRAY, msgspec.msgpack.encode(meta))

    head = msgspec.msgpack.encode(message, enc_hook=hook)
    return [head, *buffers]


def _distinct_rows(array: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows of pictures that differ from the one above, and which do, bool [rows].

    Drawn pictures have large plain areas. Encrypting their rows again and again takes
    longer than finding them, twice for each process they pass through. None where
    it is no picture, or has too few equal rows.
    """
    if array.dtype != np.uint8 or array.ndim < 3 or array.nbytes < _LARGE:
        return None
    rows = array.reshape(-1, array.shape[-2] * array.shape[-1])
    wide = rows.view(np.uint64) if rows.shape[1] % 8 == 0 else rows
    differs = np.ones(len(rows), np.bool_)
    np.any(wide[1:] != wide[:-1], axis=1, out=differs[1:])
    kept = np.count_nonzero(differs)
    return (rows[differs], differs) if 4 * kept < 3 * len(rows) else None


class _Codec(threading.local):
    """A decoder for each thread, and the buffers of the message it works on."""

    def __init__(self) -> None:
        self.buffers: Sequence[Any] = ()
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
        """A picture whose equal rows were sent once."""
        differs = np.frombuffer(self.buffers[index + 1], np.bool_)
        rows = np.frombuffer(self.buffers[index], np.uint8)
        rows = rows.reshape(np.count_nonzero(differs), -1)
        picture: np.ndarray = rows[differs.cumsum() - 1].reshape(shape)
        picture.flags.writeable = False
        return picture


def _on_type(wanted: type, value: Any) -> Any:
    if not isinstance(value, wanted):
        raise ValueError(f"expected {wanted.__name__}, got {type(value).__name__}")
    return value


_codec = cache(_Codec)


def decode(frames: Sequence[Any]) -> Message:
    """Inverse of :func:`encode`; arrays are read-only views of the frames.

    Raises:
      MalformedMessage: If the bytes are not one of our messages.
    """
    codec = _codec()
    try:
        head, *codec.buffers = frames
        return cast(Message, codec.decoder.decode(head))
    except _UNREADABLE as error:
        raise MalformedMessage(f"A message was not understood: {error}") from error
    finally:
        codec.buffers = ()
