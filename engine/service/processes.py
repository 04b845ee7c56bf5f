"""Which process plays which role: the first ones, their replacements, a spare."""

from __future__ import annotations

from collections.abc import Callable

from engine.contract.messages import ProcessState
from engine.service.children import Child, Children, RestartRule

ROLES = ("keeper", "trainer", "stage")
SPARE = "spare"
TRAINER_WITHIN_S = 1.5
SPARE_AFTER_S = 2.0
"""A run has to last so long before a spare process is prepared beside it."""


class Processes:
    """Starts and replaces the processes of the roles.

    Args:
      children: Who starts them.
      clock: Seconds, monotonic.
      keeps_spare: Have a process ready, while a run goes on, that becomes trainer or
        stage when one dies.
    """

    def __init__(
        self, children: Children, clock: Callable[[], float], *, keeps_spare: bool
    ) -> None:
        self._children, self._clock, self._keeps_spare = children, clock, keeps_spare
        self._rules = {role: RestartRule() for role in (*ROLES, SPARE)}
        self._given_up: set[str] = set()
        self._trainer_by = clock() + TRAINER_WITHIN_S
        self._trainer_started = False
        self._running_since: float | None = None

    def start(self) -> None:
        """The first ones; the trainer follows, see :meth:`keep_up`."""
        for role in ("stage", "keeper"):
            self._children.start(role)

    def start_trainer(self) -> None:
        """Start the trainer now, if it was not yet."""
        if not self._trainer_started:
            self._trainer_started = True
            self._children.start("trainer")

    def keep_up(self, *, running: bool) -> None:
        """Start what is due.

        The trainer comes after the stage, so that there is something to see at once:
        both take most of their first seconds to import, and there may be two cores.
        """
        stage = self._children.of_role("stage")
        if (stage is not None and stage.ready) or self._clock() > self._trainer_by:
            self.start_trainer()
        if not running:
            self._running_since = None
        elif self._running_since is None:
            self._running_since = self._clock()
        elif self._keeps_spare and not self._children.of_role(SPARE):
            long = self._clock() - self._running_since > SPARE_AFTER_S
            if long and self._rules[SPARE].allow(self._clock()):
                self._children.start(SPARE)

    def may_replace(self, role: str) -> bool:
        """Whether it is; one that has died too often is given up. To be asked once."""
        allowed = self._rules[role].allow(self._clock())
        if not allowed:
            self._given_up.add(role)
        return allowed

    def replace(self, role: str) -> tuple[Child, bool]:
        """Another process for this role, and whether it is the spare one."""
        spare = self._children.of_role(SPARE)
        if role in ("trainer", "stage") and spare is not None and spare.ready:
            spare.role, spare.ready = role, False
            return spare, True
        return self._children.start(role), False

    def states(self) -> list[ProcessState]:
        """How each role is."""
        return [self.state(role) for role in ROLES]

    def state(self, role: str) -> ProcessState:
        """How this role is."""
        child = self._children.of_role(role)
        if child is None:
            return ProcessState(role, "gone" if role in self._given_up else "starting")
        return ProcessState(
            role, "ready" if child.ready else "starting", child.process.pid
        )
