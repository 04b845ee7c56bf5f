"""An engine of a command's own, which ends with it."""

from __future__ import annotations

import contextlib
import signal
import tempfile
from collections.abc import Iterator
from types import FrameType

from engine.contract.messages import Shutdown
from engine.service.client import Client, ensure_engine
from engine.service.connection import await_end

END_WITHIN_S = 15.0


@contextlib.contextmanager
def private_engine() -> Iterator[Client]:
    """A client of an engine that nobody else knows.

    A window of the same user, and other commands, keep their own: nothing that runs
    there is disturbed.
    """
    with tempfile.TemporaryDirectory(
        prefix="rllab-", ignore_cleanup_errors=True
    ) as home:
        client = ensure_engine(home, kind="cli", private=True)
        try:
            yield client
        finally:
            client.send(Shutdown())
            client.close()
            # It lets go of its files first: they are removed after that.
            await_end(client.connection.pid, END_WITHIN_S)


class Interrupts:
    """Turns Ctrl+C and a request to terminate into a flag while it is entered.

    Attributes:
      count: How often it was asked.
    """

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[int, object] = {}

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
