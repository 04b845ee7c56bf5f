"""The queue of online learning: each transition once, as soon as it is complete."""

from __future__ import annotations

import numpy as np

from engine.contract.arrays import State


class Newest:
    """Slots whose window of n steps is complete and that nobody has learned from."""

    def __init__(self, streams: int, n_step: int, limit: int) -> None:
        self._n_step = n_step
        self._limit = limit
        self._waiting: list[list[int]] = [[] for _ in range(streams)]
        self._ready: list[int] = []

    def wait(self, n_step: int) -> None:
        """Slots are complete after this many steps from now on."""
        self._n_step = n_step

    def add(self, stream: int, slot: int, *, ended: bool) -> None:
        """A slot was completed; the end of an episode completes all its windows."""
        waiting = self._waiting[stream]
        waiting.append(slot)
        complete = len(waiting) if ended else len(waiting) - self._n_step + 1
        if complete > 0:
            self._ready += waiting[:complete]
            del waiting[:complete]
            del self._ready[: -self._limit]

    def take(self, count: int) -> np.ndarray:
        """The newest complete slots, oldest first; older ones are dropped."""
        slots = np.array(self._ready[-count:], np.int64)
        self._ready.clear()
        return slots

    def state(self) -> State:
        """Which slots wait, by stream, and which are complete."""
        waiting = {
            str(stream): np.array(slots, np.int64)
            for stream, slots in enumerate(self._waiting)
        }
        return {"waiting": waiting, "ready": np.array(self._ready, np.int64)}

    def restore(self, state: State) -> None:
        """Inverse of :meth:`state`."""
        self._ready = [int(it) for it in state["ready"]]
        self._waiting = [
            [int(it) for it in state["waiting"][str(stream)]]
            for stream in range(len(self._waiting))
        ]

    def clear(self) -> None:
        """Forget all slots."""
        self._ready.clear()
        for waiting in self._waiting:
            waiting.clear()
