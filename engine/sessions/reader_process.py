"""A process that reads one session file of a stranger, under limits.

Started by :class:`engine.sessions.guarded_file.GuardedFile` as ``python -m
engine.sessions.reader_process FILE``. Questions come in on stdin, answers go out on
stdout; it opens nothing but the file, starts nothing, and writes no file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from engine.contract.messages import Answer, Ask, Message
from engine.sessions.frames import PipeClosed, read_message, write_message
from engine.sessions.problems import SessionProblem
from engine.sessions.session_file import SessionFile

MEMORY_BYTES = 1 << 30
CPU_S = 30

Arguments = dict[str, Any]

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
    "episode": lambda file, a: file.episode(a["kind"], a["index"]),
    "frames": lambda file, a: file.frames(a["kind"], a["index"], a["first"], a["end"]),
    "events": lambda file, a: [msgspec.to_builtins(it) for it in file.events()],
    "checkpoints": lambda file, a: [row._asdict() for row in file.checkpoints()],
    "checkpoint": lambda file, a: fields(file.checkpoint(a["step"])),
    "evaluations": lambda file, a: [fields(it) for it in file.evaluations()],
    "resume_point": lambda file, a: _resume_point(file),
}


def fields(message: Message) -> dict[str, Any]:
    """A message as plain values and arrays."""
    return {name: getattr(message, name) for name in message.__struct_fields__}


def _resume_point(file: SessionFile) -> dict[str, Any]:
    point = file.resume_point()._asdict()
    return point | {"checkpoint": fields(point["checkpoint"])}


def limit_self() -> None:
    """Bounded memory, no files written, no processes started (where POSIX has it)."""
    if sys.platform == "win32":
        return
    import resource

    wanted = {
        resource.RLIMIT_AS: MEMORY_BYTES + _own_bytes(),
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
    }
    for what, value in wanted.items():
        hard = resource.getrlimit(what)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (value, value))


def limit_cpu() -> None:
    """The next answer may take 30 s of processor time; then the system ends us."""
    if sys.platform == "win32":
        return
    import resource

    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + CPU_S, hard))


def _own_bytes() -> int:
    """Address space that the interpreter and its libraries take already."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 1 << 30


def answer(file: SessionFile, ask: Ask) -> Answer:
    """The answer, or the sentence that says why there is none."""
    try:
        found = QUESTIONS[ask.question](file, ask.arguments)
        return Answer(ask.id, {"value": found})
    except SessionProblem as problem:
        return Answer(ask.id, {"kind": problem.kind}, str(problem))
    except MemoryError:
        text = "The session needs more memory than is allowed to read it."
        return Answer(ask.id, {"kind": "foreign"}, text)


def serve(path: str) -> None:
    """Open the file, then answer until nobody asks any more."""
    limit_self()
    limit_cpu()
    try:
        file = SessionFile.open(path)
    except SessionProblem as problem:
        write_message(1, Answer(0, {"kind": problem.kind}, str(problem)))
        return
    write_message(1, Answer(0, {"value": True}))
    while True:
        ask = read_message(0)
        if isinstance(ask, Ask):
            limit_cpu()
            write_message(1, answer(file, ask))


def main() -> int:
    """Serve the file that the command line names."""
    try:
        serve(sys.argv[1])
    except PipeClosed:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
