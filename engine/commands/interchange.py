"""``rllab export`` to what other programs read: tables, data sets, networks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.checkpoints import choose, mind_of
from engine.commands.output import Progress
from engine.commands.problems import CommandProblem
from engine.commands.recorded import chosen_episode
from engine.contract.exports import ExportFormat

if TYPE_CHECKING:
    import numpy as np

    from engine.commands.checkpoints import Choice
    from engine.sessions import SessionSource

Facts = dict[str, object]


def write_data(format: ExportFormat, arguments: argparse.Namespace, out: Path) -> Facts:
    """Write one export; what came of it.

    Raises:
      CommandProblem: If the session does not hold what is needed for it.
    """
    from engine.sessions import open_session

    source = open_session(arguments.file)
    progress = Progress(quiet=arguments.json)
    try:
        facts: Facts = _WRITERS[format.name](source, arguments, out, progress)
    finally:
        progress.clear()
        source.close()
    return {"file": str(out)} | facts


def _curves(
    source: SessionSource, arguments: argparse.Namespace, out: Path, progress: Progress
) -> Facts:
    from engine.sessions.exporters import export

    export(source, "scalars" if arguments.to == "csv" else "tensorboard", out)
    return {"holds": "all curves"}


def _episode(
    source: SessionSource, arguments: argparse.Namespace, out: Path, progress: Progress
) -> Facts:
    from engine.sessions.exporters import export

    kind, episode = chosen_episode(source, arguments)
    export(source, "episode", out, {"kind": kind, "episode": episode})
    return {"holds": f"{kind} episode {episode:,}"}


def _minari(
    source: SessionSource, arguments: argparse.Namespace, out: Path, progress: Progress
) -> Facts:
    from engine.sessions.exporters import export

    wanted = {
        "kind": arguments.kind or "training",
        "episode": arguments.episode,
        "observe": lambda record: _played_again(source, record),
        "progress": progress.move,
    }
    export(source, "minari", out, wanted)
    which = "all recorded" if arguments.episode is None else "one of the"
    return {"holds": f"{which} {wanted['kind']} episodes"}


def _played_again(source: SessionSource, record: Mapping[str, Any]) -> np.ndarray:
    """Observations that are not recorded, from seed and actions, verified."""
    from engine.contract.options import configuration_from_json
    from engine.environments import UnknownEnvironment, UnsuitableEnvironment
    from engine.training import TrainingProblem
    from engine.training.offline import observations

    options = configuration_from_json(source.configuration()).environment
    try:
        return observations(record, options)
    except (TrainingProblem, UnknownEnvironment, UnsuitableEnvironment) as problem:
        raise CommandProblem(str(problem)) from problem


def _safetensors(
    source: SessionSource, arguments: argparse.Namespace, out: Path, progress: Progress
) -> Facts:
    from engine.sessions.exporters import export

    choice = choose(source, arguments.checkpoint)
    export(source, "safetensors", out, {"checkpoint": choice.step})
    return {"holds": f"weights of {_words(choice)}"}


def _onnx(
    source: SessionSource, arguments: argparse.Namespace, out: Path, progress: Progress
) -> Facts:
    from engine.agents.onnx_network import OnnxProblem, to_onnx
    from engine.sessions.atomic import write_file
    from engine.sessions.exporters.safetensors_weights import provenance
    from engine.sessions.problems import from_os_error

    choice = choose(source, arguments.checkpoint)
    progress.say("translating the network; this takes some seconds")
    progress.move(0.3, "translating the network")
    about = {k: str(v) for k, v in provenance(source, choice.step).items()}
    try:
        agent = mind_of(source, choice).agent
        found = to_onnx(agent, about | {"format": "rllab-q-network 1"})
    except OnnxProblem as problem:
        raise CommandProblem(str(problem)) from problem
    try:
        write_file(out, found.data)
    except OSError as error:
        raise from_os_error(f"'{out.name}' could not be written", error) from error
    equal = f"largest difference from the original {found.difference:.1e}"
    return {
        "holds": f"the network of {_words(choice)}",
        "takes": found.inputs,
        "gives": found.outputs,
        "checked": f"{equal} on random inputs, by {found.checked_by}",
    }


def _words(choice: Choice) -> str:
    return f"step {choice.step:,} ({choice.why})"


_WRITERS: dict[str, Any] = {
    "scalars": _curves,
    "tensorboard": _curves,
    "episode": _episode,
    "minari": _minari,
    "safetensors": _safetensors,
    "onnx": _onnx,
}
