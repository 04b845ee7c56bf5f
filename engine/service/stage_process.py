"""The stage as a process: the shown agent, evaluations, and every *why*.

Run as ``python -m engine.service.stage_process CONNECTION_FILE IDENTITY``.
"""

from __future__ import annotations

import sys

from engine.contract.garbage import kept_for_good
from engine.contract.messages import Message, Weights
from engine.service.niceness import step_back
from engine.service.transport import Line
from engine.service.worker import main

NICER = 10
"""How much nicer than the trainer the stage is: evaluations take what is free, and a
picture is late by some milliseconds at most."""


class StageWork:
    """The stage on a line; torch is imported behind its back, in a thread."""

    def __init__(self, line: Line) -> None:
        with kept_for_good():
            from engine.stage.stage import Stage

            self._stage = Stage(lambda message, target: line.send(target, message))
        self._goes_first = True

    def on_message(self, sender: str, message: Message) -> None:
        """A question, weights, news."""
        # Only now: a stage that starts up has somebody waiting for it.
        if self._goes_first and isinstance(message, Weights) and message.evaluate:
            self._goes_first = False
            step_back(NICER)
        self._stage.on_message(message, sender)

    def cycle(self) -> float:
        """Some milliseconds of everything that is due."""
        return self._stage.tick()

    def close(self) -> None:
        """End what is under way."""
        self._stage.close()


if __name__ == "__main__":
    sys.exit(main("stage", StageWork, dies_with_parent=True))
