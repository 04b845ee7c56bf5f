"""``rllab train | resume``: runs without a window."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.commands.arguments import (
    Commands,
    add_force,
    add_session,
    check_target,
    command,
    not_negative,
    positive,
)
from engine.commands.output import Progress, duration, write_facts
from engine.commands.problems import DONE, CommandProblem, Refused
from engine.contract.catalogue import (
    EnvironmentCard,
    Preset,
    check_combination,
    find_preset,
)
from engine.contract.costs import (
    Probe,
    added_seconds,
    disk_bytes,
    replay_file_bytes,
    replay_memory_bytes,
    size_text,
)
from engine.contract.messages import ResumeTraining, StartTraining
from engine.contract.options import (
    Configuration,
    ConfigurationError,
    configuration_from_json,
    parse_assignment,
)

PROBE_WITHIN_S = 60.0


def add(commands: Commands) -> None:
    """Add these commands to the parser."""
    new = command(commands, "train", train, "train a preset, without a window")
    new.add_argument("preset", metavar="PRESET", help="its name, or a TOML file")
    new.add_argument(
        "--set",
        dest="assignments",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="an option by its dotted name; 'rllab algorithms' lists them",
    )
    new.add_argument(
        "--from",
        dest="offline",
        type=Path,
        metavar="SESSION.h5",
        help="learn offline from its recorded episodes, in its environment",
    )
    new.add_argument("--steps", type=positive, metavar="N", help="step budget")
    new.add_argument(
        "--seed",
        type=not_negative,
        metavar="S",
        help="every random choice follows from it",
    )
    new.add_argument(
        "--out",
        type=Path,
        metavar="FILE.h5",
        help="session file (default: a dated name in the sessions folder)",
    )
    new.add_argument("--device", metavar="DEVICE", help="auto, cpu, cuda or cuda:n")
    new.add_argument("--quiet", action="store_true", help="no progress")
    new.add_argument(
        "--dry-run",
        action="store_true",
        help="only check the options, and say what the run would need",
    )
    add_force(new)
    old = command(commands, "resume", resume, "continue a session where it stopped")
    add_session(old)
    old.add_argument(
        "--steps",
        type=positive,
        default=0,
        metavar="N",
        help="further steps (default: to the end of its budget)",
    )
    old.add_argument("--quiet", action="store_true", help="no progress")


def train(arguments: argparse.Namespace) -> int:
    """Train to the end of the budget, or until Ctrl+C; the session is saved."""
    preset = find_preset(arguments.preset)
    configuration = configured(preset, arguments)
    card = _checked_card(configuration)
    if arguments.dry_run:
        write_facts(_needs(configuration, card))
        return DONE
    path = _target(preset, arguments)
    message = StartTraining(
        configuration.to_json(), path=str(path), overwrite=arguments.force
    )
    return _run(message, path, quiet=arguments.quiet)


def resume(arguments: argparse.Namespace) -> int:
    """Go on exactly where it stopped."""
    from engine.sessions import open_session
    from engine.sessions.live_folder import live_path

    path: Path = arguments.file.expanduser().absolute()
    if not live_path(path).is_dir():
        open_session(path).close()  # refuses what is no session
    message = ResumeTraining(str(path), steps=arguments.steps)
    return _run(message, path, quiet=arguments.quiet)


def configured(preset: Preset, arguments: argparse.Namespace) -> Configuration:
    """The preset with what the command line changes; all complaints at once."""
    changes: dict[str, Any] = {}
    complaints: dict[str, str] = {}
    for text in arguments.assignments:
        try:
            key, value = parse_assignment(text)
            changes[key] = value
        except ConfigurationError as error:
            complaints |= error.complaints
    for key in ("steps", "seed", "device"):
        value = getattr(arguments, key)
        if value is not None:
            changes[f"training.{key}"] = value
    if arguments.offline is not None:
        changes = _of_recording(arguments.offline) | changes
    try:
        configuration = preset.configuration.with_options(changes)
    except ConfigurationError as error:
        complaints |= error.complaints
    if complaints:
        raise ConfigurationError(complaints)
    return configuration


def _of_recording(path: Path) -> dict[str, Any]:
    """What learning from a session sets: the session, and its environment."""
    from engine.sessions import open_session

    path = path.expanduser().absolute()
    source = open_session(path)
    try:
        recorded = configuration_from_json(source.configuration()).flat()
    finally:
        source.close()
    environment = {k: v for k, v in recorded.items() if k.startswith("environment.")}
    return environment | {"training.offline": str(path), "training.environments": 1}


def _checked_card(configuration: Configuration) -> EnvironmentCard:
    """Refuse what cannot work, before anything starts."""
    from engine.environments import UnknownEnvironment, describe
    from engine.service.memory_check import check_memory

    try:
        card = describe(configuration.environment)
    except UnknownEnvironment as problem:
        raise Refused(str(problem)) from problem
    check_combination(configuration, card)
    check_memory(configuration, card)
    return card


def _needs(configuration: Configuration, card: EnvironmentCard) -> dict[str, object]:
    """Memory, disk and time, as far as they can be told before."""
    from engine.commands.private_engine import private_engine

    with private_engine() as client:
        asked = {"configuration": configuration.to_json()}
        probe = Probe(**client.request("probe", asked, timeout=PROBE_WITHIN_S))
    parts = disk_bytes(configuration, card, probe)
    in_memory = replay_memory_bytes(configuration, card)
    in_file = replay_file_bytes(configuration, card)
    beside = f", and {size_text(in_file)} in a file while it runs" if in_file else ""
    facts: dict[str, object] = {
        "memory": f"{size_text(in_memory)} for a full replay{beside}",
        "disk": f"at most {size_text(sum(parts.values()))}, of which",
    }
    facts |= {f"  {name}": size_text(size) for name, size in parts.items() if size}
    seconds = added_seconds(configuration, probe)
    pictures = f"{duration(seconds)} for pictures of training episodes"
    return facts | ({"time": pictures} if seconds >= 1 else {})


def _target(preset: Preset, arguments: argparse.Namespace) -> Path:
    """Where the session goes: as asked, or a dated name in the sessions folder."""
    from engine.service.home import find_home
    from engine.sessions.live_folder import live_path

    path: Path | None = arguments.out
    if path is None:
        home = find_home()
        home.sessions.mkdir(parents=True, exist_ok=True)
        path = home.dated_session(preset.name)
    if path.suffix != ".h5":
        raise Refused(f"'{path.name}' cannot be a session: its name must end in .h5.")
    path = check_target(path, force=arguments.force)
    if live_path(path).exists() and not arguments.force:
        raise Refused(
            f"'{path.name}' belongs to a run that was cut off or is still running: "
            f"continue it with 'rllab resume {path.name}', or choose another name."
        )
    return path


def _run(message: StartTraining | ResumeTraining, path: Path, *, quiet: bool) -> int:
    from engine.commands.headless import HeadlessRun
    from engine.commands.private_engine import Interrupts, private_engine
    from engine.sessions import open_session

    progress = Progress(quiet=quiet)
    with Interrupts() as interrupts, private_engine() as client:
        run = HeadlessRun(client, path, progress, interrupts)
        try:
            run.to_the_end(message)
        finally:
            progress.clear()
    source = open_session(path)
    try:
        write_facts(_facts(path, source))
    finally:
        source.close()
    if run.failure:
        raise CommandProblem(run.failure)
    return DONE


def _facts(path: Path, source: Any) -> dict[str, object]:
    """What came of it."""
    from engine.sessions.options_then import options_at

    summary = source.summary()
    facts: dict[str, object] = {"session": path}
    for name in ("steps", "updates", "episodes"):
        facts[name] = f"{summary[name]:,}"
    evaluations = {it.step: it for it in source.evaluations()}
    best = next((row for row in source.checkpoints() if row.best), None)
    if best is not None:
        evaluation = evaluations[best.step]
        facts["best"] = (
            f"mean return {evaluation.returns.mean():.4g} over "
            f"{len(evaluation.returns)} greedy episodes, at step {best.step:,}"
        )
    else:
        facts["best"] = "not known: no checkpoint was evaluated"
    budget = options_at(source).training.steps
    if summary["steps"] < budget:
        facts["stopped"] = f"before its budget of {budget:,} steps; resume goes on"
    return facts
