"""A process that reads the Minari data set of a stranger, under limits.

Started as ``python -m engine.sessions.minari_process MAIN_FILE DESCRIPTION``; it is a
reader process (:mod:`engine.sessions.reader_process`) with other questions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from engine.contract.messages import Answer, Ask
from engine.sessions.frames import PipeClosed, read_message, write_message
from engine.sessions.minari_reading import DESCRIPTION_BYTES, MinariFile, description
from engine.sessions.problems import SessionProblem
from engine.sessions.reader_process import NEEDED_LATER
from engine.sessions.regular_file import open_regular
from engine.sessions.sandbox import confine, limit_cpu

__all__ = ["NEEDED_LATER", "main"]


def serve(paths: list[Path]) -> None:
    """Open both files, shut ourselves in, then answer until nobody asks any more."""
    name = paths[0].name
    opened: list[BinaryIO] = []
    answer = _told(0, name, lambda: opened.extend(open_regular(it) for it in paths))
    if answer.error:
        write_message(1, answer)
        return
    confine()
    found: list[MinariFile] = []
    write_message(1, _told(0, name, lambda: found.append(MinariFile(opened[0], name))))
    while found:
        ask = read_message(0)
        if isinstance(ask, Ask):
            limit_cpu()
            write_message(1, _answer(found[0], opened[1], ask))


def _answer(file: MinariFile, text: BinaryIO, ask: Ask) -> Answer:
    def find() -> Any:
        if ask.question == "about":
            return about_of(file, text)
        return file.read_episode(int(ask.arguments["number"]))

    return _told(ask.id, "main_data.hdf5", find)


def about_of(file: MinariFile, text: BinaryIO) -> dict[str, Any]:
    """What both files say of the data set.

    Raises:
      SessionProblem: If one of them is not what it should be.
    """
    text.seek(0)
    data = text.read(DESCRIPTION_BYTES + 1)
    if len(data) > DESCRIPTION_BYTES:
        raise SessionProblem("The description of the data set is too long.", "foreign")
    found = description(data, "metadata.json")
    flat = found["observations"].get("type") not in ("Dict", "Tuple", "Text")
    return found | {
        "episodes": file.episode_count(),
        "rank": file.rank(0) if flat else 0,
    }


def _told(number: int, name: str, find: Callable[[], Any]) -> Answer:
    """What was found, or the sentence that says why there is nothing."""
    try:
        return Answer(number, {"value": find()})
    except SessionProblem as problem:
        return Answer(number, {"kind": problem.kind}, str(problem))
    except MemoryError:
        text = f"'{name}' needs more memory than is allowed to read it."
    except Exception as error:
        # The file is a stranger's: whatever it makes the reader do wrong is its fault.
        text = (
            f"'{name}' was not imported: it cannot be read ({type(error).__name__}). "
            "Write the data set again, with Minari's own storage."
        )
    return Answer(number, {"kind": "foreign"}, text)


def main() -> int:
    """Serve the data set that the command line names."""
    try:
        serve([Path(it) for it in sys.argv[1:3]])
    except PipeClosed:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
