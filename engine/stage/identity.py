"""What tells recorded episodes apart, also those of the same number."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

Past = tuple[str, int]
"""Of which session, and after how many of its returns to an earlier step."""


def content_of(record: Mapping[str, Any]) -> int:
    """A checksum of what happened in an episode, and of who chose it."""
    chosen = [np.asarray(record["actions"], np.int64), np.asarray(record["seed"])]
    for name in ("human", "forced", "explored"):
        chosen.append(np.asarray(record.get(name, ()), bool))
    return zlib.crc32(b"".join(it.tobytes() for it in chosen))


def recorded_as(past: Past, record: Mapping[str, Any]) -> Hashable:
    """What tells an episode from every other one, also of the same number."""
    return past, record["kind"], int(record["episode"]), content_of(record)
