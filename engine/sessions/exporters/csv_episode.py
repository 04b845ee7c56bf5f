"""One recorded episode, step by step, as comma-separated values."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.sessions.source import SessionSource

PER_STEP = ("actions", "rewards", "terminations", "truncations", "explored")


def write_episode(
    source: SessionSource, path: Path, arguments: Mapping[str, Any]
) -> None:
    """One line for each observation; the last one has no action and no reward.

    Columns: ``t``, what was done and got there, ``q_values_<a>`` for each action, and
    ``observations_<i>`` for each element of a vector observation.
    """
    kind = str(arguments.get("kind", "training"))
    record = source.episode(kind, int(arguments["episode"]))
    length = len(record["actions"])
    columns: dict[str, list[Any]] = {"t": list(range(length + 1))}
    for name in PER_STEP:
        if name in record:
            values = record[name]
            numbers = values.astype(np.int64) if values.dtype == bool else values
            columns[name] = [*numbers.tolist(), ""]
    for name in ("q_values", "observations"):
        if name in record and record[name].ndim == 2:
            for index, values in enumerate(record[name].T):
                columns[f"{name}_{index}"] = values.tolist()
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(zip(*columns.values(), strict=True))
