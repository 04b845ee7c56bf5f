"""Which form the updates of a run have: as written, compiled, or captured by a GPU.

Training begins as written. Where much of the run is left, another process compiles the
update meanwhile and compares both forms; between two updates the run goes over to the
compiled one, and an event says from which update on. On a GPU updates are captured
before the first of them, as that takes no time to speak of. A state remembers in which
form its run was: who goes on from it waits for that form.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from engine.agents import ValueBasedAgent
from engine.agents.compiled import fingerprint, why_not
from engine.agents.reports import CannotCompile
from engine.contract.account import COMPILED
from engine.contract.capturing import why_not_captured
from engine.training.compiler import (
    Compiler,
    Known,
    Libraries,
    begin_use,
    end_trial,
    look_up,
)

TRY_AFTER_S = 5.0
"""Training for so long is no short run."""
WORTH_S = 120.0
"""With less left than this it would gain less than compiling takes, some 20 seconds."""
BUSIEST = 1.5
"""So many processes may want each processor, the run's own among them."""
LOOK_EVERY_S = 0.25
GAIN = 1.05
"""A form that is not at least so many times as fast is left alone."""

Note = Callable[[str, str, dict[str, Any]], None]


class Tier:
    """Watches over the form of the updates of one agent.

    Args:
      agent: Whose updates.
      device: What it learns on.
      libraries: Compiled updates; None where there are to be none. A GPU captures
        its updates with or without.
      note: Takes the kind, the text and the data of an event.
      clock: Seconds.
    """

    def __init__(
        self,
        agent: ValueBasedAgent,
        device: str,
        libraries: Libraries | None,
        note: Note,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._agent, self._libraries = agent, libraries
        self._captures = device != "cpu"
        self._note, self._clock = note, clock
        self._compiler: Compiler | None = None
        self._wanted: Path | None = None
        self._why_not = ""
        self._given_up = ""
        self._began: float | None = None
        self._looked = -LOOK_EVERY_S
        # A captured graph needs no folder.
        self._unasked = self._captures if libraries is None else libraries.unasked
        self._waits = self._unasked and self._option == "first"
        self._told = self._told_waiting = False

    @property
    def _option(self) -> str:
        return self._agent.configuration.training.compile

    @property
    def compiled(self) -> bool:
        """Whether updates are made by a library, or a captured graph, now."""
        agent = self._agent
        return agent.learner.compiled is not None or agent.captured is not None

    @property
    def how(self) -> str:
        """What updates do now, in a sentence."""
        if self._agent.captured is not None:
            return "Updates are captured: one launch on the GPU each."
        return COMPILED if self.compiled else "Updates run as written."

    @property
    def form(self) -> bool:
        """Whether updates are compiled, or will be before the next one."""
        return self.compiled or self._waits

    def need(self) -> None:
        """The run was in the compiled form: no step before it is again."""
        self._waits = self._option != "never"

    def look(self, seconds_left: Callable[[], float]) -> None:
        """Between two updates: start compiling, or go over to what is ready.

        Args:
          seconds_left: Says how long the run will still take.
        """
        now = self._clock()
        if now - self._looked < LOOK_EVERY_S:
            return
        self._looked = now
        if self._began is None:
            self._began = now
        if self._option == "never":
            self._stay()
        if self._told and not self.compiled:
            self._told = False
            self._note("state", f"{_from(self._agent)} updates run as written.", {})
        if self._option == "never" or not self._unasked or self.compiled:
            return
        if not self._is_hopeless():
            young = now - self._began < TRY_AFTER_S
            self._pursue(0.0 if young else seconds_left())

    def may_train(self, deadline: float) -> bool:
        """Whether the next step may be made; waits for it until ``deadline``."""
        while self._waits and not self.compiled:
            if self._is_hopeless():
                self._waits = False
                self._note("state", f"{self._given_up} {_NOT_EXACT}", {})
                break
            self._pursue(0.0)
            if self.compiled or self._given_up:
                continue
            if not self._told_waiting:
                self._told_waiting = True
                self._note("state", "Waiting for the compiled form of updates.", {})
            if self._clock() >= deadline:
                return False
            if self._compiler is not None:
                self._compiler.wait(min(deadline - self._clock(), LOOK_EVERY_S))
        self._waits = False
        return True

    def close(self) -> None:
        """End a compiler that is at work."""
        compiler, self._compiler = self._compiler, None
        if compiler is not None:
            compiler.close()

    def _stay(self) -> None:
        """As written, from now on."""
        self.close()
        self._waits = False
        self._agent.learner.compiled = None
        self._agent.settle(release=True)

    def _is_hopeless(self) -> bool:
        """Whether it cannot be compiled as the options are now."""
        if self._libraries is None and not self._captures:
            self._given_up = _NO_FOLDER
            return True
        how = why_not_captured if self._captures else why_not
        wanted, why = self._place(), how(self._agent.configuration)
        if (wanted, why) != (self._wanted, self._why_not):
            self.close()
            self._wanted, self._why_not = wanted, why
            self._given_up = why
            asked = self._captures or self._option == "first"
            if self._given_up and not self._waits and asked:
                self._note("state", f"Updates run as written: {self._given_up}", {})
        return bool(self._given_up)

    def _place(self) -> Path:
        """Of the library for the options as they are; a graph is no file."""
        if self._captures or self._libraries is None:
            return Path(fingerprint(self._agent.configuration, self._agent.card))
        return self._libraries.place(self._agent)

    def _pursue(self, seconds_left: float) -> None:
        """Use the library that is there, or see to it that it will be."""
        assert self._wanted is not None
        try:
            if self._captures:
                self._capture()
            else:
                self._go_on(self._wanted, seconds_left)
        except (OSError, CannotCompile) as error:
            # Nothing about a form of updates is worth ending a run for.
            self._give_up(f"The compiled form cannot be used: {error}.")

    def _go_on(self, wanted: Path, seconds_left: float) -> None:
        if self._compiler is not None:
            if self._compiler.running:
                return
            found: Known | None = self._compiler.answer()
            self._compiler = None
        else:
            found = look_up(wanted)
        if found is not None:
            self._use(wanted, found)
        elif self._waits or (seconds_left >= WORTH_S and _has_room()):
            self._compiler = Compiler(self._agent, wanted)

    def _capture(self) -> None:
        """Let the GPU make the updates."""
        self._agent.capture()
        self._told = True
        text = (
            f"{_from(self._agent)} updates are captured: each is one launch on the "
            "GPU, which draws its batch there too."
        )
        data = {"captured_from": self._agent.updates + 1}
        self._note("state", text, data)

    def _use(self, wanted: Path, found: Known) -> None:
        """Go over to the library, if it is of use."""
        problem = found.problem
        if not problem and found.eager_s < GAIN * found.compiled_s:
            problem = f"Compiled it is no faster ({_pair(found)})."
        if problem:
            self._give_up(problem)
            return
        begin_use(wanted)
        self._agent.compile(wanted, lambda: end_trial(wanted))
        self._told = True
        text = (
            f"{_from(self._agent)} updates are compiled: {_pair(found)}; the results "
            f"of both differ by {found.difference:.0e} at most."
        )
        data = {"compiled_from": self._agent.updates + 1} | msgspec.to_builtins(found)
        self._note("state", text, data)

    def _give_up(self, problem: str) -> None:
        self._given_up = problem
        if not self._waits:
            self._note("state", f"Updates run as written: {problem}", {})


def _has_room() -> bool:
    """Whether the processors are not fought for already."""
    if not hasattr(os, "getloadavg"):
        return True
    return os.getloadavg()[0] <= BUSIEST * (os.cpu_count() or 1)


def _from(agent: ValueBasedAgent) -> str:
    return f"From update {agent.updates + 1:,} on"


def _pair(found: Known) -> str:
    compiled, eager = 1e6 * found.compiled_s, 1e6 * found.eager_s
    return f"{compiled:,.0f} µs in the place of {eager:,.0f} µs"


_NOT_EXACT = (
    "This run had compiled updates, or was to have them from its first: it goes on "
    "with the same algorithm, but not to the bit."
)
_NO_FOLDER = "Nothing is compiled here."
