"""A process that reads session files of strangers, under limits.

Started by :class:`engine.sessions.reader.Reader` as ``python -m
engine.sessions.reader_process FILE``, ``... --heads FILE...`` or ``... --checkpoints
FILE...`` (those of a live store). It opens what it is named, shuts itself in
(:mod:`engine.sessions.sandbox`), and only then looks inside.
Questions come in on stdin, answers go out on stdout.
"""

from __future__ import annotations

import encodings.ascii
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy.ma

from engine.contract.catalogue import EnvironmentCard
from engine.contract.codec import decode, encode
from engine.contract.garbage import kept_for_good
from engine.contract.messages import Answer, Ask, Event, Message
from engine.contract.plain_text import visible
from engine.sessions.checkpoint_files import read_checkpoint_file, read_row_file
from engine.sessions.frames import PipeClosed, read_message, write_message
from engine.sessions.problems import SessionProblem
from engine.sessions.regular_file import open_regular
from engine.sessions.sandbox import FIRST_ANSWER_S, confine, limit_cpu
from engine.sessions.session_file import SessionFile
from engine.sessions.source import CheckpointRow

Arguments = dict[str, Any]
SENTENCE = 1000
"""A refusal may quote the file; so many characters of it."""

NEEDED_LATER = (encodings.ascii, numpy.ma)
"""Modules that h5py and numpy import on first use, when nothing can be opened."""

QUESTIONS: dict[str, Callable[[SessionFile, Arguments], Any]] = {
    "summary": lambda file, a: file.summary(),
    "configuration": lambda file, a: file.configuration(),
    "card": lambda file, a: file.card(),
    "views": lambda file, a: file.views(),
    "series": lambda file, a: file.series(),
    "problems": lambda file, a: file.problems(),
    "skipped": lambda file, a: file.skipped,
    "verify": lambda file, a: file.verify(),
    "history": lambda file, a: file.history(a["series"], a["max_points"]),
    "episodes": lambda file, a: file.episodes(),
    "episode": lambda file, a: file.episode(a["kind"], a["index"], frames=a["frames"]),
    "frames": lambda file, a: file.frames(a["kind"], a["index"], a["first"], a["end"]),
    "events": lambda file, a: [msgspec.to_builtins(it) for it in file.events()],
    "checkpoints": lambda file, a: [row._asdict() for row in file.checkpoints()],
    "checkpoint": lambda file, a: fields(file.checkpoint(a["step"])),
    "evaluations": lambda file, a: [fields(it) for it in file.evaluations()],
    "resume_point": lambda file, a: _resume_point(file),
    "is_newer": lambda file, a: file.is_newer,
    "progress": lambda file, a: file.progress(),
    "series_lines": lambda file, a: file.series_lines(a["series"]),
    "finished_lines": lambda file, a: file.finished_lines(),
    "recorded_keys": lambda file, a: file.recorded_keys(),
    "episode_row": lambda file, a: file.episode_row(a["kind"], a["index"]),
    "numbered_events": lambda file, a: [
        (row, msgspec.to_builtins(it)) for row, it in file.numbered_events()
    ],
    "checkpoint_of": lambda file, a: fields(
        file.checkpoint_of(CheckpointRow(**a["row"]))
    ),
    "replay_count": lambda file, a: file.replay_count(),
    "replay_lines": lambda file, a: file.replay_lines(a["first"], a["end"]),
}


def fields(message: Message) -> dict[str, Any]:
    """A message as plain values and arrays."""
    return {name: getattr(message, name) for name in message.__struct_fields__}


def _resume_point(file: SessionFile) -> dict[str, Any]:
    point = file.resume_point()._asdict()
    return point | {"checkpoint": fields(point["checkpoint"])}


def told(number: int, name: str, find: Callable[[], Any]) -> Answer:
    """What was found, or the sentence that says why there is nothing."""
    try:
        return Answer(number, {"value": find()})
    except SessionProblem as problem:
        return Answer(number, {"kind": problem.kind}, visible(str(problem), SENTENCE))
    except MemoryError:
        text = f"'{name}' needs more memory than is allowed to read it."
        return Answer(number, {"kind": "foreign"}, text)
    except Exception as error:
        # The file is a stranger's: whatever it makes the reader do wrong is its fault.
        text = (
            f"'{name}' cannot be read: its contents are not those of a session "
            f"({type(error).__name__}). Only files that RL Lab wrote can be opened."
        )
        return Answer(number, {"kind": "foreign"}, text)


def serve(path: Path) -> None:
    """Open the file, then answer until nobody asks any more."""
    opened = open_each([path])[0]
    confine()
    found: list[SessionFile] = []
    answer = told(0, path.name, lambda: found.append(look_into(path, opened)))
    write_message(1, answer)
    while found:
        ask = read_message(0)
        if isinstance(ask, Ask):
            limit_cpu()
            write_message(1, _answer(found[0], ask))


def _answer(file: SessionFile, ask: Ask) -> Answer:
    find = QUESTIONS[ask.question]
    return told(ask.id, file.path.name, lambda: find(file, ask.arguments))


def serve_heads(paths: list[Path]) -> None:
    """Tell of each file in turn how many steps it holds."""
    files = open_each(paths)
    confine()
    for number, (path, file) in enumerate(zip(paths, files, strict=True)):
        limit_cpu(FIRST_ANSWER_S)
        write_message(1, told(number, path.name, partial(_steps, path, file)))


CHECKPOINTS: dict[str, Callable[[BinaryIO, str], Any]] = {
    "checkpoint": lambda file, name: _checkpoint_and_head(file, name),
    "row": lambda file, name: read_row_file(file, name)._asdict(),
}


def serve_checkpoints(paths: list[Path]) -> None:
    """Answer from checkpoints, by their place in the list, until nobody asks."""
    files = open_each(paths)
    confine()
    while True:
        ask = read_message(0)
        if isinstance(ask, Ask):
            limit_cpu()
            at = ask.arguments["at"]
            find = partial(_of_checkpoint, ask.question, paths[at].name, files[at])
            write_message(1, told(ask.id, paths[at].name, find))


def _of_checkpoint(question: str, name: str, opened: BinaryIO | SessionProblem) -> Any:
    if isinstance(opened, SessionProblem):
        raise opened
    return CHECKPOINTS[question](opened, name)


def _checkpoint_and_head(file: BinaryIO, name: str) -> dict[str, Any]:
    checkpoint, head = read_checkpoint_file(file, name)
    return {"checkpoint": fields(checkpoint), "head": head}


def _steps(path: Path, opened: BinaryIO | SessionProblem) -> int:
    with look_into(path, opened, verify=False) as file:
        return file.steps


def open_each(paths: Iterable[Path]) -> list[BinaryIO | SessionProblem]:
    """Files, or why they cannot be opened."""
    found: list[BinaryIO | SessionProblem] = []
    for path in paths:
        try:
            found.append(open_regular(path))
        except SessionProblem as problem:
            found.append(problem)
    return found


def look_into(
    path: Path, opened: BinaryIO | SessionProblem, *, verify: bool | None = None
) -> SessionFile:
    """The session in an open file.

    Raises:
      SessionProblem: If it could not be opened, or is none.
    """
    if isinstance(opened, SessionProblem):
        raise opened
    return SessionFile.of(path, opened, verify=verify)


def prepare() -> None:
    """Have everything loaded and compiled that reading needs, before it begins."""
    decode(encode(Ask(0, "", {})))
    for kind in (Event, EnvironmentCard):
        msgspec.json.Decoder(kind)


def main() -> int:
    """Serve the files that the command line names."""
    words = sys.argv[1:]
    with kept_for_good():
        prepare()
    try:
        if words[0] == "--heads":
            serve_heads([Path(it) for it in words[1:]])
        elif words[0] == "--checkpoints":
            serve_checkpoints([Path(it) for it in words[1:]])
        else:
            serve(Path(words[0]))
    except PipeClosed:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
