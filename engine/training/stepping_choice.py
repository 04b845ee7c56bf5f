"""How the environments of a run step: decided by measuring it when the run begins.

Each form (one after another, as one vector, in processes) is tried with the same seeds
and actions. One that does not give the same numbers to the bit is not used: which form
a run has makes no difference to it, and a choice by the clock leaves it exact. What is
tried are environments of their own, which the run never sees.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from engine.contract.options import Configuration
from engine.environments import (
    InProcesses,
    LabEnvironment,
    OneByOne,
    SteppingForm,
    Unsuitable,
    Vectorised,
    has_vector,
    one_by_one,
)
from engine.training.stepping_trial import SEED, Trial, attempt, cores, way_s

FORMS = HERE, VECTOR, PROCESSES = "here", "vector", "processes"
MOST_STEPS, MOST_S = 128, 0.15
"""Of a trial; a form that is very slow is known after its first step."""
GAIN = 1.2
"""A form that is not at least so many times as fast as the one before is left."""
CAUTION = 3
"""Environments at work find the caches empty: their way was up to so much longer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How the environments of a run step.

    Attributes:
      form: ``here`` (one after another), ``vector`` or ``processes``.
      text: The same as a sentence, with what was measured; empty where there was
        nothing to choose.
      stepping: What steps; None for the lanes' own environments.
      seconds: By form, what was measured for a step of all environments.
    """

    form: str = HERE
    text: str = ""
    stepping: SteppingForm | None = None
    seconds: dict[str, float] = field(default_factory=dict)


class Chooser:
    """Chooses among the forms for one run: for the environments of all its seeds.

    Args:
      configuration: All options.
      processors: How many there are; found out where nothing is said.
      way: Measures :func:`way_s`.
    """

    def __init__(
        self,
        configuration: Configuration,
        processors: int = 0,
        way: Callable[[int, int, int], float] = way_s,
    ) -> None:
        self._options = configuration.environment
        seeds = configuration.training.seeds
        self._count = configuration.training.environments * seeds
        self._asked = configuration.training.stepping
        self._several_seeds = seeds > 1
        self._render = configuration.recording.level == "everything"
        self._processors = processors or cores()
        self._processes = min(self._count, self._processors)
        self._way = way
        self._actions = np.zeros((0, self._count), np.int64)
        self._asides: list[str] = []

    def choose(self, had: str = "") -> Choice:
        """The form that the option names, or the quickest.

        Args:
          had: The form that this run had before it was interrupted, which it takes
            again, whichever is quickest now; a word that names none counts as empty.
        """
        had = had if had in FORMS else ""
        wanted = had or ("" if self._asked == "auto" else self._asked)
        if wanted == HERE or (not wanted and self._count == 1):
            return Choice()
        try:
            with closing(one_by_one(self._options, self._count)) as own:
                return self._compare(own, wanted)
        except Exception as error:
            # What an environment raises here it raises in the run as well, which
            # tells of it with the step and the seed.
            return Choice(text=f"{self._plain} {type(error).__name__}: {error}.")

    def _compare(self, own: OneByOne, wanted: str) -> Choice:
        world = own.environments[0]
        rng = np.random.default_rng(SEED)
        shape = MOST_STEPS, self._count
        self._actions = rng.integers(world.card.actions, size=shape)
        here = self._try(own)
        if not wanted:
            return self._quickest(here, world)
        try:
            self._tried(wanted, here, world)
            fresh = self._open(wanted, world)
        except Unsuitable as problem:
            return Choice(text=f"{self._plain} {_clause(problem)}.")
        return Choice(wanted, f"{self._steps} {self._how(wanted)}.", fresh)

    def _quickest(self, here: Trial, world: LabEnvironment) -> Choice:
        seconds = {HERE: here.step_s}
        best = HERE
        for form in self._worth_trying(here.step_s, world):
            try:
                seconds[form] = self._tried(form, here, world).step_s
            except Exception as error:
                # An environment may raise anything in another form of it.
                self._asides.append(_clause(error))
                continue
            if GAIN * seconds[form] <= seconds[best]:
                best = form
        fresh = None if best == HERE else self._open(best, world)
        return Choice(best, self._sentence(best, seconds), fresh, seconds)

    def _worth_trying(self, here_s: float, world: LabEnvironment) -> list[str]:
        """Forms that could be quicker; processes are not even started for nothing."""
        forms = [VECTOR] if has_vector(self._options) else []
        if self._processors == 1 or self._several_seeds:
            return forms
        frame_bytes, count = world.reset(SEED).nbytes, self._processes
        way_s = CAUTION * self._way(self._count, count, frame_bytes)
        pays_from_s = GAIN * way_s / (1 - GAIN / count)
        if here_s >= pays_from_s:
            return [*forms, PROCESSES]
        self._asides.append(f"{count} processes would pay from {_time(pays_from_s)} on")
        return forms

    def _tried(self, form: str, here: Trial, world: LabEnvironment) -> Trial:
        """How a form did that gives the same numbers.

        Raises:
          Unsuitable: If it cannot be made, or gives others.
        """
        with closing(self._open(form, world)) as stepping:
            found = self._try(stepping, here.steps)
        # A slow form has come less far.
        if found.trace != here.trace[: len(found.trace)]:
            raise Unsuitable(f"{self._how(form)} they would give other numbers")
        return found

    def _open(self, form: str, world: LabEnvironment) -> SteppingForm:
        parts = self._options, self._count
        if form == VECTOR:
            return Vectorised(*parts, render=self._render)
        return InProcesses(*parts, self._processes, of=world, render=self._render)

    def _try(self, stepping: SteppingForm, most: int = MOST_STEPS) -> Trial:
        """The quicker of two rounds of at most so many steps; one, where it is slow."""
        found = attempt(stepping, self._actions[:most], MOST_S)
        if found.step_s * found.steps < MOST_S:
            again = attempt(stepping, self._actions[: found.steps], np.inf)
            found = min(found, again, key=lambda it: it.step_s)
        return found

    # ------------------------------------------------------------------- words

    @property
    def _steps(self) -> str:
        one = self._count == 1
        return "The environment steps" if one else f"{self._count} environments step"

    @property
    def _plain(self) -> str:
        """The beginning of a sentence that goes on with why."""
        return f"{self._steps} in the trainer's process:"

    def _how(self, form: str) -> str:
        """As, or in, what they step."""
        if form == PROCESSES:
            return f"in {_times(self._processes, 'another process', 'processes')}"
        return "as one vector" if form == VECTOR else "one after another"

    def _sentence(self, best: str, seconds: dict[str, float]) -> str:
        others = [
            f"{_time(it)} {self._how(form)}"
            for form, it in seconds.items()
            if form != best
        ]
        took = f"{_time(seconds[best])} for a step of all"
        told = ", ".join([took, *others])
        return f"{self._steps} {self._how(best)}: {'; '.join([told, *self._asides])}."


def _clause(error: Exception) -> str:
    """What it says, as a part of a sentence."""
    name = "" if isinstance(error, Unsuitable) else f"{type(error).__name__}: "
    return name + str(error).rstrip(".")


def _times(count: int, one: str, many: str) -> str:
    return one if count == 1 else f"{count} {many}"


def _time(seconds: float) -> str:
    return f"{1e6 * seconds:,.0f} µs" if seconds < 1e-3 else f"{1e3 * seconds:,.1f} ms"
