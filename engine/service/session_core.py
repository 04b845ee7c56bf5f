"""What every part of the session state needs: its fields, its questions, its steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from engine.contract.foreign_call import ForeignCall
from engine.contract.messages import (
    Answer,
    Ask,
    Event,
    Message,
    Problem,
    RunState,
    SaveSession,
    SessionStatus,
    Solved,
    TrainerStatus,
)
from engine.contract.options import (
    Configuration,
    OptionHistory,
    configuration_from_json,
)
from engine.service.states import ACTIVE, FOLLOWS, RESTING

SAVE_EVERY_S = 600.0
STOP_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Send:
    """Hand this message to a role, to ``windows``, or to one client by its name."""

    destination: str
    message: Message


@dataclass(frozen=True, slots=True)
class Kill:
    """End this role's process at once; it hangs."""

    role: str


@dataclass(frozen=True, slots=True)
class Trace:
    """Have this role's process write down where it is, in its log."""

    role: str


Action = Send | Kill | Trace
Actions = list[Action]
Then = Callable[[Answer], Actions]


@dataclass(slots=True)
class _Question:
    """A question of ours that is not answered yet."""

    target: str
    name: str
    then: Then
    final: bool


class SessionCore:
    """State of the one session, and the ways in which it changes.

    Attributes:
      state: As the windows see it.
      status: The newest word about the run, with our state in it.
      opened: What the keeper has open.
      configuration: Of the session, with the live options changed since.
      ready: Roles whose process can be spoken to.
    """

    def __init__(
        self,
        new_path: Callable[[Configuration], str],
        clock: Callable[[], float] = time.monotonic,
        call: Callable[[str], ForeignCall | None] = lambda role: None,
    ) -> None:
        self._new_path, self._clock, self._call = new_path, clock, call
        self.state: RunState = "idle"
        self.status = TrainerStatus("idle")
        self.opened = SessionStatus()
        self._in_live_store = False
        self.configuration: Configuration | None = None
        self.ready: set[str] = set()
        self._save_failed = False
        self._seal_again = False
        self._cuts = 0
        self._numbers = count(1)
        self._questions: dict[int, _Question] = {}
        self._forget()

    def _forget(self) -> None:
        """Nothing is known yet of the run that comes next."""
        self._delivered = False
        self._ends_as: RunState = "idle"
        self._stop_stored = False
        self._stop_by = float("inf")
        self._recovering = False
        self._close_after = False
        self._died_at: int | None = None
        self._engine_died = False
        self._begins_paused = False
        self._until = 0
        self._reached = False
        self._changed: dict[str, str] = {}
        self._saves: list[tuple[str, SaveSession]] = []
        self._save_at = self._clock() + SAVE_EVERY_S
        self._evaluating: set[int] = set()
        self._seal_by: float | None = None
        self._heard_at = self._clock()
        self._stalled = False
        self._stage_call: ForeignCall | None = None
        self._stage_in_it_since = self._clock()
        self._stage_ends = False

    @property
    def resting(self) -> bool:
        """No run is under way and nothing waits to be written."""
        waits = self._seal_by is not None or self._seal_again or self._questions
        return self.state in RESTING and not waits

    def is_open(self) -> bool:
        """Whether some session is open."""
        return bool(self.opened.path)

    def on_answer(self, answer: Answer) -> Actions:
        """The answer to a question of ours."""
        question = self._questions.pop(answer.id, None)
        return question.then(answer) if question else []

    def _enter(self, state: RunState) -> Actions:
        """Change state and say so."""
        if state not in FOLLOWS[self.state]:
            raise AssertionError(f"{self.state} is never followed by {state}")
        self.state = state
        self.status = replace(self.status, state=state)
        self.opened = self._as_it_is(self.opened)
        return [Send("windows", self.status)]

    def _as_it_is(self, opened: SessionStatus) -> SessionStatus:
        """Whether a run writes to it, or has ended and is still to be written.

        A window that greets before the keeper's next word hears this one.
        """
        active = self.state in ACTIVE
        unwritten = self._in_live_store and not active
        return replace(opened, live=bool(opened.path) and active, unwritten=unwritten)

    def _ask(
        self, target: str, name: str, arguments: dict[str, Any], then: Then
    ) -> Actions:
        number = next(self._numbers)
        final = bool(arguments.get("final", False))
        self._questions[number] = _Question(target, name, then, final)
        return [Send(target, Ask(number, name, arguments))]

    def _asked(self, *names: str) -> bool:
        return any(question.name in names for question in self._questions.values())

    def _take_over(self, result: dict[str, Any]) -> None:
        """What the keeper says about the session that it has opened."""
        text = str(result.get("configuration", ""))
        path = str(result.get("path", ""))
        options = str(result.get("options") or text)
        self.configuration = configuration_from_json(options) if options else None
        self._in_live_store = bool(result.get("live"))
        opened = SessionStatus(
            name=Path(path).stem,
            path=path,
            uuid=str(result.get("uuid", "")),
            configuration=text,
            options=options,
            durable_step=int(result.get("step", 0)),
            sealed_at=float(result.get("sealed_at", 0.0)),
            cuts=self._cuts,
        )
        self.opened = self._as_it_is(opened)

    def on_event(self, event: Event) -> None:
        """The trainer has changed a live option: now it is in force."""
        if self.opened.options and event.kind == "option":
            now = configuration_from_json(self.opened.options)
            options = OptionHistory(now, [event]).at().to_json()
            self.opened = replace(self.opened, options=options)

    # ------------------------------------------------------------------ sealing

    def _seal_now(self) -> Actions:
        """Fold the live store of the ended run into its file."""
        self._seal_by = None
        self._evaluating.clear()
        return self._seal("", SaveSession(), final=True)

    def _seal(self, sender: str, save: SaveSession, *, final: bool = False) -> Actions:
        """Write the file; a sentence goes to who asked, or to all, if that fails."""

        def sealed(answer: Answer) -> Actions:
            failed, self._save_failed = self._save_failed, bool(answer.error)
            if answer.error:
                problem = Problem("engine.save", answer.error)
                return [Send(sender or "windows", problem)]
            return [Send("windows", Solved("engine.save"))] if failed else []

        arguments = {"path": save.path, "overwrite": save.overwrite, "final": final}
        return self._ask("keeper", "seal", arguments, sealed)


def but_for_steps(status: SessionStatus) -> SessionStatus:
    """The same without what changes all the time while a run goes on."""
    return replace(status, durable_step=0, durable_s_ago=0.0, options="")
