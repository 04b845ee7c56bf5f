"""A cache that is bounded in bytes: what was not used for longest goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

import numpy as np

Value = TypeVar("Value")


class ByteCache(Generic[Value]):
    """Values by key, together at most ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self.bytes = 0

    def __contains__(self, key: Hashable) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> Value | None:
        """The value, which counts as used now; None if it is not there."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key][0]

    def put(self, key: Hashable, value: Value, size: int) -> None:
        """Keep a value of this many bytes; one larger than the limit is not kept."""
        self.remove(key)
        if size > self._limit:
            return
        self._values[key] = (value, size)
        self.bytes += size
        while self.bytes > self._limit:
            _, (_, gone) = self._values.popitem(last=False)
            self.bytes -= gone

    def remove(self, key: Hashable) -> None:
        """Forget a value, if it is there."""
        if key in self._values:
            self.bytes -= self._values.pop(key)[1]

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self.bytes = 0


def array_bytes(values: Any) -> int:
    """Bytes of all arrays in nested dictionaries."""
    if isinstance(values, np.ndarray):
        return values.nbytes
    if isinstance(values, dict):
        return sum(array_bytes(it) for it in values.values())
    return 0
