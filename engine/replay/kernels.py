"""Loops over the slots of a batch, compiled and kept compiled on disk."""

from __future__ import annotations

import numba
import numpy as np

NO_ACTION = -1


@numba.njit(cache=True)
def gather_windows(
    slots: np.ndarray,
    n: int,
    gamma: float,
    length: int,
    action: np.ndarray,
    reward: np.ndarray,
    terminated: np.ndarray,
    stops: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See :meth:`Streams.windows`; rings have ``length`` slots.

    A window ends before a slot that ``stops``, bool [N], or is empty where none does.
    """
    count = len(slots)
    total = np.empty(count, np.float32)
    discount = np.empty(count, np.float32)
    following = np.empty(count, np.int64)
    for i in range(count):
        at, sum_of_rewards, factor = slots[i], 0.0, 1.0
        for _ in range(n):
            sum_of_rewards += factor * reward[at]
            ends = terminated[at]
            factor *= 0.0 if ends else gamma
            at += 1
            if at % length == 0:
                at -= length
            if ends or action[at] == NO_ACTION or (len(stops) and stops[at]):
                break
        total[i], discount[i], following[i] = sum_of_rewards, factor, at
    return total, discount, following


@numba.njit(cache=True)
def first_sampleable(
    slots: np.ndarray, offsets: np.ndarray, sampleable: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Of each row of ``slots`` the first so many that are sampleable, and how many.

    Those of row k are ``offsets[k]`` further on in ``sampleable``, bool [N].

    Returns:
      int64 [K, count] and [K]; where there are less, the rest of a row is anything.
    """
    found = np.empty((len(slots), count), np.int64)
    filled = np.zeros(len(slots), np.int64)
    for k in range(len(slots)):
        for slot in slots[k]:
            if filled[k] < count and sampleable[offsets[k] + slot]:
                found[k, filled[k]] = slot
                filled[k] += 1
    return found, filled


@numba.njit(cache=True)
def count_up(counts: np.ndarray, slots: np.ndarray) -> None:
    """Add one to the count of each slot, as often as it is named."""
    for i in range(len(slots)):
        counts[slots[i]] += 1
