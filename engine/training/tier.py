"""Which form the updates of a run have: as written, or compiled in the background.

Training begins as written. Where much of the run is left, another process compiles the
update meanwhile and compares both forms; between two updates the run goes over to the
compiled one, and an event says from which update on. A state remembers in which form
its run was: who goes on from it waits for that form.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from engine.agents import ValueBasedAgent
from engine.agents.compiled import ENDING, fingerprint, why_not
from engine.agents.reports import CannotCompile

TRY_AFTER_S = 5.0
"""Training for so long is no short run."""
WORTH_S = 120.0
"""With less left than this it would gain less than compiling takes, some 20 seconds."""
BUSIEST = 1.5
"""So many processes may want each processor, the run's own among them."""
LOOK_EVERY_S = 0.25
COMMAND = [sys.executable, "-m", "engine.agents.compiling"]
GAIN = 1.05
"""A form that is not at least so many times as fast is left alone."""

Note = Callable[[str, str, dict[str, Any]], None]


class Libraries(NamedTuple):
    """Where compiled updates are kept.

    Attributes:
      folder: It may be missing yet.
      unasked: Whether runs go over to compiled updates that were not so before.
    """

    folder: Path
    unasked: bool = True


class Tier:
    """Watches over the form of the updates of one agent.

    Args:
      agent: Whose updates.
      device: What it learns on.
      libraries: Compiled updates; None where there are to be none.
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
        self._agent, self._device, self._libraries = agent, device, libraries
        self._note, self._clock = note, clock
        self._process: subprocess.Popen[str] | None = None
        self._wanted: Path | None = None
        self._given_up = ""
        self._began: float | None = None
        self._looked = -LOOK_EVERY_S
        self._unasked = libraries is not None and libraries.unasked
        self._waits = self._unasked and self._option == "first"

    @property
    def _option(self) -> str:
        return self._agent.configuration.training.compile

    @property
    def compiled(self) -> bool:
        """Whether updates are made by a library now."""
        return self._agent.learner.compiled is not None

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
        elif self._unasked and not self.compiled and not self._is_hopeless():
            self._pursue(seconds_left() if now - self._began >= TRY_AFTER_S else 0.0)

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
            if self._clock() >= deadline:
                return False
            self._wait(min(deadline, self._clock() + LOOK_EVERY_S))
        self._waits = False
        return True

    def close(self) -> None:
        """End a compiler that is at work."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _stay(self) -> None:
        """As written, from now on."""
        self.close()
        if self.compiled:
            self._agent.learner.compiled = None
            self._note("state", f"{_from(self._agent)} updates run as written.", {})

    def _is_hopeless(self) -> bool:
        """Whether it cannot be compiled as the options are now."""
        configuration = self._agent.configuration
        if self._libraries is None:
            self._given_up = _NO_FOLDER
            return True
        library = self._library()
        if library != self._wanted:
            self.close()
            self._wanted = library
            self._given_up = why_not(configuration, self._device)
        return bool(self._given_up)

    def _library(self) -> Path:
        assert self._libraries is not None
        of = fingerprint(self._agent.configuration, self._agent.card)
        return self._libraries.folder / f"{of}{ENDING}"

    def _pursue(self, seconds_left: float) -> None:
        """Use the library that is there, or see to it that it will be."""
        assert self._wanted is not None
        known = self._wanted.with_suffix(".json")
        if self._process is not None:
            if self._process.poll() is not None:
                self._finish(known)
        elif known.exists() and self._wanted.exists():
            self._use(json.loads(known.read_text(encoding="utf-8")))
        elif self._waits or (seconds_left >= WORTH_S and _has_room()):
            self._start(self._wanted)

    def _start(self, library: Path) -> None:
        library.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        order = {
            "configuration": self._agent.configuration.to_json(),
            "card": msgspec.to_builtins(self._agent.card),
            "library": str(library),
        }
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.close()
        self._process.stdin = None

    def _finish(self, known: Path) -> None:
        """The compiler has ended."""
        process, self._process = self._process, None
        assert process is not None
        text = process.communicate()[0]
        if not text.startswith("{"):
            ended = f"The compiler ended with status {process.returncode}."
            text = json.dumps({"problem": ended})
        found = json.loads(text)
        if "problem" not in found:
            known.write_text(text, encoding="utf-8")
        self._use(found)

    def _use(self, found: dict[str, Any]) -> None:
        """Go over to the library, if it is of use."""
        assert self._wanted is not None
        problem = str(found.get("problem", ""))
        if not problem and found["eager_s"] < GAIN * found["compiled_s"]:
            problem = f"Compiled it is no faster ({_pair(found)})."
        if not problem:
            try:
                self._agent.compile(self._wanted)
            except CannotCompile as error:
                problem = str(error)
        if problem:
            self._given_up = problem
            if not self._waits:
                self._note("state", f"Updates run as written: {problem}", {})
            return
        text = (
            f"{_from(self._agent)} updates are compiled: {_pair(found)}; the results "
            f"of both differ by {found['difference']:.0e} at most."
        )
        self._note("state", text, {"compiled_from": self._agent.updates + 1} | found)

    def _wait(self, until: float) -> None:
        process = self._process
        if process is not None:
            try:
                process.wait(max(0.0, until - self._clock()))
            except subprocess.TimeoutExpired:
                return


def _has_room() -> bool:
    """Whether the processors are not fought for already."""
    if not hasattr(os, "getloadavg"):
        return True
    return os.getloadavg()[0] <= BUSIEST * (os.cpu_count() or 1)


def _from(agent: ValueBasedAgent) -> str:
    return f"From update {agent.updates + 1:,} on"


def _pair(found: dict[str, Any]) -> str:
    compiled, eager = (1e6 * found[it] for it in ("compiled_s", "eager_s"))
    return f"{compiled:,.0f} µs in the place of {eager:,.0f} µs"


_NOT_EXACT = (
    "This run had compiled updates when it was saved: it goes on with the same "
    "algorithm, but not to the bit."
)
_NO_FOLDER = "Nothing is compiled here."
