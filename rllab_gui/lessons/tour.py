"""A tour through the window: places, words and deeds, which anybody can write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import msgspec

from engine.contract.catalogue import RESOURCES

FIRST_STEPS = RESOURCES / "tours" / "first-steps.json"
"""The tour that comes with the lab."""
LARGEST_BYTES = 1 << 20
MOST_STEPS = 200
ACTIONS = ("click", "command", "workspace")
GROUPS = (
    *("train", "transport", "view", "workspace", "play", "predict", "branch"),
    *("saliency", "returns", "explain", "replay", "head", "network"),
)
"""Whose commands a tour may run: none that writes a file or ends anything for good."""
WAITS = ("", "running", "paused", "ended", "session", "episode", "branch", "step")


class TourProblem(ValueError):
    """A tour that cannot be read; the sentence names the file and says why."""


class TourStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stop.

    Attributes:
      objectName: Name of the widget that is marked; empty for none.
      text: What is said.
      action: What *Next* does: ``click`` (the button that is marked),
        ``command train.start``, ``workspace step``; empty for nothing.
      wait: What has to hold before it goes on: ``running``, ``paused``, ``ended``,
        ``session`` (one is open), ``episode`` (one is shown), ``branch``, or
        ``step 2000`` (so many steps are trained); empty for nothing.
    """

    objectName: str = ""
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)] = ""
    action: str = ""
    wait: str = ""


class Tour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A title, and the stops in their order."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    steps: Annotated[list[TourStep], msgspec.Meta(min_length=1, max_length=MOST_STEPS)]


def read_tour(path: Path) -> Tour:
    """The tour in a JSON file: ``{"title": ..., "steps": [...]}``.

    Raises:
      TourProblem: If it cannot be read, or a step asks for what there is not.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise TourProblem(f"'{path.name}' is too large to be a tour.")
        tour = msgspec.convert(json.loads(path.read_text(encoding="utf-8")), Tour)
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, TourProblem):
            raise
        raise TourProblem(f"'{path.name}' is not a tour: {error}.") from error
    for number, step in enumerate(tour.steps, 1):
        _check(path.name, number, step)
    return tour


def _check(name: str, number: int, step: TourStep) -> None:
    where = f"Step {number} of the tour '{name}'"
    if not step.text:
        raise TourProblem(f"{where} says nothing: it needs a text.")
    verb, _, object_ = step.action.partition(" ")
    if step.action and verb not in ACTIONS:
        raise TourProblem(
            f"{where} has the action '{step.action}'. There are {', '.join(ACTIONS)}."
        )
    if verb == "click" and not step.objectName:
        raise TourProblem(f"{where} clicks on nothing: it needs an objectName.")
    if verb in ACTIONS[1:] and not object_:
        raise TourProblem(f"{where} does not say what to {verb}.")
    if verb == "command" and object_.partition(".")[0] not in GROUPS:
        raise TourProblem(
            f"{where} runs '{object_}', which may not be run by a tour. It may run "
            f"commands of {', '.join(GROUPS)}."
        )
    wait, _, count = step.wait.partition(" ")
    if wait not in WAITS or (wait == "step") != count.isdecimal():
        known = ", ".join(it for it in WAITS if it)
        raise TourProblem(
            f"{where} waits for '{step.wait}'. There are {known} with a number."
        )
