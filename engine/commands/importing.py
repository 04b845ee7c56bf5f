"""``rllab import``: a Minari data set as a session."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.arguments import (
    Commands,
    add_force,
    add_json,
    check_target,
    command,
)
from engine.commands.output import Progress, write_facts, write_json
from engine.commands.problems import DONE, Refused

if TYPE_CHECKING:
    from engine.contract.options import EnvironmentOptions
    from engine.environments.intake import Intake
    from engine.sessions.minari_source import MinariSource

SMALLEST_PICTURE = 32
"""Minari compresses pictures of at least so many pixels in height and width."""


def add(commands: Commands) -> None:
    """Add this command to the parser."""
    parser = command(commands, "import", take, "a Minari data set as a session")
    parser.add_argument(
        "path", metavar="PATH", type=Path, help="folder of a Minari data set"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.h5", help="the new session"
    )
    parser.add_argument(
        "--environment",
        default="",
        metavar="ID",
        help="which it is from, where the data set does not say it",
    )
    add_json(parser)
    add_force(parser)


def take(arguments: argparse.Namespace) -> int:
    """Write the session; it has episodes, and no checkpoint."""
    from engine.environments.intake import NotTaken
    from engine.sessions.minari_source import MinariSource

    target = check_target(arguments.out, force=arguments.force)
    path = arguments.path.expanduser().absolute()
    progress = Progress(quiet=arguments.json)
    try:
        with MinariSource.open(path) as source:
            facts = _import(source, path.name, target, arguments, progress)
    except NotTaken as problem:
        raise Refused(f"'{path.name}' was not imported: {problem}") from problem
    finally:
        progress.clear()
    (write_json if arguments.json else write_facts)(facts)
    return DONE


def _import(
    source: MinariSource,
    name: str,
    target: Path,
    arguments: argparse.Namespace,
    progress: Progress,
) -> dict[str, object]:
    from engine.contract.options import Configuration
    from engine.environments import UnknownEnvironment
    from engine.environments.intake import Intake, NotTaken, check_spaces
    from engine.sessions.importing import write_imported

    about = source.about
    check_spaces(about["observations"], about["actions"])
    _check_pictures(about)
    options = _environment(about, arguments.environment)
    try:
        intake = Intake(options, prepared=bool(about["prepared"]))
    except UnknownEnvironment as problem:
        raise NotTaken(_not_here(problem)) from problem
    flat = {f"environment.{k}": v for k, v in options.model_dump().items()}
    configuration = Configuration().with_options(flat).to_json()
    card, note = intake.card.to_dict(), _note(about, name)
    records = _records(source, intake, progress)
    made = write_imported(
        target, configuration, card, records, note, overwrite=arguments.force
    )
    return {
        "session": str(target),
        "environment": options.id,
        "episodes": made.episodes,
        "steps": made.steps,
    }


def _records(
    source: MinariSource, intake: Intake, progress: Progress
) -> Iterator[dict[str, Any]]:
    from engine.environments.intake import NotTaken

    count = int(source.about["episodes"])
    for number, episode in enumerate(source.episodes()):
        try:
            yield intake.record(episode)
        except NotTaken as problem:
            raise NotTaken(f"in episode {number} {problem}") from problem
        done = number + 1
        progress.move(done / count, f"{done:,} of {count:,} episodes")


def _check_pictures(about: dict[str, Any]) -> None:
    """Minari's JPEG is no array of an observation any more, and loses detail."""
    from engine.environments.intake import NotTaken

    space = about["observations"]
    shape = space.get("shape", [])
    picture = space.get("dtype") == "uint8" and len(shape) in (2, 3)
    large = picture and min(shape[:2]) >= SMALLEST_PICTURE
    if large and about["jpeg"] and about["rank"] != len(shape) + 1:
        raise NotTaken(
            "its pictures are stored as JPEG, which changes what was seen. Write it "
            "again with jpeg_encoding=False."
        )


def _environment(about: dict[str, Any], asked: str) -> EnvironmentOptions:
    """The environment: the lab's own options, the declared one, or as asked."""
    from pydantic import ValidationError

    from engine.contract.options import EnvironmentOptions
    from engine.environments import UnknownEnvironment
    from engine.environments.intake import NotTaken

    try:
        if about["prepared"] and not asked:
            return EnvironmentOptions.model_validate_json(about["prepared"])
        return EnvironmentOptions.model_validate(_declared(about, asked))
    except UnknownEnvironment as problem:
        raise NotTaken(_not_here(problem)) from problem
    except ValidationError as error:
        raise NotTaken(
            "what it says of its environment is not understood. Name the environment "
            "with --environment."
        ) from error


def _not_here(problem: Exception) -> str:
    return f"it is of an environment that is not here. {problem}"


def _declared(about: dict[str, Any], asked: str) -> dict[str, Any]:
    from engine.environments.catalogue import find_spec
    from engine.environments.intake import NotTaken

    if asked:
        return {"id": asked}
    if not about["environment"]:
        raise NotTaken(
            "it does not say which environment it is from. Name it with --environment."
        )
    if about["other_arguments"]:
        raise NotTaken(
            "its environment was made with arguments that are no single values "
            f"({about['other_arguments']}), which the lab cannot repeat."
        )
    spec = find_spec(about["environment"])
    own = spec.max_episode_steps if spec is not None else None
    limit = about["time_limit"] if about["time_limit"] != own else 0
    return {
        "id": about["environment"],
        "kwargs": about["kwargs"],
        "time_limit": min(limit, 1_000_000),
    }


def _note(about: dict[str, Any], name: str) -> str:
    text = f"Imported from the Minari data set '{about['dataset_id'] or name}'."
    if about["prepared"]:
        return text
    return f"{text} Which actions were random is not known; none is marked."
