"""The parser: its errors are sentences, and what several commands share."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from engine.commands.problems import Refused

Commands = Any
"""What ``ArgumentParser.add_subparsers`` returns; argparse gives it no public name."""


class Parser(argparse.ArgumentParser):
    """Reports a wrong request as one sentence."""

    def error(self, message: str) -> NoReturn:
        """Refuse the request.

        Raises:
          Refused: Always.
        """
        message = message[0].upper() + message[1:]
        raise Refused(f"{message}; '{self.prog} --help' shows how to ask.")


def command(
    commands: Commands, name: str, run: Any, summary: str
) -> argparse.ArgumentParser:
    """Add a subcommand that this function runs; without a summary it is not listed."""
    listed = {"help": summary, "description": summary} if summary else {}
    parser: argparse.ArgumentParser = commands.add_parser(
        name, parents=[shared()], **listed
    )
    parser.set_defaults(run=run)
    return parser


def shared() -> argparse.ArgumentParser:
    """What every command understands."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--debug", action="store_true", help="with an error, show where it arose"
    )
    parser.add_argument(
        "--import",
        dest="modules",
        action="append",
        default=[],
        metavar="MODULE",
        help="import this Python module first, to make its environments known; "
        "this runs its code",
    )
    return parser


def add_session(parser: argparse.ArgumentParser) -> None:
    """The session file, as the first argument."""
    parser.add_argument("file", metavar="FILE.h5", type=Path, help="session file")


def add_json(parser: argparse.ArgumentParser) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_force(parser: argparse.ArgumentParser) -> None:
    """``--force``."""
    parser.add_argument("--force", action="store_true", help="replace existing files")


def positive(text: str) -> int:
    """A whole number above zero."""
    return _whole(text, 1, "a whole number above 0")


def not_negative(text: str) -> int:
    """A whole number, zero or above."""
    return _whole(text, 0, "a whole number that is not negative")


def _whole(text: str, least: int, words: str) -> int:
    digits = text.replace("_", "")
    if not (digits.isascii() and digits.isdigit()) or int(digits[:19]) < least:
        raise argparse.ArgumentTypeError(f"'{text}' is not {words}")
    return int(digits[:19])


def check_target(path: Path, *, force: bool) -> Path:
    """Where something is to be written, as an absolute path.

    Raises:
      Refused: If it exists already, or its folder cannot be written.
    """
    path = path.expanduser().absolute()
    if path.is_dir():
        raise Refused(f"'{path.name}' is a folder: name a file in it.")
    if path.exists() and not force:
        raise Refused(
            f"There is a file '{path.name}' already, and it is not overwritten: "
            "choose another name or add --force."
        )
    if not path.parent.is_dir():
        raise Refused(
            f"'{path.name}' cannot be written: there is no folder "
            f"'{path.parent.name}'. Make it, or choose another."
        )
    if not os.access(path.parent, os.W_OK):
        raise Refused(
            f"'{path.name}' cannot be written: the folder '{path.parent.name}' does "
            "not allow it. Choose another folder."
        )
    return path


def import_modules(names: list[str]) -> None:
    """Import the user's own modules, here and in the processes that we start.

    Raises:
      Refused: If one cannot be imported.
    """
    if not names:
        return
    here = str(Path.cwd())
    sys.path.insert(0, here)
    paths = [here, os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(it for it in paths if it)
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            # It is other people's code: whatever it raises, the request fails.
            reason = f"{type(error).__name__}: {error}"
            raise Refused(
                f"The module '{name}' cannot be imported ({reason}). Name one that "
                "Python finds from this folder."
            ) from error
    os.environ["RLLAB_IMPORT"] = ",".join(names)
