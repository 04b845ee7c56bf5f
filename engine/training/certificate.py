"""A proof that saving and reloading changes nothing: one stretch, trained twice.

Once straight on; once cut in the middle of an episode, written to a session file, read
back in a new loop, and gone on. Then every part of both states is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from engine.contract.arrays import State, flatten, state_hash
from engine.training.loop import NOT_EXACT, TrainingLoop
from engine.training.stepping import FORM

MOST_STEPS = 50_000
"""Of the stretch; slower learners are compared after fewer updates."""

PARTS = {
    "agent/online": "weights of the online network",
    "agent/target": "weights of the target network",
    "agent/copy": "the copy of the network that acts",
    "agent/optimizer": "moments of the optimizer",
    "agent/trust": "scale of the trust region",
    "agent/planning": "model and queue of planning",
    "agent/memory/priorities": "priorities of the replay memory",
    "agent/memory/generator": "random numbers of sampling",
    "agent/memory": "order of the replay memory",
    "contents": "contents of the replay memory",
    "seeds": "agents and environments of the other seeds",
    "agent/actor": "random numbers and counts of exploration",
    "agent/noise": "random numbers of noisy weights",
    "environments": "running episodes of the environments",
    "configuration": "options; the schedules follow from them and the clocks",
}
"""Beginnings of the paths in a state, the longer ones first where two fit."""
CLOCKS = "clocks and all the rest"
NOT_COMPILED = (
    "Resuming is not exact here: the run has compiled updates, which cannot be made on "
    "this computer, and updates as written differ in their last digits."
)
ON_A_GPU = (
    "On a GPU, sums of many numbers are taken in an order that differs from run to "
    "run, and so does their last digit; on the CPU they are not."
)


class Saved(NamedTuple):
    """A state, and all rows of the replay log up to it."""

    state: State
    replay: Mapping[str, np.ndarray]


class Part(NamedTuple):
    """One part of the state, hashed (SHA-256) after each of the two ways."""

    name: str
    straight: str
    reloaded: str

    @property
    def equal(self) -> bool:
        """Whether not one bit differs."""
        return self.straight == self.reloaded


@dataclass(frozen=True, slots=True)
class Certificate:
    """What came of it.

    Attributes:
      first, cut, last: Environment steps at which the stretch begins, is cut, ends.
      updates: Gradient steps between first and last.
      episode_steps: Steps into its episode at which the first environment was cut.
      device: On which it was tried.
      mode: How acting and learning took turns, as ``training.mode``.
      same_form: Whether updates ran in the form that the run had, compiled or not.
    """

    first: int
    cut: int
    last: int
    updates: int
    episode_steps: int
    device: str
    mode: str
    parts: list[Part]
    same_form: bool = True

    @property
    def exact(self) -> bool:
        """Whether all parts are equal to the bit."""
        return self.same_form and all(it.equal for it in self.parts)

    def sentence(self) -> str:
        """What is exact, what is not, and why."""
        if self.exact:
            return (
                f"Resuming is exact to the bit: after {self.updates:,} updates all "
                f"{len(self.parts)} parts are equal."
            )
        if not self.same_form:
            return NOT_COMPILED
        unequal = [it.name for it in self.parts if not it.equal]
        return (
            f"Resuming is not exact: {', '.join(unequal)} differ after "
            f"{self.updates:,} updates. {self._reason()}"
        )

    def _reason(self) -> str:
        if self.mode == "asynchronous":
            return NOT_EXACT
        if self.device != "cpu":
            return ON_A_GPU
        return "This should not be: please report it with the session file."

    def facts(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "exact": self.exact,
            "sentence": self.sentence(),
            "first": self.first,
            "cut": self.cut,
            "last": self.last,
            "updates": self.updates,
            "episode_steps": self.episode_steps,
            "device": self.device,
            "parts": [it._asdict() | {"equal": it.equal} for it in self.parts],
        }


def certify(
    make: Callable[[], TrainingLoop],
    begin: Saved | None,
    through_a_file: Callable[[TrainingLoop], Saved],
    updates: int,
) -> Certificate:
    """Train a stretch straight and through a file; compare what comes of it.

    Args:
      make: A new loop of this run.
      begin: Where the stretch begins; None for the very beginning.
      through_a_file: Writes a loop down as a session does, and reads it back.
      updates: Gradient steps of the stretch; at most 50,000 environment steps.

    Raises:
      TrainingProblem: If the run cannot go on, or an environment does not repeat
        itself.
    """
    straight = _with_room(_begun(make, begin))
    first, before = straight.step, straight.update
    cut = _run(straight, before + (updates + 1) // 2, last=False)
    middle = straight.step
    _run(straight, before + updates, last=True)
    made, last = straight.update - before, straight.step
    loop = _with_room(_begun(make, begin))
    loop.advance(steps=middle - first)
    saved = through_a_file(loop)
    loop.close()
    reloaded = _begun(make, saved)
    reloaded.advance(steps=last - middle)
    parts = list(_compare(_parts(straight), _parts(reloaded)))
    mode = straight.configuration.training.mode
    was_compiled = begin is not None and bool(begin.state.get("compiled"))
    same_form = straight.compiled or not was_compiled
    for it in (straight, reloaded):
        it.close()
    of = straight.device, mode, parts, same_form
    return Certificate(first, middle, last, made, cut, *of)


def _begun(make: Callable[[], TrainingLoop], saved: Saved | None) -> TrainingLoop:
    loop = make()
    if saved is not None:
        loop.restore(saved.state, saved.replay)
    return loop


def _with_room(loop: TrainingLoop) -> TrainingLoop:
    """Enough of a step budget for the stretch, also where the run has ended."""
    budget = loop.step + MOST_STEPS
    if loop.configuration.training.steps < budget:
        loop.set_option("training.steps", budget)
    return loop


def _run(loop: TrainingLoop, update: int, *, last: bool) -> int:
    """Train up to an update; unless it is the last, on into an episode.

    Returns:
      Steps of the first environment since its episode began.
    """
    most = loop.configuration.training.steps - (0 if last else 2)
    while loop.update < update and loop.step < most:
        loop.advance(steps=1)
    lane = loop.state()["environments"]["0"]
    if not last and not len(lane["actions"]):
        loop.advance(steps=1)
        lane = loop.state()["environments"]["0"]
    return len(lane["actions"])


def _parts(loop: TrainingLoop) -> dict[str, str]:
    """The hash of each part that this loop has."""
    found: dict[str, State] = {}
    state = loop.state() | {"contents": loop.seeds.contents()}
    for path, leaf in flatten(state):
        if path.rpartition("/")[2] == FORM:
            continue  # each form gives the same numbers, and the clock chooses
        found.setdefault(_part_of(path), {})[path.replace("/", ".")] = leaf
    names = [*dict.fromkeys(PARTS.values()), CLOCKS]
    return {name: state_hash(found[name]) for name in names if name in found}


def _part_of(path: str) -> str:
    for beginning, name in PARTS.items():
        if path == beginning or path.startswith(f"{beginning}/"):
            return name
    return CLOCKS


def _compare(straight: dict[str, str], reloaded: dict[str, str]) -> Iterator[Part]:
    for name in straight | reloaded:
        yield Part(name, straight.get(name, ""), reloaded.get(name, ""))
