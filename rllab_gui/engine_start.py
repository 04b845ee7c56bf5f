"""Reaches the engine while Qt is still being imported; no Qt in here."""

from __future__ import annotations

import threading
from typing import Any

from engine.contract.messages import Message, Problem
from engine.service.client import ensure_engine
from engine.service.connection import EngineProblem


class NoEngine:
    """Stands for an engine that could not be started: nothing comes, nothing goes."""

    def send(self, message: Message) -> None:
        """Nobody hears it."""

    def ask(self, question: str, arguments: dict[str, Any]) -> int:
        """Never answered."""
        return 0

    def hand_over(self, number: int, seconds: float) -> bool:
        """There is nobody to hand anything to."""
        return True

    def poll(self) -> list[Message]:
        """Nothing arrives."""
        return []

    def restart(self) -> None:
        """There is no engine to be restarted."""
        raise EngineProblem("Close the lab and open it again.")

    def close(self) -> None:
        """Nothing to let go of."""


class EngineStart:
    """Starts the engine, or attaches to the one that runs, in a thread.

    Attributes:
      problem: Why there is no engine; None while all is well.
    """

    def __init__(self) -> None:
        self.problem: Problem | None = None
        self._client: Any = NoEngine()
        self._thread = threading.Thread(target=self._start, name="engine-start")
        self._thread.start()

    def client(self) -> Any:
        """The engine's client, when it is there."""
        self._thread.join()
        return self._client

    def _start(self) -> None:
        try:
            self._client = ensure_engine()
        except (OSError, EngineProblem) as error:
            self.problem = Problem(
                id="engine.start",
                what="The engine could not be started.",
                why=str(error),
                fix="Close the window and try again; 'rllab' in a terminal says more.",
            )
