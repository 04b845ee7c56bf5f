"""What is said between a run and the processes of its environments."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

import msgspec

LENGTH = struct.Struct("<I")


class Order(msgspec.Struct, array_like=True, frozen=True):
    """What to make.

    Attributes:
      options: The environment, as ``EnvironmentOptions`` in JSON.
      count: How many of them.
      render: Whether they are to draw.
      parent: The process that ordered them.
    """

    options: str
    count: int
    render: bool
    parent: int


class Call(msgspec.Struct, array_like=True, frozen=True):
    """One call: ``reset`` with a seed, ``step`` with an action, or ``render``."""

    index: int
    name: str
    argument: int = 0


class Returned(msgspec.Struct, array_like=True, frozen=True):
    """What came of a call.

    Attributes:
      data: The observation, or the picture.
      shape: Of a picture.
      reward, terminated, truncated, raw: As ``LabEnvironment.step`` returns them.
      life_lost: As ``LabEnvironment`` has it after the step.
      error: Name of the exception that it raised instead.
      text, trace: What it says, and where it was raised.
      unusable: The environment returned something of no use.
    """

    data: bytes = b""
    shape: tuple[int, ...] = ()
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    raw: float = 0.0
    life_lost: bool = False
    error: str = ""
    text: str = ""
    trace: str = ""
    unusable: bool = False


def write(stream: BinaryIO, message: Any) -> None:
    """Send a message at once."""
    data = msgspec.msgpack.encode(message)
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()


def read(stream: BinaryIO) -> bytes:
    """The next message.

    Raises:
      EOFError: If the other side is gone.
    """
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError
    size = LENGTH.unpack(head)[0]
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
