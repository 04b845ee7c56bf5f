"""Whole numbers by whole numbers that mostly grow, like the steps of episodes."""

from __future__ import annotations

import numpy as np

FIRST_ROOM = 64


class Numbered:
    """A map from int to int in sorted arrays; 300,000 episodes end in a night.

    What comes with the largest key so far is appended in amortised constant time; what
    comes late is put in its place, in time that grows with the map.
    """

    def __init__(self) -> None:
        self._size = 0
        self._held = np.empty((2, FIRST_ROOM), np.int64)

    def __len__(self) -> int:
        return self._size

    def __contains__(self, key: int) -> bool:
        return self.get(key) is not None

    @property
    def keys(self) -> np.ndarray:
        """In ascending order, int64 [n]; a view."""
        return self._held[0, : self._size]

    @property
    def values(self) -> np.ndarray:
        """The value of each key, int64 [n]; a view."""
        return self._held[1, : self._size]

    def get(self, key: int) -> int | None:
        """Value of a key; None where it is not known."""
        at = int(self.keys.searchsorted(key))
        known = at < self._size and self._held[0, at] == key
        return int(self._held[1, at]) if known else None

    def known(self, keys: np.ndarray) -> np.ndarray:
        """Which of these keys are there, bool [m]."""
        at = self.keys.searchsorted(keys)
        found = np.zeros(len(keys), bool)
        within = at < self._size
        found[within] = self.keys[at[within]] == keys[within]
        return found

    def put(self, key: int, value: int) -> None:
        """Add a key, or give it another value."""
        at = int(self.keys.searchsorted(key))
        if at == self._size or self._held[0, at] != key:
            self._make_room(self._size + 1)
            self._held[:, at + 1 : self._size + 1] = self._held[:, at : self._size]
            self._size += 1
        self._held[:, at] = key, value

    def put_all(self, keys: np.ndarray, values: np.ndarray) -> None:
        """The same of many; of equal keys the last one counts."""
        if not len(keys):
            return
        # What is already there and comes before the new ones stays where it is.
        first = int(self.keys.searchsorted(keys.min()))
        tail = self._held[:, first : self._size]
        tail = np.hstack((tail, np.stack((keys, values)).astype(np.int64)))
        tail = tail[:, np.argsort(tail[0], kind="stable")]
        tail = tail[:, np.append(tail[0, 1:] != tail[0, :-1], values=True)]
        end = first + tail.shape[1]
        self._make_room(end)
        self._held[:, first:end] = tail
        self._size = end

    def keep(self, kept: np.ndarray) -> None:
        """Forget every key but these: bool [n], in the order of the keys."""
        held = self._held[:, : self._size][:, kept]
        self._size = held.shape[1]
        self._held[:, : self._size] = held

    def _make_room(self, size: int) -> None:
        room = self._held.shape[1]
        if size <= room:
            return
        held = np.empty((2, max(2 * room, size)), np.int64)
        held[:, : self._size] = self._held[:, : self._size]
        self._held = held
