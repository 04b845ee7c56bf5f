"""Writes ``resources/docs/results.md`` from what the reference tests wrote down.

The reference tests append to the file that ``RLLAB_REFERENCE_OUT`` names; the newest
line of each method and environment counts. ``--check`` writes nothing, and exits with 1
where the page is out of date.
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "tests" / "reference" / "results.jsonl"
PAGE = ROOT / "resources" / "docs" / "results.md"
FEWEST = 3
"""Of fewer seeds no interval is shown."""
HEAD = """\
# Results

What the shipped presets and the comparisons reach, each with its own seeds. A preset is
judged by its best checkpoint (by the evaluations of its own run), which then plays 100
episodes whose seeds neither training nor evaluation has seen. The interval goes from
the worst to the best seed, where there are at least three; the median has to reach the
target.

A row is measured again by its command. `RLLAB_REFERENCE_SEEDS` says how many seeds are
taken (rows say how many theirs had), and with `RLLAB_REFERENCE_OUT` set to
`tests/reference/results.jsonl` the new figures enter this page, which is made by
`packaging/results_page.py`; do not edit it.
"""


def page(rows: list[dict[str, Any]]) -> str:
    """The whole page."""
    parts = [HEAD]
    for measure in dict.fromkeys(row["measure"] for row in rows):
        parts.append(f"\n## {measure[0].upper()}{measure[1:]}\n\n")
        parts.append(
            "| task | environment | method | seeds | median | interval | target | |\n"
            "|---|---|---|---|---|---|---|---|\n"
        )
        chosen = [row for row in rows if row["measure"] == measure]
        parts += [_line(row) for row in chosen]
        parts.append("\n```\n")
        commands = dict.fromkeys(_command(row) for row in chosen)
        parts += [f"{command}\n" for command in commands]
        parts.append("```\n")
    return "".join(parts)


def _line(row: dict[str, Any]) -> str:
    values = row["values"]
    interval = f"{_written(min(values))} to {_written(max(values))}"
    if len(values) < FEWEST:
        interval = "–"
    cells = (
        row["title"],
        row["environment"],
        row["method"],
        str(len(values)),
        _written(statistics.median(values)),
        interval,
        row["target"].replace(">=", "≥"),
        _verdict(values, row["target"]),
    )
    return f"| {' | '.join(cells)} |\n"


def _verdict(values: list[float], target: str) -> str:
    """Whether the median reaches a target that is a number; else its test says it."""
    if not target.startswith(">= "):
        return ""
    reached = statistics.median(values) >= float(target[3:]) - 1e-9
    return "reached" if reached else "**missed**"


def _written(value: float) -> str:
    """Two decimals, and a third one where the numbers are small."""
    return f"{value:.3f}" if 0 < abs(value) < 0.1 else f"{value:.2f}"


def _command(row: dict[str, Any]) -> str:
    return f'pytest {row["test"]} -m ""'


def newest(lines: list[str]) -> list[dict[str, Any]]:
    """The newest record of each method, in the order in which they first came."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for line in lines:
        row = json.loads(line)
        found[row["title"], row["environment"], row["method"]] = row
    return list(found.values())


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    text = page(newest(RECORDS.read_text(encoding="utf-8").splitlines()))
    if "--check" in arguments:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        if current != text:
            print(f"{PAGE.name} is out of date: run packaging/results_page.py")
        return int(current != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
