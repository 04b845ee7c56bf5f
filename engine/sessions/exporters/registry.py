"""Which formats are written here, and the one way to write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from engine.contract.exports import EXPORTS
from engine.sessions.atomic import replacing, replacing_folder
from engine.sessions.exporters.csv_episode import write_episode
from engine.sessions.exporters.csv_scalars import write_scalars
from engine.sessions.exporters.minari_episodes import write_minari
from engine.sessions.exporters.safetensors_weights import write_weights
from engine.sessions.exporters.tensorboard_scalars import write_events
from engine.sessions.problems import SessionProblem, from_os_error
from engine.sessions.source import SessionSource

Writer = Callable[[SessionSource, Path, Mapping[str, Any]], None]

EXPORTERS: dict[str, Writer] = {
    "scalars": write_scalars,
    "tensorboard": write_events,
    "episode": write_episode,
    "minari": write_minari,
    "safetensors": write_weights,
}
"""By the names of ``engine.contract.exports``; one of a folder fills an empty one."""


def export(
    source: SessionSource,
    name: str,
    path: Path | str,
    arguments: Mapping[str, Any] | None = None,
) -> Path:
    """Write one export; it appears when it is whole, and never half.

    Args:
      source: The session.
      name: Of the exporter.
      path: Where to; an existing file is replaced, a folder must be empty.
      arguments: What the exporter takes: ``episode`` and ``kind``, or ``checkpoint``.

    Raises:
      SessionProblem: If there is no such exporter or it cannot be written.
    """
    path = Path(path)
    writer = EXPORTERS.get(name)
    if writer is None:
        known = ", ".join(EXPORTERS)
        raise SessionProblem(f"There is no export '{name}'. There are: {known}.")
    if missing := EXPORTS[name].missing:
        raise SessionProblem(missing)
    place = replacing if EXPORTS[name].ending else replacing_folder
    try:
        with place(path) as temporary:
            writer(source, temporary, {"name": path.name} | dict(arguments or {}))
    except OSError as error:
        raise from_os_error(f"'{path.name}' could not be written", error) from error
    return path
