"""``rllab fork``: a new session from a checkpoint of another one."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.commands.arguments import (
    Commands,
    add_force,
    add_session,
    check_target,
    command,
    not_negative,
)
from engine.commands.output import write_facts
from engine.commands.problems import DONE


def add(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = command(
        commands, "fork", fork, "a new session from a checkpoint of another one"
    )
    add_session(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="NEW.h5", help="the new session"
    )
    parser.add_argument(
        "--checkpoint",
        type=not_negative,
        default=None,
        metavar="STEP",
        help="where it begins (default: the newest; 'rllab inspect' counts them)",
    )
    add_force(parser)


def fork(arguments: argparse.Namespace) -> int:
    """Write the fork; the session it comes from is not touched."""
    from engine.sessions.forking import fork as make
    from engine.sessions.source import NEWEST

    target = check_target(arguments.out, force=arguments.force)
    step = NEWEST if arguments.checkpoint is None else arguments.checkpoint
    path = arguments.file.expanduser().absolute()
    made = make(path, target, step, overwrite=arguments.force)
    facts: dict[str, object] = {"session": target, "begins at": f"step {made.step:,}"}
    facts["exact"] = "yes" if made.exact else f"no. {made.note}"
    write_facts(facts)
    return DONE
