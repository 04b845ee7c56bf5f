"""Drawing of single panels into a box: title bar, Q bars, value graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

from engine.media.scene import Scene
from engine.media.themes import Colour, Theme, font, printable

SMALL, NORMAL, LARGE = 11, 13, 16
LEAST_ROW = 15
NAME_WIDTH = 96


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; right and bottom are outside of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    def inset(self, by: int) -> Box:
        """The box without a margin on each side."""
        return Box(self.left + by, self.top + by, self.right - by, self.bottom - by)

    def split(self, share: float) -> tuple[Box, Box]:
        """An upper part with this share of the height, and the rest."""
        middle = self.top + round(self.height * share)
        return (
            Box(self.left, self.top, self.right, middle),
            Box(self.left, middle, self.right, self.bottom),
        )


@dataclass(frozen=True, slots=True)
class Pen:
    """What draws, and in which colours."""

    draw: ImageDraw.ImageDraw
    theme: Theme

    def text(
        self,
        at: tuple[float, float],
        text: str,
        colour: Colour,
        size: int = NORMAL,
        anchor: str = "lm",
        room: float = 0.0,
    ) -> None:
        """Write, cut with dots where ``room`` pixels do not suffice."""
        text, shown = printable(text), font(size)
        if room and shown.getlength(text) > room:
            while text and shown.getlength(text + "...") > room:
                text = text[:-1]
            text += "..."
        self.draw.text(at, text, font=shown, fill=colour, anchor=anchor)


def title_bar(pen: Pen, box: Box, title: str, caption: str) -> None:
    """Title on the left, caption on the right, a line below."""
    middle = (box.top + box.bottom) / 2
    room = font(NORMAL).getlength(printable(caption))
    left = max(box.width - room - 36, box.width / 3)
    pen.text((box.left + 12, middle), title, pen.theme.text, LARGE, room=left)
    pen.text(
        (box.right - 12, middle),
        caption,
        pen.theme.quiet,
        anchor="rm",
        room=box.width - 36 - min(left, font(LARGE).getlength(printable(title))),
    )
    last = box.bottom - 1
    pen.draw.line((box.left, last, box.right, last), fill=pen.theme.line)


def q_bars(pen: Pen, box: Box, scene: Scene) -> None:
    """One bar per action with a common zero; the action taken is filled."""
    pen.text((box.left, box.top + 8), "Q(s, a)", pen.theme.text)
    if not scene.q.size:
        pen.text((box.left, box.top + 32), "no network yet", pen.theme.quiet, SMALL)
        return
    rows = Box(box.left, box.top + 22, box.right, box.bottom)
    shown = min(scene.q.size, max(1, rows.height // LEAST_ROW))
    row = min(rows.height / shown, 44)
    low, high = _with_zero(scene.q_range, scene.q)
    area = Box(rows.left + NAME_WIDTH, rows.top, rows.right - 56, rows.bottom)
    for action in range(shown):
        middle = rows.top + (action + 0.5) * row
        _q_bar(pen, area, scene, action, middle, 0.3 * row, (low, high))
    zero = _across(area, 0.0, (low, high))
    bottom = rows.top + shown * row
    pen.draw.line((zero, rows.top, zero, bottom), fill=pen.theme.line)
    if shown < scene.q.size:
        rest = f"{scene.q.size - shown} more actions"
        pen.text((box.right, box.top + 8), rest, pen.theme.quiet, SMALL, "rm")


def _q_bar(
    pen: Pen,
    area: Box,
    scene: Scene,
    action: int,
    middle: float,
    half: float,
    limits: tuple[float, float],
) -> None:
    names, value = scene.action_names, float(scene.q[action])
    name = names[action] if action < len(names) else str(action)
    taken = action == scene.action
    colour = pen.theme.taken if taken else pen.theme.value
    pen.text(
        (area.left - NAME_WIDTH, middle),
        name,
        pen.theme.text,
        SMALL,
        room=NAME_WIDTH - 6,
    )
    if not np.isfinite(value):
        pen.text((area.left, middle), "not a number", pen.theme.taken, SMALL)
        return
    ends = sorted((_across(area, 0.0, limits), _across(area, value, limits)))
    corners = (ends[0], middle - half, ends[1], middle + half)
    pen.draw.rectangle(corners, fill=colour if taken else None, outline=colour, width=2)
    text = f"{value:.3g}"
    if taken and scene.reason not in ("", "greedy"):
        text += " ?"
    pen.text((area.right + 54, middle), text, colour, SMALL, "rm")


def value_graph(pen: Pen, box: Box, scene: Scene) -> None:
    """V(s) over the steps, with the step that is shown marked."""
    pen.text((box.left, box.top + 8), "V(s) = max Q(s, a)", pen.theme.text)
    values = np.asarray(scene.values, np.float64)
    known = np.isfinite(values)
    if not known.any():
        pen.text((box.left, box.top + 32), "not known yet", pen.theme.quiet, SMALL)
        return
    area = Box(box.left, box.top + 24, box.right, box.bottom - 2)
    pen.draw.rectangle(_corners(area), fill=pen.theme.panel)
    limits = _widened(float(values[known].min()), float(values[known].max()))
    points = _thinned(values, area.width)
    line = [
        (_along(area, t, values.size), _up(area, value, limits)) for t, value in points
    ]
    if len(line) > 1:
        pen.draw.line(line, fill=pen.theme.value, width=2)
    _mark(pen, area, scene.t, values, limits)
    for value, at in ((limits[1], area.top + 8), (limits[0], area.bottom - 8)):
        pen.text((area.left + 3, at), f"{value:.3g}", pen.theme.quiet, SMALL)


def _mark(
    pen: Pen, area: Box, t: int, values: np.ndarray, limits: tuple[float, float]
) -> None:
    x = _along(area, t, values.size)
    pen.draw.line((x, area.top, x, area.bottom - 1), fill=pen.theme.quiet)
    if 0 <= t < values.size and np.isfinite(values[t]):
        y = _up(area, float(values[t]), limits)
        pen.draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=pen.theme.taken)
        end = x < area.right - 60
        pen.text(
            (x + 8 if end else x - 8, min(max(y, area.top + 8), area.bottom - 8)),
            f"{values[t]:.3g}",
            pen.theme.text,
            SMALL,
            "lm" if end else "rm",
        )


def _thinned(values: np.ndarray, width: int) -> list[tuple[int, float]]:
    """Known points; where there are many, least and greatest of each column."""
    steps = np.flatnonzero(np.isfinite(values))
    if steps.size <= 2 * width:
        return [(int(t), float(values[t])) for t in steps]
    kept: list[int] = []
    for part in np.array_split(steps, width):
        ends = {int(part[values[part].argmin()]), int(part[values[part].argmax()])}
        kept += sorted(ends)
    return [(t, float(values[t])) for t in kept]


def _corners(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.right - 1, box.bottom - 1


def _with_zero(limits: tuple[float, float], q: np.ndarray) -> tuple[float, float]:
    finite = q[np.isfinite(q)]
    low = min(0.0, limits[0], *map(float, finite))
    high = max(0.0, limits[1], *map(float, finite))
    return (low, high) if high > low else (low, low + 1.0)


def _widened(low: float, high: float) -> tuple[float, float]:
    margin = 0.05 * (high - low) or max(0.05 * abs(high), 0.5)
    return low - margin, high + margin


def _across(area: Box, value: float, limits: tuple[float, float]) -> float:
    return area.left + (value - limits[0]) / (limits[1] - limits[0]) * area.width


def _up(area: Box, value: float, limits: tuple[float, float]) -> float:
    share = (value - limits[0]) / (limits[1] - limits[0])
    return area.bottom - 1 - share * (area.height - 1)


def _along(area: Box, t: int, count: int) -> float:
    return area.left + 6 + t / max(1, count - 1) * (area.width - 12)
