"""Messages over a pipe between two processes: length and CRC, then the bytes."""

from __future__ import annotations

import os
import select
import struct
import time
import zlib

from engine.contract.codec import MalformedMessage, decode, encode
from engine.contract.messages import Message

_HEAD = struct.Struct("<II")
MAX_BYTES = 1 << 30


class PipeClosed(Exception):
    """The other side is gone."""


def write_message(handle: int, message: Message) -> None:
    """Write one message completely.

    Raises:
      PipeClosed: If nobody reads any more.
    """
    parts = [bytes(frame) for frame in encode(message)]
    lengths = b"".join(struct.pack("<I", len(part)) for part in parts)
    body = struct.pack("<I", len(parts)) + lengths + b"".join(parts)
    data = memoryview(_HEAD.pack(len(body), zlib.crc32(body)) + body)
    try:
        while data:
            data = data[os.write(handle, data) :]
    except OSError as error:
        raise PipeClosed from error


def read_message(handle: int, timeout_s: float | None = None) -> Message:
    """Wait for one message.

    Raises:
      PipeClosed: If the other side ended before it was complete.
      TimeoutError: If it did not come in time.
      MalformedMessage: If what came is not a message.
    """
    end = None if timeout_s is None else time.monotonic() + timeout_s
    length, crc = _HEAD.unpack(_read(handle, _HEAD.size, end))
    if length > MAX_BYTES:
        raise MalformedMessage(f"A message of {length} bytes was refused.")
    body = _read(handle, length, end)
    if zlib.crc32(body) != crc:
        raise MalformedMessage("A message was damaged on its way.")
    return decode(_split(body))


def _split(body: bytes) -> list[bytes]:
    try:
        (count,) = struct.unpack_from("<I", body)
        lengths = struct.unpack_from(f"<{count}I", body, 4)
    except struct.error as error:
        raise MalformedMessage("A message was cut off.") from error
    at, parts = 4 + 4 * count, []
    for length in lengths:
        parts.append(body[at : at + length])
        at += length
    return parts


def _read(handle: int, size: int, end: float | None) -> bytes:
    parts, missing = [], size
    while missing:
        if end is not None:
            left = end - time.monotonic()
            if left <= 0 or not select.select([handle], [], [], left)[0]:
                raise TimeoutError
        part = os.read(handle, min(missing, 1 << 20))
        if not part:
            raise PipeClosed
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
