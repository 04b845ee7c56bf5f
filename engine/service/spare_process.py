"""A process that has imported everything and becomes trainer or stage when one dies.

Run as ``python -m engine.service.spare_process CONNECTION_FILE IDENTITY``. It makes
the difference between a restart in some tens of milliseconds and one that waits for
torch.
"""

from __future__ import annotations

import os
import sys

from engine.contract.messages import Message, ProcessState
from engine.service.cores import stay_off
from engine.service.stage_process import StageWork
from engine.service.trainer_process import Trainer
from engine.service.transport import SUPERVISOR, Line
from engine.service.worker import Begin, Work, main

IDLE_S = 1.0


class Spare:
    """Waits until it is told what it is."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._roles: dict[str, Begin] = {"trainer": Trainer, "stage": StageWork}
        Trainer(line)  # imports and warms up what both need
        self._work: Work | None = None

    def cycle(self) -> float:
        """As the role that it has."""
        return self._work.cycle() if self._work else IDLE_S

    def close(self) -> None:
        """As the role that it has."""
        if self._work:
            self._work.close()

    def on_message(self, sender: str, message: Message) -> None:
        """The first word says the role; what follows is for it."""
        if self._work:
            self._work.on_message(sender, message)
        elif isinstance(message, ProcessState) and message.role in self._roles:
            if message.role == "trainer":
                stay_off(())  # the core that it kept off is its own now
            self._work = self._roles[message.role](self._line)
            ready = ProcessState(message.role, "ready", os.getpid())
            self._line.send(SUPERVISOR, ready)


if __name__ == "__main__":
    sys.exit(main("spare", Spare, dies_with_parent=True))
