"""Which formats there are, and the one way to write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.sessions.atomic import replacing
from engine.sessions.exporters.csv_episode import write_episode
from engine.sessions.exporters.csv_scalars import write_scalars
from engine.sessions.problems import SessionProblem, from_os_error
from engine.sessions.source import SessionSource

Writer = Callable[[SessionSource, Path, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Exporter:
    """One thing that can be exported.

    Attributes:
      name: What commands call it.
      title: What the window calls it.
      ending: Of the file.
      write: Writes the file; the registry sees to it that it appears whole.
    """

    name: str
    title: str
    ending: str
    write: Writer


EXPORTERS = {
    it.name: it
    for it in (
        Exporter("scalars", "All curves as a table", ".csv", write_scalars),
        Exporter("episode", "One episode, step by step", ".csv", write_episode),
    )
}


def export(
    source: SessionSource,
    name: str,
    path: Path | str,
    arguments: Mapping[str, Any] | None = None,
) -> Path:
    """Write one export; the file appears when it is whole, and never half.

    Args:
      source: The session.
      name: Of the exporter.
      path: Where to; an existing file is replaced.
      arguments: For ``episode``: ``kind`` (default ``training``) and ``episode``.

    Raises:
      SessionProblem: If there is no such exporter or it cannot be written.
    """
    path = Path(path)
    exporter = EXPORTERS.get(name)
    if exporter is None:
        known = ", ".join(EXPORTERS)
        raise SessionProblem(f"There is no export '{name}'. There are: {known}.")
    try:
        with replacing(path) as temporary:
            exporter.write(source, temporary, arguments or {})
    except OSError as error:
        raise from_os_error(f"'{path.name}' could not be written", error) from error
    return path
