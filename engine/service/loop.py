"""What the trainer's process needs of ``engine.training.TrainingLoop``."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from engine.contract.account import Spent
from engine.contract.arrays import State
from engine.contract.messages import MemoryReport, PriorityReport, TrainerStatus
from engine.contract.options import Configuration


class Loop(Protocol):
    """A run, as whoever advances it sees it."""

    @property
    def configuration(self) -> Configuration:
        """All options as they are now."""

    @property
    def step(self) -> int:
        """Environment steps so far."""

    @property
    def update(self) -> int:
        """Gradient steps so far."""

    @property
    def episode(self) -> int:
        """Finished episodes so far."""

    @property
    def finished(self) -> bool:
        """Whether the budget is used up."""

    @property
    def compiled(self) -> bool:
        """Whether updates are made by their compiled form."""

    def is_ready(self) -> bool:
        """Whether a step could be made at once."""

    def advance(
        self,
        steps: int | None = None,
        seconds: float | None = None,
        until_episode_end: bool = False,
    ) -> None:
        """Train until one of the bounds."""

    def drain(self) -> Any:
        """What has happened since the last call."""

    def status(self) -> TrainerStatus:
        """Where the run is."""

    def weights(self) -> dict[str, np.ndarray]:
        """Copies of the networks."""

    def state(self) -> State:
        """Everything to go on exactly."""

    def set_option(self, key: str, value: Any) -> None:
        """Change a live option."""

    def priorities(self) -> PriorityReport:
        """What the replay memory holds."""

    def spent(self) -> tuple[Spent, Spent | None]:
        """Time of acting, and of learning where it has a thread of its own."""

    def notes(self) -> list[str]:
        """Sentences on how it computes."""

    def memory(self) -> MemoryReport:
        """What its parts take."""
