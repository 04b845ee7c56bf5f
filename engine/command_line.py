"""The command ``rllab``: everything that works without the window, and its start."""

from __future__ import annotations

import argparse
import difflib
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from engine.commands import (
    certifying,
    evaluating,
    exporting,
    forking,
    importing,
    inspecting,
    lists,
    opening,
    training,
)
from engine.commands.arguments import Parser, import_modules
from engine.commands.problems import FAILED, Refused, explain

SUBJECTS = (
    training,
    evaluating,
    inspecting,
    certifying,
    forking,
    exporting,
    importing,
    lists,
    opening,
)
DESCRIPTION = "A visual laboratory for deep reinforcement learning."
EPILOG = """\
rllab [SESSION.h5] without a command opens the lab.
Exit status: 0 done, 1 it failed while running, 2 the request was wrong.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    if not debug:  # whoever types a command gets one sentence; processes have a log
        logging.getLogger("engine").setLevel(logging.CRITICAL)
    try:
        parsed = parse(words)
        import_modules(parsed.modules)
        status: int = parsed.run(parsed)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        sys.stderr.write("rllab: Stopped by Ctrl+C; nothing was written.\n")
        return FAILED
    except BrokenPipeError:
        # Whoever read our output has left, as 'head' does. Python would complain
        # when it flushes at its own end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        return explain(error, debug=debug)


def parse(words: list[str]) -> argparse.Namespace:
    """What is asked for; a session file or nothing means to open the lab.

    Raises:
      Refused: If it cannot be understood.
    """
    parser, names = build_parser()
    first = words[0] if words else ""
    if first not in names and first not in ("-h", "--help", "--version"):
        is_option = first.startswith("-") or not first
        if not is_option and not first.endswith(".h5"):
            raise Refused(_unknown(first, names))
        words = ["open", *words]
    return parser.parse_args(words)


def build_parser() -> tuple[Parser, list[str]]:
    """The parser, and the names of its commands."""
    parser = Parser(
        prog="rllab",
        usage="rllab [SESSION.h5] | rllab COMMAND ...",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version("rllab"))
    commands = parser.add_subparsers(
        metavar="COMMAND", parser_class=Parser, prog="rllab"
    )
    for subject in SUBJECTS:
        subject.add(commands)
    return parser, list(commands.choices)


def _unknown(word: str, names: list[str]) -> str:
    near = difflib.get_close_matches(word, names, n=2, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else "'rllab --help' lists all."
    return f"There is no command '{word}', and it is no session file (.h5). {hint}"


if __name__ == "__main__":
    sys.exit(main())
