"""``rllab evaluate``: how well the trained agent plays, on fresh episodes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from engine.commands.arguments import (
    Commands,
    add_json,
    add_session,
    command,
    not_negative,
    positive,
)
from engine.commands.checkpoints import Choice, add_checkpoint, choose, mind_of
from engine.commands.output import Progress, write_facts, write_json
from engine.commands.problems import DONE, CommandProblem

if TYPE_CHECKING:
    from engine.stage.evaluation import EvaluationResult
    from engine.stage.minds import Mind

FRESH_SEED = 2_000_000
"""First seed of the episodes; apart from those by which the best was chosen."""


def add(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = command(commands, "evaluate", evaluate, "play greedy episodes")
    add_session(parser)
    parser.add_argument(
        "--episodes",
        type=positive,
        default=100,
        metavar="N",
        help="how many (default 100)",
    )
    parser.add_argument(
        "--seed",
        type=not_negative,
        default=FRESH_SEED,
        metavar="S",
        help=f"of the first episode (default {FRESH_SEED:,})",
    )
    add_checkpoint(parser)
    add_json(parser)


def evaluate(arguments: argparse.Namespace) -> int:
    """Play, and print what came of it."""
    from engine.sessions import open_session

    source = open_session(arguments.file)
    try:
        choice = choose(source, arguments.checkpoint)
        mind = mind_of(source, choice)
    finally:
        source.close()
    result = _play(mind, arguments)
    facts = _facts(result, choice, mind, arguments.seed)
    if arguments.json:
        write_json(facts)
    else:
        _print(facts, choice)
    return DONE


def _play(mind: Mind, arguments: argparse.Namespace) -> EvaluationResult:
    from engine.stage.evaluation import evaluation_job
    from engine.stage.world import WorldProblem

    Progress(quiet=arguments.json).say(f"playing {arguments.episodes:,} episodes")
    options = mind.configuration.environment
    job = evaluation_job(mind, options, arguments.episodes, arguments.seed)
    try:
        while True:
            next(job)
    except StopIteration as end:
        result: EvaluationResult = end.value
        return result
    except WorldProblem as problem:
        raise CommandProblem(str(problem)) from problem


def _facts(
    result: EvaluationResult, choice: Choice, mind: Mind, seed: int
) -> dict[str, Any]:
    """What ``--json`` prints. The deviation is over episodes, with n - 1."""
    returns = result.returns
    several = len(returns) > 1
    return {
        "environment": mind.configuration.environment.id,
        "checkpoint": choice.step,
        "episodes": len(returns),
        "seed": seed,
        "return_mean": float(returns.mean()),
        "return_sd": float(returns.std(ddof=1)) if several else 0.0,
        "return_min": float(returns.min()),
        "return_max": float(returns.max()),
        "length_mean": float(result.lengths.mean()),
        "returns": returns.tolist(),
    }


def _print(facts: dict[str, Any], choice: Choice) -> None:
    number = "{:.4g}".format
    spread = f"{number(facts['return_min'])} to {number(facts['return_max'])}"
    write_facts(
        {
            "environment": facts["environment"],
            "checkpoint": f"step {choice.step:,} ({choice.why})",
            "episodes": f"{facts['episodes']:,}, greedy, seeds from {facts['seed']:,}",
            "return": f"{number(facts['return_mean'])} in the mean, undiscounted",
            "deviation": f"{number(facts['return_sd'])} between episodes",
            "range": spread,
            "length": f"{number(facts['length_mean'])} steps in the mean",
        }
    )
