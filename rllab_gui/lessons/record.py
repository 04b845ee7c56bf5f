"""One lesson as a record: equation, symbols, where it comes from, what to try."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

SYMBOL = re.compile(r"\{([^{}]+)\}")
TAGS = re.compile(r"</?(?:sub|sup|i)>")
Text = Annotated[str, msgspec.Meta(min_length=1)]


class LessonProblem(ValueError):
    """A lesson that cannot be shown; the sentence names its file and says why."""


class Symbol(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A letter or term of the equation.

    Attributes:
      symbol: As it stands in the braces of the equation.
      meaning: What it is, in words.
      value: What has its number now (see ``lessons.live``); empty where nothing has.
    """

    symbol: Text
    meaning: Text
    value: str = ""


class Paper(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where it comes from.

    Attributes:
      link: Address of the paper, the book or the page.
    """

    authors: Text
    year: int
    title: Text
    link: Annotated[str, msgspec.Meta(pattern="^https?://")]


class Experiment(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"options": "set"}
):
    """Something to try that can be seen.

    Attributes:
      text: What to do and what to watch; ``{transport.mark}`` is the key of a command.
      options: Values of options, by key.
      show: Id of the view in which it is seen; empty where it does not matter.
    """

    text: Text
    options: dict[str, Any] = {}
    show: str = ""


class Lesson(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"experiment": "try"},
):
    """What is to be learned about some options and views.

    Attributes:
      id: Name of its file.
      options, views: What it explains: keys of options, ids of views.
      text: What it is and what for.
      equation: With its symbols in braces; sub, sup and i are the only tags.
      derivation: Where the equation comes from, in a few lines.
      what_if: What is seen when it is changed.
      function: Dotted name of what computes it in the engine; empty where none does.
    """

    id: str
    title: Text
    options: list[str] = []
    views: list[str] = []
    text: Text
    equation: Text
    derivation: list[str]
    what_if: Text
    symbols: list[Symbol]
    paper: Paper
    function: str = ""
    experiment: Experiment | None = None

    def symbol(self, name: str) -> Symbol | None:
        """The symbol of this name."""
        return next((it for it in self.symbols if it.symbol == name), None)


def lesson_from(name: str, data: Mapping[str, Any]) -> Lesson:
    """The record that a file holds.

    Raises:
      LessonProblem: If something is missing, unknown or of another kind, or a symbol
        of the equation is not explained.
    """
    try:
        lesson = msgspec.convert({**data, "id": name}, Lesson)
    except msgspec.ValidationError as error:
        raise LessonProblem(f"The lesson '{name}' cannot be read: {error}.") from error
    unknown = [it for it in SYMBOL.findall(lesson.equation) if not lesson.symbol(it)]
    if unknown:
        which = " and ".join(unknown)
        raise LessonProblem(
            f"The equation of the lesson '{name}' uses {which}, which its symbols do "
            "not explain."
        )
    return lesson
