"""All cells of a grid world as maps: what each one shows, in which colours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rllab_gui.plots.cells import Cells
from rllab_gui.plots.numbers import count, short
from rllab_gui.theme import Theme
from rllab_gui.views.embedding_points import ColourScale
from rllab_gui.views.episode_model import action_word
from rllab_gui.views.state_map import SHADES, Shade, diverging, scale_html, viridis

ALL = "all"
TOGETHER = ("value", "exact", "error")
"""The maps that :data:`ALL` stands for."""
TITLES = {
    ALL: "V, V* and the error",
    "value": "V(s)",
    "exact": "V*(s), exact",
    "error": "V − V*",
    "gap": "gap of Q",
    "action": "action",
}
GAP = Shade("gap of Q", "gap between the two best Q(s,a)")
BOTH = Shade("V and V*", "V(s) and V*(s)")

Answer = Mapping[str, Any]


def offered(answer: Answer) -> list[str]:
    """Names of :data:`TITLES` that this answer can show, the best one first."""
    known = [it for it in TITLES if it in answer]
    return [ALL, *known] if "exact" in answer else known


class WorldMaps:
    """The maps of one answer of the question ``value_slice`` about a grid.

    V and V* have one colour scale, so that equal colours are equal values; the error
    has one whose middle is 0.
    """

    def __init__(self, answer: Answer, theme: Theme) -> None:
        self.answer = answer
        self._marks, self._theme = tuple(answer["marks"]), theme
        self._real = np.array([not it for it in self._marks], bool)
        self._seen = np.asarray(answer["visited"]) > 0

    def drawn(self, what: str) -> list[tuple[str, Cells]]:
        """Titles and cells of one map, or of all that belong together."""
        names = TOGETHER if what == ALL else (what,)
        return [(TITLES[it], self._cells(it)) for it in names]

    def _cells(self, what: str) -> Cells:
        answer = self.answer
        values = np.asarray(answer[what], np.float64)
        words = [str(it) for it in answer["action_names"]]
        greedy = tuple(words[it] for it in np.asarray(answer["action"]).tolist())
        exact = what == "exact"
        return Cells(
            np.asarray(answer["place"]),
            values,
            self._colours(what, values),
            greedy if what in ("value", "gap", "action") else (),
            self._marks,
            greedy if what == "action" else tuple(map(short, values.tolist())),
            np.zeros_like(self._seen) if exact else ~self._seen,
            np.asarray(answer["path"], int),
            int(answer["here"]),
        )

    def _colours(self, what: str, values: np.ndarray) -> tuple[str, ...]:
        if what == "action":
            return tuple(map(self._theme.colour, values.astype(int).tolist()))
        paint: Callable[[float], str] = diverging if what == "error" else viridis
        placed = self.scale(what).take(np.where(self._real, values, np.nan))
        return tuple(map(paint, placed.tolist()))

    def scale(self, what: str) -> ColourScale:
        """From the least to the greatest value of the cells that count."""
        scale = ColourScale()
        scale.fit(self._ends(what))
        return scale

    def _ends(self, what: str) -> np.ndarray:
        one = self._of(what)
        if what == "error":
            most = float(np.abs(one).max(initial=0.0))
            return np.array([-most, most])
        if what in ("value", "exact") and "exact" in self.answer:
            return np.concatenate([self._of("value"), self._of("exact")])
        return one

    def _of(self, what: str) -> np.ndarray:
        found: np.ndarray = np.asarray(self.answer[what], np.float64)[self._real]
        return found

    # ------------------------------------------------------------------ words

    def legend(self, what: str) -> str:
        """The colour scales as rich text."""
        if what == "action":
            return ""
        names = ("value", "error") if what == ALL else (what,)
        parts = [scale_html(self._shade(it, what), self.scale(it)) for it in names]
        return "; ".join(parts)

    def _shade(self, name: str, what: str) -> Shade:
        if name == "gap":
            return GAP
        return BOTH if what == ALL and name == "value" else SHADES[name]

    def sentence(self, what: str) -> str:
        """What these maps say, in words."""
        parts = []
        if what == "action":
            parts.append(self._actions())
        elif what != ALL:
            parts.append(f"{TITLES[what]}: {self._span(what)}")
        else:
            parts += [f"{TITLES[it]}: {self._span(it)}" for it in ("value", "exact")]
        if what in (ALL, "error"):
            parts.append(self._error())
        return ". ".join(parts)

    def _span(self, what: str) -> str:
        values = self._of(what)
        return f"{short(float(values.min()))} to {short(float(values.max()))}"

    def _actions(self) -> str:
        words = [str(it) for it in self.answer["action_names"]]
        taken = self._of("action").astype(int)
        parts = [
            f"{action_word(words, it)} {100 * float(np.mean(taken == it)):.0f} %"
            for it in np.unique(taken).tolist()
        ]
        return f"Greedy action: {', '.join(parts)}"

    def _error(self) -> str:
        """How far V is from V*, where the agent has been and where it only guesses."""
        error, seen = self._of("error"), self._seen[self._real]
        parts = [
            f"{short(float(np.abs(error[which]).mean()))} over "
            f"{count(int(which.sum()))} {of}"
            for which, of in ((seen, "visited cells"), (~seen, "never visited"))
            if which.any()
        ]
        worst = int(np.abs(error).argmax())
        row, column = np.asarray(self.answer["place"])[self._real][worst].tolist()
        return (
            f"|V − V*| on average {' and '.join(parts)}; worst "
            f"{short(float(error[worst]))} at row {row}, column {column}"
        )

    def of_cell(self, cell: int) -> str:
        """All that is known of a cell."""
        answer = self.answer
        row, column = np.asarray(answer["place"])[cell].tolist()
        lines = [f"row {row}, column {column}"]
        if self._real[cell]:
            lines += [
                f"{title} {short(float(answer[name][cell]))}"
                for name, title in TITLES.items()
                if name in answer and name != "action"
            ]
            words = [str(it) for it in answer["action_names"]]
            lines.append(f"greedy: {action_word(words, int(answer['action'][cell]))}")
        seen = int(answer["visited"][cell])
        return "\n".join([*lines, f"{count(seen)} states seen here"])
