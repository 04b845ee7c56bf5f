"""Grids as text: one character for each cell, one line for each row."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

WALL, FREE, START, GOAL, PIT = "#", ".", "S", "G", "P"
LARGEST_SIDE = 40

LAYOUTS = {
    "garden": """\
S....#..
.##.....
...#.#..
.#...#P.
.#.#....
....#.#.
.#P.....
...#..#G""",
    "classic": """\
...G
.#.P
S...""",
    "open": """\
S.....
......
......
......
......
.....G""",
    "cliff": """\
............
............
............
SPPPPPPPPPPG""",
    "bridge": """\
#PPPPP#
S.....G
#PPPPP#""",
    "four-rooms": """\
S....#.....
.....#.....
...........
.....#.....
.....#.....
#.####.....
.....###.##
.....#.....
.....#.....
...........
.....#....G""",
    "maze": """\
S.#.....#.
..#.###.#.
#...#...#.
..###.###.
.##...#...
....#.#.##
.##.#.#...
..#.#.###.
#.#.#.....
..#...###G""",
}
"""Layouts by name; ``classic`` is that of Russell and Norvig's textbook."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A grid that has been read and can be solved.

    Cells are numbered row by row from the top left, walls included.
    """

    rows: tuple[str, ...]

    @property
    def height(self) -> int:
        """Number of rows."""
        return len(self.rows)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0])

    def places(self) -> tuple[str, ...]:
        """Where each cell is, in words."""
        cells = (divmod(cell, self.width) for cell in range(self.height * self.width))
        return tuple(f"row {row}, column {column}" for row, column in cells)

    def cells(self, kinds: str) -> tuple[int, ...]:
        """Numbers of all cells of these kinds, in order."""
        return tuple(i for i, cell in enumerate("".join(self.rows)) if cell in kinds)

    def neighbour(self, cell: int, direction: tuple[int, int]) -> int:
        """Where a move leads: the cell itself where a wall or the edge is."""
        row, column = divmod(cell, self.width)
        row, column = row + direction[0], column + direction[1]
        inside = 0 <= row < self.height and 0 <= column < self.width
        if not inside or self.rows[row][column] == WALL:
            return cell
        return row * self.width + column


DIRECTIONS = ((-1, 0), (0, 1), (1, 0), (0, -1))
"""(rows, columns) that a move goes: up, right, down, left."""


def read_layout(name_or_text: str) -> Layout:
    """A layout by its name, or from text of ``# . S G P``.

    Raises:
      ValueError: In one sentence, if it is neither or cannot be played.
    """
    text = name_or_text.strip("\n")
    if text in LAYOUTS:
        text = LAYOUTS[text]
    elif "\n" not in text and not set(text) <= {WALL, FREE, START, GOAL, PIT}:
        raise ValueError(_unknown_name(text))
    layout = Layout(tuple(line.strip() for line in text.split("\n")))
    complaint = _complaint(layout)
    if complaint:
        raise ValueError(complaint)
    return layout


def _unknown_name(name: str) -> str:
    near = difflib.get_close_matches(name, LAYOUTS, n=1, cutoff=0.4)
    known = f"did you mean {near[0]}?" if near else f"there are {', '.join(LAYOUTS)}."
    return (
        f"There is no layout '{name}' ({known[:-1]}); a layout of your own has a "
        "line for each row, of the characters # . S G P."
    )


def _complaint(layout: Layout) -> str:
    """What is wrong with a layout, or an empty string."""
    strange = _strange(layout)
    uneven = [
        row + 1 for row, line in enumerate(layout.rows) if len(line) != layout.width
    ]
    if strange:
        return (
            f"{strange} of the layout; it takes # (wall), . (free), S (start), "
            "G (goal) and P (pit)."
        )
    if uneven:
        return (
            f"Row {uneven[0]} of the layout has {len(layout.rows[uneven[0] - 1])} "
            f"cells and the first has {layout.width}: make all rows equally long."
        )
    if max(layout.height, layout.width) > LARGEST_SIDE:
        return (
            f"The layout has more than {LARGEST_SIDE} rows or columns: make it smaller."
        )
    for kind, word in ((START, "start (S)"), (GOAL, "goal (G)")):
        if not layout.cells(kind):
            return f"The layout has no {word}: put one in."
    return _unreachable(layout)


def _strange(layout: Layout) -> str:
    """Where the first unknown character stands, or an empty string."""
    for row, line in enumerate(layout.rows):
        for column, cell in enumerate(line):
            if cell not in (WALL, FREE, START, GOAL, PIT):
                place = f"row {row + 1}, column {column + 1}"
                return f"There is the character '{cell}' in {place}"
    return ""


def _unreachable(layout: Layout) -> str:
    goals = set(layout.cells(GOAL))
    for start in layout.cells(START):
        if not _reachable(layout, start) & goals:
            row, column = divmod(start, layout.width)
            return (
                f"No goal can be reached from the start in row {row + 1}, column "
                f"{column + 1} of the layout: open a way."
            )
    return ""


def _reachable(layout: Layout, start: int) -> set[int]:
    """Cells that can be reached without passing a goal or a pit."""
    ends = set(layout.cells(GOAL + PIT))
    seen, frontier = {start}, [start]
    while frontier:
        cell = frontier.pop()
        if cell in ends:
            continue
        for direction in DIRECTIONS:
            there = layout.neighbour(cell, direction)
            if there not in seen:
                seen.add(there)
                frontier.append(there)
    return seen
