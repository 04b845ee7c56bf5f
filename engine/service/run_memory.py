"""What a client remembers of the run, for the day on which its engine is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from engine.contract.messages import (
    CloseSession,
    Message,
    OpenSession,
    Pause,
    Problem,
    Resume,
    ResumeTraining,
    RunState,
    SessionStatus,
    SetOption,
    Shutdown,
    StartTraining,
    Stop,
    TrainerStatus,
)
from engine.contract.options import (
    ConfigurationError,
    configuration_from_json,
    specs,
)

_WISHES: dict[type[Message], RunState] = {
    Pause: "paused",
    Resume: "running",
    Stop: "stopping",
    CloseSession: "stopping",
}

REFUSALS = frozenset(
    {"engine.option", "engine.command.SetOption", "engine.configuration"}
)
"""What says that an option was not taken."""

_UNDER_WAY: frozenset[RunState] = frozenset(
    {"running", "pausing", "paused", "stopping"}
)


class RunMemory:
    """The newest word about the run, and what was wished of it after that.

    An engine that hangs hears of no wish: so a wish counts until its next word.
    """

    def __init__(self) -> None:
        self._session = SessionStatus()
        self._state: RunState = "running"
        self._step = 0
        self._wished: dict[str, str] = {}
        self._closed = False

    def sent(self, message: Message) -> None:
        """Take note of what the engine is told to do."""
        if isinstance(message, Shutdown):
            # It stops the run by itself now, which nobody wished.
            self._closed = True
        elif isinstance(message, (StartTraining, ResumeTraining)):
            self._state = "paused" if message.paused else "running"
            self._wished = {}
        elif isinstance(message, SetOption):
            self._wished[message.key] = message.value
        else:
            self._state = _WISHES.get(type(message), self._state)

    def heard(self, message: Message) -> None:
        """Take note of what the engine says."""
        if self._closed:
            return
        if isinstance(message, SessionStatus):
            if message.uuid != self._session.uuid:
                self._wished = {}
            self._session = message
            self._drop(_options(message.options))
        elif isinstance(message, Problem) and message.id in REFUSALS:
            self._wished = {}
        elif isinstance(message, TrainerStatus):
            self._step = message.step
            self._take_state(message)

    def _drop(self, known: Mapping[str, str]) -> None:
        """What the engine has heard of is no wish any more."""
        wished = self._wished.items()
        self._wished = {key: it for key, it in wished if known.get(key) != it}

    def _take_state(self, status: TrainerStatus) -> None:
        """One that rests or starts contradicts no wish for the run to come."""
        state = status.state
        by_itself = 0 < status.steps_budget <= status.step
        if state == "stopping" != self._state and by_itself:
            return  # nobody wished it
        if state in _UNDER_WAY:
            self._state = state
        elif state != "starting" and self._state == "stopping":  # it has stopped
            self._state = "running"

    @property
    def goes_on(self) -> bool:
        """A run is under way that nobody has stopped."""
        return self._session.live and self._state != "stopping"

    def going_on(self) -> list[Message]:
        """What a new engine is told, so that the run is as it was; once.

        One that was being stopped goes on only to be stopped, which seals its file.
        """
        self._closed = False
        if not self._session.live:
            return self._looking_back()
        paused = self._state != "running"
        resume = ResumeTraining(
            self._session.path,
            changes={**_options(self._session.options), **self._wished},
            paused=paused,
            reached=self._step,
        )
        return [resume] if self.goes_on else [resume, Stop()]

    def _looking_back(self) -> list[Message]:
        """The file that was looked at is open again, unless it was to be closed."""
        at = self._session
        opened = at.path and not at.unwritten and self._state != "stopping"
        return [OpenSession(at.path)] if opened else []


@lru_cache(maxsize=2)
def _options(text: str) -> Mapping[str, str]:
    """The live options of now, as JSON texts; none where they cannot be read.

    A status comes four times a second, and hardly ever says anything new of them.
    """
    try:
        now = configuration_from_json(text)
    except ConfigurationError:  # none is open, or its engine is of another version
        return MappingProxyType({})
    live = [key for key, it in specs().items() if it.applies == "live"]
    return MappingProxyType({key: json.dumps(now.get(key)) for key in live})
