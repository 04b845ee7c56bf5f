"""The worker that lays out the map, seen from the stage."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue

import numpy as np

from engine.stage import layout_worker


class WorkerDied(ValueError):
    """The process that makes layouts has ended by itself."""


class LayoutProcess:
    """The worker, seen from the stage; nothing here blocks."""

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._sender: _Sender | None = None
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
        assert self._sender is not None
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
        self._sender.send(
            (
                json.dumps(head).encode(),
                np.ascontiguousarray(activations, np.float32).tobytes(),
                np.ascontiguousarray(start, np.float32).tobytes(),
            )
        )

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
        if self._process is not None:
            self._process.terminate()
            self._process.join(2.0)
            self._process = None
        if self._sender is not None:
            self._sender.end()
            self._sender = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _spawn(self) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._connection, theirs = spawning.Pipe()
        self._process = spawning.Process(
            target=layout_worker.main, args=(theirs,), daemon=True, name="layout"
        )
        self._process.start()
        theirs.close()
        self._sender = _Sender(self._connection)


class _Sender:
    """Hands tasks to the worker, one after the other, in a thread of its own.

    A pipe holds 64 KB, and the worker is busy importing or laying out: a task waits
    until it reads. Of tasks that wait only the last is sent.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: SimpleQueue[Sequence[bytes]] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True, name="layouts")
        self._thread.start()

    def send(self, parts: Sequence[bytes]) -> None:
        """Send these one after the other, in place of what waits."""
        self._waiting.put(parts)

    def end(self) -> None:
        """Send nothing any more; the worker has ended, so nothing hangs in the pipe."""
        self._waiting.put(())
        self._thread.join(2.0)

    def _run(self) -> None:
        try:
            while parts := self._last():
                for part in parts:
                    self._connection.send_bytes(part)
        except OSError:
            # The worker is gone; whoever waits for its layouts is told there.
            return

    def _last(self) -> Sequence[bytes]:
        parts = self._waiting.get()
        while not self._waiting.empty():
            parts = self._waiting.get()
        return parts
