"""Results to stdout, progress to stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from typing import Any

REDRAW_EVERY_S = 0.1
LINES = "RLLAB_PROGRESS"
"""Set to ``lines`` by whoever reads our progress: a fraction and a text in each."""


def write(text: str = "") -> None:
    """A line of the result."""
    sys.stdout.write(text + "\n")


def write_json(value: Any) -> None:
    """The result as one JSON value."""
    write(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))


def write_facts(facts: dict[str, object]) -> None:
    """Names and what they are, below each other."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        write(f"{name:<{width}}  {value}")


def write_table(rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they must be; the last one runs on."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [f"{it:<{width}}" for it, width in zip(row, widths, strict=True)]
        write("  ".join(cells).rstrip())


class Progress:
    """How far a command is: a moving bar on a terminal, else a few lines.

    Args:
      quiet: Say nothing at all.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._lines = os.environ.get(LINES) == "lines"
        self._bar = sys.stderr.isatty()
        self._drawn = ""
        self._next = 0.0

    def move(self, fraction: float, text: str) -> None:
        """Redraw the bar, at most ten times a second."""
        now = time.monotonic()
        if now < self._next and fraction < 1:
            return
        self._next = now + REDRAW_EVERY_S
        if self._lines:
            sys.stderr.write(f"{fraction:.3f} {text}\n")
            sys.stderr.flush()
        elif self._bar and not self._quiet:
            self._draw(fraction, text)

    def _draw(self, fraction: float, text: str) -> None:
        columns = shutil.get_terminal_size().columns
        self._drawn = f"{bar(fraction)} {text}"[: columns - 1]
        sys.stderr.write(f"\r{self._drawn}\x1b[K")
        sys.stderr.flush()

    def say(self, text: str) -> None:
        """A line that stays."""
        if self._quiet:
            return
        self.clear()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def clear(self) -> None:
        """Remove the bar."""
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self._drawn = ""


def bar(fraction: float, width: int = 20) -> str:
    """``[#####...............]  25 %``."""
    fraction = min(max(fraction, 0.0), 1.0)
    full = int(fraction * width)
    return f"[{'#' * full}{'.' * (width - full)}] {fraction:4.0%}".replace("%", " %")


def duration(seconds: float) -> str:
    """Hours, minutes and seconds as ``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
