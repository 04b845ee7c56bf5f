"""``rllab export --to mp4|gif|png``: a recorded episode as a film."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.output import Progress
from engine.commands.problems import CommandProblem, Refused
from engine.commands.recorded import chosen_episode
from engine.contract.messages import (
    Answer,
    Cancel,
    JobProgress,
    Message,
    OpenSession,
    Problem,
    SessionStatus,
)

if TYPE_CHECKING:
    from engine.commands.private_engine import Interrupts
    from engine.service.client import Client

FILMS = ("mp4", "gif", "png")
PANELS = ("title", "q", "value")
OPEN_WITHIN_S = 60.0
SILENT_S = 60.0
"""A film of which nothing is heard for so long is given up."""


def write_film(arguments: argparse.Namespace, out: Path) -> dict[str, object]:
    """Film it; what came of it."""
    from engine.commands.private_engine import Interrupts, private_engine
    from engine.sessions import open_session

    panels = _panels(arguments.panels)
    steps = _checkpoints(arguments.side_by_side)
    source = open_session(arguments.file)
    try:
        kind, episode = chosen_episode(source, arguments)
    finally:
        source.close()
    question = {
        "kind": kind,
        "episode": episode,
        "path": str(out),
        "format": arguments.to,
    }
    question |= {"checkpoints": steps} if steps else {"panels": panels}
    with Interrupts() as interrupts, private_engine() as client:
        _open(client, arguments.file.expanduser().absolute())
        result = _record(client, question, interrupts)
    frames = f"{kind} episode {episode:,}, {result['frames']:,} pictures"
    if steps:
        pairs = zip(result["steps"], result["returns"], strict=True)
        returns = ", ".join(f"step {step:,}: {total:.4g}" for step, total in pairs)
        frames += f"; returns by {returns}"
    return {"file": str(out), "holds": frames}


def _panels(text: str) -> str:
    """The panels, checked; ``none`` records the picture alone."""
    words = [it.strip() for it in text.split(",") if it.strip()]
    words = [] if words == ["none"] else words
    unknown = [it for it in words if it not in PANELS]
    if unknown:
        raise Refused(
            f"There is no panel '{unknown[0]}': --panels takes {', '.join(PANELS)}, "
            "with commas, or none."
        )
    return ",".join(words)


def _checkpoints(text: str) -> list[int]:
    """Training steps with commas; none where nothing was written."""
    words = [it.strip() for it in text.split(",") if it.strip()]
    if not all(it.isdecimal() for it in words) or len(words) == 1:
        raise Refused(
            "--side-by-side takes at least two training steps of kept checkpoints, "
            "with commas, such as 0,10000,20000."
        )
    return [int(it) for it in words]


def _open(client: Client, path: Path) -> None:
    """Have the private engine open the session."""
    client.send(OpenSession(str(path)))

    def opened(message: Message) -> bool:
        return (isinstance(message, SessionStatus) and bool(message.path)) or (
            isinstance(message, Problem) and message.severity == "error"
        )

    answer = client.wait(opened, OPEN_WITHIN_S)
    if isinstance(answer, Problem):
        raise CommandProblem(answer.sentence())
    if answer is None:
        raise CommandProblem("The session could not be opened in time. Try again.")


def _record(
    client: Client, question: dict[str, Any], interrupts: Interrupts
) -> dict[str, Any]:
    """Wait for the film; Ctrl+C cancels it and leaves nothing behind."""
    progress = Progress()
    several = "checkpoints" in question
    name = "record_side_by_side" if several else "record"
    number = client.ask(name, question, "stage")
    heard = time.monotonic()
    try:
        while time.monotonic() - heard < SILENT_S:
            message = client.wait(lambda _: True, 0.1)
            if isinstance(message, JobProgress):
                heard = time.monotonic()
                progress.move(message.fraction, message.text)
            elif isinstance(message, Answer) and message.id == number:
                if message.error:
                    raise CommandProblem(message.error)
                return message.result
            if interrupts.count:
                client.send(Cancel(number))
                raise CommandProblem("The film was cancelled; nothing was written.")
    finally:
        progress.clear()
    raise CommandProblem(
        "The film does not go on. Try again; with --debug the engine's log says more."
    )
