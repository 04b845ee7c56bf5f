"""All measured series as one table of comma-separated values."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.sessions.source import SessionSource

COLUMNS = ("step", "update", "episode", "wall_time", "value")


def write_scalars(
    source: SessionSource, path: Path, arguments: Mapping[str, Any]
) -> None:
    """One line for each point: series, step, update, episode, wall time, value.

    ``arguments`` may name one ``series``; numbers are written so that reading them
    gives exactly the same ones.
    """
    only = arguments.get("series")
    names = [name for name in source.series() if only in (None, name)]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["series", *COLUMNS])
        for name in names:
            history = source.history(name)
            columns = [history[column].tolist() for column in COLUMNS]
            table.writerows([name, *line] for line in zip(*columns, strict=True))
