"""What the options of a run were at each of its steps: live ones change meanwhile."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from engine.contract.options.configuration import (
    Configuration,
    ConfigurationError,
    OptionSpec,
    specs,
)

KIND = "option"
"""Of the events that say that an option has changed."""
JUDGING = ("agent.", "head.", "target_network.")
"""What options begin with that say what a value means, or how it is learned."""
REMEMBERED = 64
"""Moments whose configuration is kept; another one is put together again."""


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
        self._told: set[tuple[int, float, str]] = set()
        self._known: dict[int, Configuration] = {0: configuration}
        for event in events:
            self.note(event)

    def note(self, event: Happened) -> None:
        """Take note of a change, wherever it belongs in time.

        Other events are left out, and what no run can change while it goes on: those
        of a file may be anybody's.
        """
        if event.kind != KIND or not {"key", "new"} <= event.data.keys():
            return
        key, value = str(event.data["key"]), event.data["new"]
        told = event.step, event.wall_time, key
        if told in self._told or not _can_be(specs().get(key), value):
            return  # two tell of it: who ran and who wrote
        self._told.add(told)
        at = bisect.bisect_right(self._moments, told[:2])
        self._moments.insert(at, told[:2])
        self._changes.insert(at, (key, value))
        self._forget(at)

    def cut(self, step: int) -> None:
        """The run is back at this step; what was changed later is changed again."""
        at = bisect.bisect_right(self._moments, (step, math.inf))
        self._told = {it for it in self._told if it[0] <= step}
        del self._moments[at:], self._changes[at:]
        self._forget(at)

    def count(self, step: int | None = None) -> int:
        """How many changes there were before this step was made; without: by now."""
        if step is None:
            return len(self._moments)
        return bisect.bisect_left(self._moments, (step, -math.inf))

    def switches(self, step: int, later: int) -> list[int]:
        """After which steps these two came to have other :data:`JUDGING` options."""
        low = bisect.bisect_left(self._moments, (step, -math.inf))
        high = bisect.bisect_left(self._moments, (later, -math.inf))
        changed = zip(self._moments[low:high], self._changes[low:high], strict=True)
        found = {at for (at, _), (key, _) in changed if key.startswith(JUDGING)}
        return sorted(found)

    def mostly(self, first: int, last: int) -> int:
        """Of the steps after ``first`` up to ``last``: one with the options of most.

        It is the last one of those; where nothing was switched meanwhile, ``last``.
        Of two that are as many, the later.
        """
        ends = [*self.switches(first + 1, last), last]
        begins = [first, *ends[:-1]]
        return max(zip(begins, ends, strict=True), key=lambda it: (it[1] - it[0], it))[
            1
        ]

    def at(self, step: int | None = None) -> Configuration:
        """The options with which this training step was made; without: those of now.

        What was changed when so many steps had been made counts from the next one on.
        """
        count = self.count(step)
        found = self._known.get(count)
        if found is None:
            found = self._put_together(dict(self._changes[:count]))
            if len(self._known) >= REMEMBERED:
                self._known = {0: self._start}
            self._known[count] = found
        return found

    def _put_together(self, changes: dict[str, Any]) -> Configuration:
        try:
            return self._start.with_options(changes)
        except ConfigurationError as refused:
            kept = {k: it for k, it in changes.items() if k not in refused.complaints}
            return self._start if kept == changes else self._put_together(kept)

    def _forget(self, count: int) -> None:
        """More changes than so many are other ones now."""
        self._known = {it: known for it, known in self._known.items() if it <= count}


def _can_be(option: OptionSpec | None, value: Any) -> bool:
    """Whether a run can have this value from some step on."""
    if option is None or option.applies != "live":
        return False
    if option.choices:
        return value in option.choices
    if isinstance(value, bool) or option.kind == "bool":
        return isinstance(value, bool) and option.kind == "bool"
    if not isinstance(value, (int, float)):
        return False
    low = -math.inf if option.minimum is None else option.minimum
    high = math.inf if option.maximum is None else option.maximum
    return low <= value <= high
