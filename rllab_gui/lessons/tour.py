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
LONGEST = 200
ACTIONS = ("command", "workspace")
COMMANDS = frozenset(
    {
        *("train.start", "train.pause", "train.resume", "train.stop"),
        *("transport.play", "transport.stepBack", "transport.stepFwd"),
        *("transport.first", "transport.last", "transport.nextMark"),
        *("transport.prevMark", "transport.prevEpisode", "transport.nextEpisode"),
        *("transport.prevCheckpoint", "transport.nextCheckpoint", "transport.follow"),
        *("workspace.train", "workspace.step", "view.theme", "view.freeze"),
        *("view.larger", "view.smaller", "view.normal", "play.predict"),
        *("predict.reveal", "saliency.overlay", "branch.leave", "branch.ghost"),
        *("explain.showMap", "explain.priorities", "help.lesson", "help.shortcuts"),
    }
)
"""All that a tour may run: besides beginning and ending a run it only looks."""
WAITS = ("", "running", "paused", "ended", "session", "episode", "branch", "step")


Short = Annotated[str, msgspec.Meta(max_length=LONGEST)]


class TourProblem(ValueError):
    """A tour that cannot be read; the sentence names the file and says why."""


class TourStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stop.

    Attributes:
      objectName: Name of the widget that is marked; empty for none.
      text: What is said; ``{transport.mark}`` is the key of that command.
      action: What *Next* does: ``command train.start`` (one of ``COMMANDS``) or
        ``workspace step``; empty for nothing.
      wait: What has to hold before it goes on: ``running``, ``paused``, ``ended``,
        ``session`` (one is open), ``episode`` (one is shown), ``branch``, or
        ``step 2000`` (so many steps are trained); empty for nothing.
    """

    objectName: Short = ""
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)] = ""
    action: Short = ""
    wait: Short = ""


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
        tour = msgspec.convert(json.loads(_content(path)), Tour)
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, TourProblem):
            raise
        raise TourProblem(f"'{path.name}' is not a tour: {error}.") from error
    for number, step in enumerate(tour.steps, 1):
        _check(path.name, number, step)
    return tour


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise TourProblem(f"'{path.name}' is not a tour: it is no file.")
    with path.open("rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if len(content) > LARGEST_BYTES:
        raise TourProblem(f"'{path.name}' is too large to be a tour.")
    return content


def _check(name: str, number: int, step: TourStep) -> None:
    where = f"Step {number} of the tour '{name}'"
    if not step.text:
        raise TourProblem(f"{where} says nothing: it needs a text.")
    verb, _, what = step.action.partition(" ")
    if step.action and verb not in ACTIONS:
        raise TourProblem(
            f"{where} has the action '{step.action}'. There are {', '.join(ACTIONS)}."
        )
    if verb == "command" and what not in COMMANDS:
        raise TourProblem(
            f"{where} runs '{what}', which may not be run by a tour. It may run "
            f"{', '.join(sorted(COMMANDS))}."
        )
    wait, _, count = step.wait.partition(" ")
    fits = count.isdecimal() and len(count) < 13 if wait == "step" else not count
    if wait not in WAITS or not fits:
        known = ", ".join(it for it in WAITS if it and it != "step")
        raise TourProblem(
            f"{where} waits for '{step.wait}'. It may wait for {known}, or for so many "
            "steps, as in 'step 2000'."
        )
