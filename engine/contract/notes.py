"""What people leave in a session: bookmarks, ranges to loop over, branches.

All of it is kept in the session under ``notes``, as plain values. Whoever reads it
from a file passes it through :func:`notes_from`, which takes nothing on trust.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

MOST_NOTES = 1_000
"""Of each kind; more are not read from a file."""
MOST_WORDS = 2_000
"""Characters of a note."""

Kind = Literal["training", "evaluation"]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Step = Annotated[int, msgspec.Meta(ge=-1, le=2**53)]
"""A training step, or -1 for none."""
Name = Annotated[str, msgspec.Meta(max_length=100)]
Words = Annotated[str, msgspec.Meta(max_length=MOST_WORDS)]


class Bookmark(msgspec.Struct, frozen=True):
    """A moment somebody wants to find again.

    Attributes:
      id: Names it; letters and digits.
      kind, episode, t: The step of the recorded episode.
      checkpoint: Training step of the weights that judged it; -1 as recorded.
      text: The note, plain text.
    """

    id: Name
    kind: Kind
    episode: Count
    t: Count
    checkpoint: Step = -1
    text: Words = ""


class Place(msgspec.Struct, frozen=True):
    """Where somebody was when they left a session; kept under ``place``.

    Attributes:
      kind, episode, t: The step of the recorded episode.
      checkpoint: Training step of the weights that judged it; -1 as recorded.
    """

    kind: Kind
    episode: Count
    t: Count
    checkpoint: Step = -1


class LoopRange(msgspec.Struct, frozen=True):
    """Steps of one episode that playing goes round in, ``first`` to ``last``."""

    kind: Kind
    episode: Count
    first: Count
    last: Count


class Rollout(msgspec.Struct, frozen=True):
    """One continuation of a branch.

    Attributes:
      actions: From the step of the branch on, its first one forced.
      rewards: The environment's own, one for each action.
      human: Numbers of the actions that a person chose, counted from 0.
      terminated, truncated: How it ended; neither where it was cut off.
      tried: Numbers of those that were asked for instead of the agent's.
      explored: Numbers of those that chance chose.
    """

    actions: list[int]
    rewards: list[float]
    human: list[int] = []
    terminated: bool = False
    truncated: bool = False
    tried: list[int] = []
    explored: list[int] = []


class Branch(msgspec.Struct, frozen=True):
    """What would have happened: another action at one step of a recorded episode.

    Attributes:
      id, name: Letters and digits; what a person calls it.
      kind, episode, t: Where it leaves the recorded episode.
      action: The first action; -1 where none was forced.
      checkpoint: Training step of the weights that went on; -1 where a person did.
      discount: With which returns are compared.
      exactness: How the state was restored, and whether that was proven.
      why: The reason for it in words.
      main: Continuations of the recorded action with the same random numbers.
      rollouts: Of this branch.
      predicted: Advantage that the agent had predicted; None where nobody did.
    """

    id: Name
    name: Words
    kind: Kind
    episode: Count
    t: Count
    action: Step
    checkpoint: Step
    discount: float
    exactness: Literal["exact", "approximate"]
    why: Words
    rollouts: list[Rollout]
    main: list[Rollout] = []
    predicted: float | None = None


class Notes(msgspec.Struct, frozen=True):
    """Everything that people left in one session."""

    bookmarks: list[Bookmark] = []
    loops: list[LoopRange] = []
    branches: list[Branch] = []


def notes_from(views: dict[str, Any]) -> Notes:
    """The notes in what a session keeps for the window; what is no note is left out."""
    given = views.get("notes")
    given = given if isinstance(given, dict) else {}
    return Notes(
        bookmarks=_read(given.get("bookmarks"), Bookmark),
        loops=_read(given.get("loops"), LoopRange),
        branches=_read(given.get("branches"), Branch),
    )


def place_from(views: dict[str, Any]) -> Place | None:
    """Where somebody left; None where nothing, or no place, is kept."""
    try:
        return msgspec.convert(views.get("place"), Place)
    except msgspec.ValidationError:
        return None


def _read(rows: Any, kind: type[Any]) -> list[Any]:
    found = []
    for row in rows[:MOST_NOTES] if isinstance(rows, list) else ():
        try:
            found.append(msgspec.convert(row, kind))
        except msgspec.ValidationError:
            # Of a later version, or damaged: the others are worth keeping.
            continue
    return found
