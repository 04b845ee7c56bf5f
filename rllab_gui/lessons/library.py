"""All lessons, found by what they explain."""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path

from engine.contract.catalogue import RESOURCES
from rllab_gui.lessons.record import Lesson, LessonProblem, lesson_from

FOLDER = RESOURCES / "lessons"


class LessonLibrary:
    """Reads the lessons of a folder when the first one is asked for."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder

    @cached_property
    def lessons(self) -> dict[str, Lesson]:
        """All of them by id, sorted by title.

        Raises:
          LessonProblem: If one cannot be read, or two explain the same.
        """
        found = [_read(path) for path in sorted(self._folder.glob("*.toml"))]
        found.sort(key=lambda it: it.title.casefold())
        return {it.id: it for it in found}

    @cached_property
    def _explained(self) -> dict[str, str]:
        """Id of the lesson by what it explains."""
        explained: dict[str, str] = {}
        for lesson in self.lessons.values():
            for what in (*lesson.options, *lesson.views):
                other = explained.setdefault(what, lesson.id)
                if other != lesson.id:
                    raise LessonProblem(
                        f"The lessons '{other}' and '{lesson.id}' both explain {what}."
                    )
        return explained

    def about(self, what: str) -> Lesson | None:
        """The lesson that explains this option (its key) or view (its id)."""
        name = self._explained.get(what)
        return self.lessons[name] if name is not None else None


def _read(path: Path) -> Lesson:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LessonProblem(
            f"The lesson '{path.stem}' cannot be read: {error}."
        ) from error
    return lesson_from(path.stem, data)
