"""What every message is, and the words that several of them use."""

from __future__ import annotations

from typing import Literal

import msgspec

PROTOCOL = 2
"""Version of these messages; two sides with different versions do not talk."""

RunState = Literal[
    "idle",
    "starting",
    "running",
    "pausing",
    "paused",
    "stopping",
    "finished",
    "failed",
]
Role = Literal["supervisor", "trainer", "stage", "keeper"]


class Message(msgspec.Struct, frozen=True, tag=True, tag_field="type"):
    """Base of all messages."""
