"""Numbers of the frame as a person reads them."""

from __future__ import annotations

THIN = "\u202f"
"""Narrow no-break space, between groups of digits."""


def whole(number: float) -> str:
    """A whole number with its digits in groups: ``12 400``."""
    return f"{round(number):,}".replace(",", THIN)


def duration(seconds: float) -> str:
    """``4:10`` or ``2:03:09``."""
    total = max(0, round(seconds))
    hours, minutes, rest = total // 3600, total // 60 % 60, total % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ago(seconds: float) -> str:
    """How long ago, in one unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)}{THIN}{unit} ago"
    return "now" if seconds < 1 else f"{int(seconds)}{THIN}s ago"


def percent(fraction: float) -> str:
    """``63 %``."""
    return f"{round(100 * min(max(fraction, 0.0), 1.0))}{THIN}%"
