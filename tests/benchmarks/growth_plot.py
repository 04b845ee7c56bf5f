"""The plot of what growth costs, as SVG that any page can show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

Measured = tuple[str, str, Mapping[int, float]]
"""A name, a unit, and values by the number of stored steps."""

WIDTH, HEIGHT = 760, 420
LEFT, TOP, RIGHT, BOTTOM = 64, 56, 330, 52
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5c00", "#555555")
"""Told apart with any kind of colour vision, on white; each line has a mark as well."""
MARKS = ("circle", "square", "diamond", "up", "down", "cross")
TITLE = "What it costs where so many steps are stored, in times of the least"


def short(number: float) -> str:
    """Three digits of it, or all before the point."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def write_plot(lines: Sequence[Measured], path: Path) -> None:
    """Draw each line as its ratio to its smallest value; both axes are logarithmic."""
    drawn = [(name, unit, _ratios(values)) for name, unit, values in lines]
    sizes = sorted({size for _, _, values in drawn for size in values})
    most = max(2.0, *(it for _, _, values in drawn for it in values.values()))
    axes = _Axes(sizes[0], sizes[-1], most)
    parts = [*_frame(axes, sizes)]
    for index, (name, unit, values) in enumerate(drawn):
        measured = lines[index][2]
        least, largest = min(measured.values()), max(measured.values())
        span = f"{short(least)} to {short(largest)} {unit}"
        parts += _line(axes, values, index) + _key(name, span, index)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12" '
        f'role="img"><title>{TITLE}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    )
    path.write_text("\n".join([head, *parts, "</svg>\n"]), encoding="utf-8")


class _Axes:
    """Places on the picture."""

    def __init__(self, first: int, last: int, most: float) -> None:
        self._first, self._decades = math.log10(first), math.log10(last / first)
        self.doublings = math.ceil(math.log2(most))

    def x(self, size: int) -> float:
        share = (math.log10(size) - self._first) / self._decades
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, ratio: float) -> float:
        share = math.log2(ratio) / self.doublings
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _ratios(values: Mapping[int, float]) -> dict[int, float]:
    least = min(values.values())
    return {size: it / least for size, it in values.items()}


def _frame(axes: _Axes, sizes: Sequence[int]) -> list[str]:
    parts = [_text(LEFT, 26, TITLE, size=14)]
    for power in range(axes.doublings + 1):
        y = axes.y(2**power)
        line = f'x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}"'
        parts.append(f'<line {line} stroke="#dddddd"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{2**power}×", anchor="end"))
    for size in sizes:
        parts.append(_text(axes.x(size), HEIGHT - 30, _power(size), anchor="middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(_text(middle, HEIGHT - 10, "stored steps", anchor="middle"))
    return parts


def _power(size: int) -> str:
    digits = str(round(math.log10(size)))
    return "10" + digits.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _line(axes: _Axes, values: Mapping[int, float], index: int) -> list[str]:
    places = [(axes.x(size), axes.y(it)) for size, it in sorted(values.items())]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    colour = COLOURS[index % len(COLOURS)]
    line = f'fill="none" stroke="{colour}" stroke-width="2"'
    return [
        f'<polyline points="{points}" {line}/>',
        *(_mark(x, y, index) for x, y in places),
    ]


def _key(name: str, span: str, index: int) -> list[str]:
    x, y = WIDTH - RIGHT + 24, TOP + 14 + 48 * index
    return [
        _mark(x, y - 4, index),
        _text(x + 14, y, name),
        _text(x + 14, y + 16, span, colour="#555555"),
    ]


def _mark(x: float, y: float, index: int) -> str:
    corners = {
        "square": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        "diamond": ((0, -5), (5, 0), (0, 5), (-5, 0)),
        "up": ((0, -5), (5, 4), (-5, 4)),
        "down": ((0, 5), (5, -4), (-5, -4)),
        "cross": ((-5, -1), (5, -1), (5, 1), (-5, 1)),
    }
    kind, colour = MARKS[index % len(MARKS)], COLOURS[index % len(COLOURS)]
    if kind == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners[kind])
    return f'<polygon points="{points}" fill="{colour}"/>'


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 12,
    anchor: str = "start",
    colour: str = "#111111",
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}">{escape(words)}</text>'
