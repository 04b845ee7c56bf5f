"""``rllab inspect``: what is in a session file, and whether it is whole."""

from __future__ import annotations

import argparse
from typing import Any

from engine.commands.arguments import Commands, add_json, add_session, command
from engine.commands.output import write_facts, write_json
from engine.commands.problems import DONE, FAILED


def add(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = command(commands, "inspect", inspect, "what is in a session file")
    add_session(parser)
    parser.add_argument("--verify", action="store_true", help="check every block")
    add_json(parser)


def inspect(arguments: argparse.Namespace) -> int:
    """Say what is in it; exit status 1 where it is damaged."""
    from engine.sessions import inspect as look_into

    found = look_into(arguments.file, verify=arguments.verify)
    if arguments.json:
        write_json(found)
    else:
        write_facts(_facts(found, verify=arguments.verify))
    return FAILED if found["problems"] else DONE


def _facts(found: dict[str, Any], *, verify: bool) -> dict[str, object]:
    """What a person wants to know first."""
    facts: dict[str, object] = {"session": found["name"]}
    if environment := found.get("environment"):
        facts["environment"] = environment
    for name in ("steps", "updates", "episodes", "checkpoints"):
        facts[name] = f"{found[name]:,}"
    for seed, mean in found.get("seeds", {}).items():
        facts[f"seed {seed}"] = f"mean return {mean:.4g} over its last 20 episodes"
    facts["format"] = found["format_version"] or "unknown"
    facts["complete"] = "yes" if found["complete"] else "no"
    if verify:
        facts["verified"] = "yes" if found["verified"] else "no"
    for number, problem in enumerate(found["problems"], 1):
        facts[f"problem {number}"] = problem
    return facts
