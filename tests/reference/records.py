"""How many seeds a reference takes, and what it writes down.

``RLLAB_REFERENCE_SEEDS`` says how many seeds each is trained with, 1 where it is not
set; 5 is the full count. ``RLLAB_REFERENCE_OUT`` names a file to which each result is
appended as a line of JSON; ``packaging/results_page.py`` makes a page of it.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Sequence
from pathlib import Path

SEEDS = int(os.environ.get("RLLAB_REFERENCE_SEEDS", "1"))


def record(
    title: str,
    environment: str,
    method: str,
    values: Sequence[float],
    target: str,
    test: str,
    *,
    measure: str = "mean return of the best checkpoint over 100 fresh episodes",
) -> str:
    """Print a line of the table and write it down; the line."""
    row = {
        "title": title,
        "environment": environment,
        "method": method,
        "values": [float(it) for it in values],
        "target": target,
        "measure": measure,
        "test": test,
    }
    out = os.environ.get("RLLAB_REFERENCE_OUT")
    if out:
        with Path(out).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    middle, low, high = statistics.median(values), min(values), max(values)
    line = (
        f"{title:32} {len(values)} seeds: median {middle:.2f} "
        f"({low:.2f} to {high:.2f}), target {target}"
    )
    print(line)  # noqa: T201
    return line
