"""How many updates are due after so many steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from engine.agents import Reported
from engine.contract.account import UNWATCHED, Watch
from engine.contract.options import Configuration


class Learning(Protocol):
    """An agent, or several that learn together."""

    @property
    def configuration(self) -> Configuration:
        """All options as they are now."""

    def learn(self, step: int, watch: Watch) -> Reported | None:
        """One gradient step, or None where there is nothing to learn."""


class DueUpdates:
    """Knows how many updates are due; fractions are carried over."""

    def __init__(self, agent: Learning) -> None:
        self._agent = agent
        self.credit = 0.0

    def grant(self, step: int) -> None:
        """Another step of each environment has been taken."""
        of = self._agent.configuration
        if step > of.agent.learning_starts:
            self.credit += of.agent.updates_per_step * of.training.environments

    def update(self, step: int, watch: Watch = UNWATCHED) -> Reported | None:
        """One that is due, if there is anything to learn from.

        Raises:
          NotFinite: If it cannot be.
        """
        if self.credit < 1:
            return None
        update = self._agent.learn(step, watch)
        self.credit = 0.0 if update is None else self.credit - 1
        return update

    def updates(self, step: int, watch: Watch = UNWATCHED) -> Iterator[Reported]:
        """All that are due; see :meth:`update`."""
        while (update := self.update(step, watch)) is not None:
            yield update
