"""``rllab export``: films, tables, data sets, networks."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.commands.arguments import (
    Commands,
    add_force,
    add_json,
    add_session,
    check_target,
    command,
    not_negative,
)
from engine.commands.checkpoints import add_checkpoint
from engine.commands.filming import FILMS, PANELS, write_film
from engine.commands.interchange import write_data
from engine.commands.output import write_facts, write_json
from engine.commands.problems import DONE, Refused
from engine.commands.recorded import KINDS
from engine.contract.exports import EXPORTS, ExportFormat

FORMATS = tuple(dict.fromkeys(it.to for it in EXPORTS.values()))


def add(commands: Commands) -> None:
    """Add this command to the parser."""
    summary = "an episode as a film, numbers as tables, data sets, networks"
    parser = command(commands, "export", export, summary)
    add_session(parser)
    parser.add_argument(
        "--to",
        required=True,
        choices=(*FILMS, *FORMATS),
        help="png, minari and tensorboard make a folder",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="PATH")
    parser.add_argument(
        "--episode",
        type=not_negative,
        metavar="N",
        help="its number (default for films: the newest; csv without it: all curves; "
        "minari without it: all episodes)",
    )
    parser.add_argument(
        "--kind",
        choices=KINDS,
        help="whose number: training (default with --episode) or evaluation",
    )
    add_checkpoint(parser, "of onnx and safetensors: ")
    parser.add_argument(
        "--panels",
        default=",".join(PANELS),
        help="beside the picture: title,q,value (default), or none",
    )
    parser.add_argument(
        "--side-by-side",
        default="",
        metavar="STEPS",
        help="of films: checkpoints, with commas, that play the seed of the episode",
    )
    add_json(parser)
    add_force(parser)


def export(arguments: argparse.Namespace) -> int:
    """Write it; it appears when it is whole."""
    out = _target(arguments)
    if arguments.to in FILMS:
        facts = write_film(arguments, out)
    else:
        format = _format(arguments)
        if format.missing:
            raise Refused(format.missing)
        facts = write_data(format, arguments, out)
    (write_json if arguments.json else write_facts)(facts)
    return DONE


def _format(arguments: argparse.Namespace) -> ExportFormat:
    """What is meant: a csv is of one episode where one is asked for."""
    found = [it for it in EXPORTS.values() if it.to == arguments.to]
    one = arguments.episode is not None or arguments.kind is not None
    fitting = [it for it in found if (it.of == "episode") == one]
    return (fitting or found)[0]


def _target(arguments: argparse.Namespace) -> Path:
    """Where it goes; a folder is made, or filled where it is empty."""
    path: Path = arguments.out
    folders = {it.to for it in EXPORTS.values() if not it.ending} | {"png"}
    if arguments.to not in folders or not path.is_dir():
        return check_target(path, force=arguments.force)
    if any(path.iterdir()):
        raise Refused(
            f"'{path.name}' is a folder that is not empty, and what is exported is not "
            "mixed with other files: name a new one."
        )
    return path.expanduser().absolute()
