"""What the options of a run were at each of its steps: live ones change meanwhile."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from engine.contract.options.configuration import Configuration, ConfigurationError

KIND = "option"
"""Of the events that say that an option has changed."""


class Happened(Protocol):
    """What an :class:`engine.contract.messages.Event` says."""

    @property
    def kind(self) -> str:
        """Only those of :data:`KIND` count here."""

    @property
    def step(self) -> int:
        """After so many steps; the next one has the new value."""

    @property
    def wall_time(self) -> float:
        """Which of several after the same step came first."""

    @property
    def data(self) -> Mapping[str, Any]:
        """``key`` and ``new`` of the option."""


class OptionHistory:
    """The options at the start of a run, and every change since."""

    def __init__(
        self, configuration: Configuration, events: Iterable[Happened] = ()
    ) -> None:
        self._start = configuration
        self._moments: list[tuple[int, float]] = []
        self._changes: list[tuple[str, Any]] = []
        self._known: list[Configuration] = [configuration]
        for event in events:
            self.note(event)

    def note(self, event: Happened) -> None:
        """Take note of a change, wherever it belongs in time; others are left out."""
        if event.kind != KIND or not {"key", "new"} <= event.data.keys():
            return
        moment = event.step, event.wall_time
        change = str(event.data["key"]), event.data["new"]
        first = bisect.bisect_left(self._moments, moment)
        at = bisect.bisect_right(self._moments, moment)
        if change in self._changes[first:at]:  # two tell of it: who ran and who wrote
            return
        self._moments.insert(at, moment)
        self._changes.insert(at, change)
        del self._known[at + 1 :]

    def cut(self, step: int) -> None:
        """The run is back at this step; what was changed later is changed again."""
        at = self.count(step)
        del self._moments[at:], self._changes[at:], self._known[at + 1 :]

    def at(self, step: int | None = None) -> Configuration:
        """The options in force once so many steps are made; without: the newest.

        A change that this version of the lab refuses is left out: events of a file
        may be anybody's.
        """
        count = self.count(step)
        while len(self._known) <= count:
            before = self._known[-1]
            key, value = self._changes[len(self._known) - 1]
            self._known.append(_changed(before, key, value))
        return self._known[count]

    def count(self, step: int | None = None) -> int:
        """How many changes there were by then."""
        if step is None:
            return len(self._moments)
        return bisect.bisect_right(self._moments, (step, math.inf))


def _changed(before: Configuration, key: str, value: Any) -> Configuration:
    try:
        changed = before.with_options({key: value})
    except ConfigurationError:
        return before
    return before if changed == before else changed
