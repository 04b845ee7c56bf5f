"""The worker that lays out the map, seen from the stage."""

from __future__ import annotations

import json
import multiprocessing
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import numpy as np

from engine.stage import layout_worker


class WorkerDied(ValueError):
    """The process that makes layouts has ended by itself."""


class LayoutProcess:
    """The worker, seen from the stage; nothing here blocks."""

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._task = 0
        self._shape = (0, 2)

    def start(
        self,
        activations: np.ndarray,
        start: np.ndarray,
        *,
        perplexity: float,
        seed: int,
        fresh: bool,
    ) -> None:
        """Have a layout made; one that is under way is given up."""
        if self._process is None or not self._process.is_alive():
            self.stop()
            self._spawn()
        self._task += 1
        self._shape = (len(activations), 2)
        head = {
            "task": self._task,
            "points": len(activations),
            "units": activations.shape[1],
            "perplexity": perplexity,
            "seed": seed,
            "fresh": fresh,
        }
        parts = [
            json.dumps(head).encode(),
            np.ascontiguousarray(activations, np.float32).tobytes(),
            np.ascontiguousarray(start, np.float32).tobytes(),
        ]
        # A pipe holds 64 KB; the rest waits until the worker reads.
        threading.Thread(
            target=_send_all, args=(self._connection, parts), daemon=True
        ).start()

    def layouts(self) -> list[tuple[np.ndarray, bool]]:
        """Layouts that have come since, and whether each is the final one.

        Raises:
          WorkerDied: If the worker has died.
        """
        assert self._connection is not None
        found = []
        try:
            while self._connection.poll():
                head = json.loads(self._connection.recv_bytes())
                data = self._connection.recv_bytes()
                if head["task"] == self._task:
                    positions = np.frombuffer(data, np.float32).reshape(self._shape)
                    found.append((positions, bool(head["final"])))
        except (EOFError, OSError) as error:
            self.stop()
            raise WorkerDied(
                "The map's worker ended unexpectedly. Ask for the map again."
            ) from error
        return found

    def stop(self) -> None:
        """End the worker; the next layout starts another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.terminate()
            self._process.join(2.0)
            self._process = None

    def _spawn(self) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._connection, theirs = spawning.Pipe()
        self._process = spawning.Process(
            target=layout_worker.main, args=(theirs,), daemon=True, name="layout"
        )
        self._process.start()
        theirs.close()


def _send_all(connection: Connection, parts: list[bytes]) -> None:
    try:
        for part in parts:
            connection.send_bytes(part)
    except OSError:
        # The worker is gone; whoever waits for its layouts is told there.
        return
