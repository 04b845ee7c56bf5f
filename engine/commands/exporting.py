"""``rllab export``: an episode as a film, or numbers as a table."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.arguments import (
    Commands,
    add_force,
    add_session,
    check_target,
    command,
    not_negative,
)
from engine.commands.output import Progress, write_facts
from engine.commands.problems import DONE, CommandProblem, Refused
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
    from engine.sessions import SessionSource

FILMS = ("mp4", "gif", "png")
KINDS = ("evaluation", "training")
PANELS = ("title", "q", "value")
OPEN_WITHIN_S = 60.0
SILENT_S = 60.0
"""A film of which nothing is heard for so long is given up."""


def add(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = command(commands, "export", export, "an episode as a film, or a table")
    add_session(parser)
    parser.add_argument(
        "--to",
        required=True,
        choices=(*FILMS, "csv"),
        help="png makes a folder of numbered pictures",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="PATH")
    parser.add_argument(
        "--episode",
        type=not_negative,
        metavar="N",
        help="its number (default for films: the newest; csv without it: all curves)",
    )
    parser.add_argument(
        "--kind",
        choices=KINDS,
        help="whose number: training (default with --episode) or evaluation",
    )
    parser.add_argument(
        "--panels",
        default=",".join(PANELS),
        help="beside the picture: title,q,value (default), or none",
    )
    add_force(parser)


def export(arguments: argparse.Namespace) -> int:
    """Write the file; it appears when it is whole."""
    out = _target(arguments)
    if arguments.to == "csv":
        _table(arguments, out)
    else:
        _film(arguments, out)
    return DONE


def _target(arguments: argparse.Namespace) -> Path:
    """Where it goes; png makes a folder of pictures, and never replaces one."""
    path: Path = arguments.out
    if arguments.to != "png" or not path.is_dir():
        return check_target(path, force=arguments.force)
    if any(path.iterdir()):
        raise Refused(
            f"'{path.name}' is a folder that is not empty, and pictures are not mixed "
            "with other files: name a new one."
        )
    return path.expanduser().absolute()


def _table(arguments: argparse.Namespace, out: Path) -> None:
    from engine.sessions import open_session
    from engine.sessions.exporters import export as write_export

    source = open_session(arguments.file)
    try:
        if arguments.episode is None and arguments.kind is None:
            write_export(source, "scalars", out)
            what = "all curves"
        else:
            kind, episode = chosen_episode(source, arguments)
            write_export(source, "episode", out, {"kind": kind, "episode": episode})
            what = f"{kind} episode {episode:,}"
    finally:
        source.close()
    write_facts({"file": out, "holds": what})


def chosen_episode(
    source: SessionSource, arguments: argparse.Namespace
) -> tuple[str, int]:
    """The recorded episode that is meant: as asked, else the newest evaluation.

    Raises:
      Refused: If it was not recorded.
    """
    table = source.episodes()
    rows = zip(
        table["kind"],
        table["episode"].tolist(),
        table["recorded"].tolist(),
        strict=True,
    )
    recorded = [(kind, episode) for kind, episode, there in rows if there]
    if not recorded:
        raise Refused(
            "The session holds no recorded episode: train with recording.level set to "
            "default or everything."
        )
    wanted = arguments.kind
    if arguments.episode is not None:
        pair = (wanted or "training", arguments.episode)
        if pair not in recorded:
            raise Refused(_not_recorded(recorded, *pair))
        return pair
    for kind in (wanted,) if wanted else KINDS:
        numbers = [episode for found, episode in recorded if found == kind]
        if numbers:
            return kind, max(numbers)
    raise Refused(f"The session holds no recorded {wanted} episode.")


def _not_recorded(recorded: list[tuple[str, int]], kind: str, episode: int) -> str:
    numbers = sorted(number for found, number in recorded if found == kind)
    if not numbers:
        return f"The session holds no recorded {kind} episode: choose another kind."
    return (
        f"There is no recorded {kind} episode {episode}: there are {len(numbers)} "
        f"from {numbers[0]} to {numbers[-1]}."
    )


# --------------------------------------------------------------------- films


def _film(arguments: argparse.Namespace, out: Path) -> None:
    from engine.commands.private_engine import Interrupts, private_engine
    from engine.sessions import open_session

    panels = _panels(arguments.panels)
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
        "panels": panels,
    }
    with Interrupts() as interrupts, private_engine() as client:
        _open(client, arguments.file.expanduser().absolute())
        result = _record(client, question, interrupts)
    frames = f"{kind} episode {episode:,}, {result['frames']:,} pictures"
    write_facts({"file": out, "holds": frames})


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
    number = client.ask("record", question, "stage")
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
