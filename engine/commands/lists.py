"""``rllab presets | environments | algorithms | check-env``: what there is."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from itertools import groupby
from typing import Any

from engine.commands.arguments import Commands, add_json, command
from engine.commands.output import write, write_json, write_table
from engine.commands.problems import DONE, FAILED, Refused
from engine.contract.catalogue import shipped_presets
from engine.contract.options import Configuration, OptionSpec, describe_range, specs

FAMILIES = {
    "value-based": (
        "Value-based agent",
        "Q-learning, SARSA, Expected SARSA and soft Q-learning; with any mix of "
        "double, dueling, n-step returns and their corrections, expected returns or "
        "distributions (C51, quantiles, particles), memories of experience, target "
        "networks or a trust region, explorations, ensembles, recurrent networks, "
        "planning with a model, and conservative learning from recorded data.",
    )
}


def add(commands: Commands) -> None:
    """Add these commands to the parser."""
    add_json(command(commands, "presets", presets, "list what can be trained at once"))
    add_json(command(commands, "environments", environments, "list the environments"))
    add_json(command(commands, "algorithms", algorithms, "list agents and options"))
    one = command(commands, "check-env", check_env, "does this environment suit?")
    one.add_argument("id", metavar="ID", help="its registered name")
    add_json(one)


def presets(arguments: argparse.Namespace) -> int:
    """Names, titles and stories, group by group."""
    rows = [
        {
            "name": it.name,
            "title": it.title,
            "story": it.story,
            "group": it.group,
            "environment": it.flat["environment.id"],
            "target": it.target,
            "needs": it.needs,
            "install": it.install,
        }
        for it in shipped_presets()
    ]
    if arguments.json:
        write_json(rows)
        return DONE
    lines: list[tuple[str, str]] = []
    for group, of_group in groupby(shipped_presets(), lambda it: it.group):
        lines += [(f"{group}:", ""), *((f"  {it.name}", it.story) for it in of_group)]
    write_table(lines)
    return DONE


def environments(arguments: argparse.Namespace) -> int:
    """Every registered environment, and why some do not suit."""
    from engine.environments import registered

    rows = registered()
    if arguments.json:
        write_json([it.to_dict() for it in rows])
        return DONE
    suits = [(it.id, "suits") for it in rows if it.suits]
    others = [(it.id, it.reason) for it in rows if not it.suits]
    write_table(suits + others)
    return DONE


def algorithms(arguments: argparse.Namespace) -> int:
    """Agent families, and every option with its range and default."""
    options = [option_facts(it) for it in specs().values()]
    if arguments.json:
        rows = [
            {"name": name, "title": title, "story": story, "options": options}
            for name, (title, story) in FAMILIES.items()
        ]
        write_json(rows)
        return DONE
    for name, (title, story) in FAMILIES.items():
        write(f"{name}: {title}. {story}")
    write("\nOptions, for --set KEY=VALUE (a * marks what can change while it runs):\n")
    write_table([_option_row(it) for it in specs().values()])
    return DONE


def check_env(arguments: argparse.Namespace) -> int:
    """Try one environment out."""
    from engine.environments import UnknownEnvironment, check

    try:
        report = check(arguments.id)
    except UnknownEnvironment as problem:
        raise Refused(str(problem)) from problem
    if arguments.json:
        write_json(report.to_dict())
    else:
        for line in report.lines:
            write(line)
    return DONE if report.suits else FAILED


def option_facts(of: OptionSpec) -> dict[str, Any]:
    """All that is known of an option, as JSON values."""
    facts = asdict(of)
    facts["default"] = Configuration().model_dump(mode="json")[of.key.split(".")[0]][
        of.key.split(".")[1]
    ]
    return facts


def shown_default(of: OptionSpec) -> str:
    """The default as a person would type it."""
    value = of.default
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _option_row(of: OptionSpec) -> tuple[str, ...]:
    mark = "*" if of.applies == "live" else " "
    takes = f"{describe_range(of)} (default {shown_default(of)})"
    return mark + of.key, f"{of.help} Takes {takes}."
