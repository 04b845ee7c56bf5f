"""The compiled loops of the replay memory, loaded beside the stage's work."""

from __future__ import annotations

import threading
from collections.abc import Generator

import numpy as np

POLL_S = 0.02


class Kernels:
    """Loads them once; it takes a second, and many on a busy computer."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._done = threading.Event()

    def loaded(self) -> Generator[float, None, None]:
        """Wait until they are there, and let others go on meanwhile."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._load, name="kernels-load", daemon=True
            )
            self._thread.start()
        while not self._done.is_set():
            yield POLL_S

    def _load(self) -> None:
        try:
            from engine.replay import Streams

            streams = Streams(4, 1, (1,), "float32")
            nothing = np.zeros(1, np.float32)
            streams.begin(0, nothing)
            streams.append(0, 0, 0.0, True, False, nothing)
            streams.windows(np.zeros(1, np.int64), 1, 0.9)
        finally:  # who uses them next raises what was wrong
            self._done.set()


KERNELS = Kernels()
"""Of this process."""
