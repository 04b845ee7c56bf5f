"""The recorded episodes as columns: which match a filter, in which order; no Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from engine.contract.messages import EpisodeFinished
from rllab_gui.numbered import FIRST_ROOM, Numbered
from rllab_gui.views.filtering import FilterError, compared, parts_of, terms_of

NUMBERS = ("episode", "step0", "return", "length", "max_td", "seed")
COLUMNS = (*NUMBERS, "terminated", "kind")
KINDS = ("training", "evaluation")
WORDS = {
    "ep": "episode",
    "episode": "episode",
    "ret": "return",
    "return": "return",
    "len": "length",
    "length": "length",
    "td": "max_td",
    "max|d|": "max_td",
    "max_td": "max_td",
    "step": "step0",
    "seed": "seed",
    "kind": "kind",
}
EXAMPLE = "ret>490, len<20 or kind=evaluation"
EXTREME = 5.0
"""Returns in the outer so many percent of the session get a glyph."""


class EpisodeTable:
    """All recorded episodes, one row each, oldest first."""

    def __init__(self) -> None:
        self._held: dict[str, np.ndarray] = {}
        self._columns: dict[str, np.ndarray] = {}
        self._rows: tuple[Numbered, ...] = ()
        self._judge: int | None = None
        self._extremes: tuple[float, float] | None = None
        self.clear()

    def __len__(self) -> int:
        return len(self._columns["episode"])

    def column(self, name: str) -> np.ndarray:
        """A column; ``kind`` is 0 for training and 1 for evaluation."""
        return self._columns[name]

    def key(self, row: int) -> tuple[str, int]:
        """Kind and number of the episode in a row."""
        kind = KINDS[int(self._columns["kind"][row])]
        return kind, int(self._columns["episode"][row])

    def find(self, kind: str, episode: int) -> int:
        """Row of an episode; -1 where it is not recorded, and of a branch."""
        if kind not in KINDS:
            return -1
        row = self._rows[KINDS.index(kind)].get(episode)
        return -1 if row is None else row

    def clear(self) -> None:
        """Forget all."""
        self._extremes = None
        self._held = {name: np.empty(FIRST_ROOM) for name in COLUMNS}
        self._columns = {name: it[:0] for name, it in self._held.items()}
        self._rows = tuple(Numbered() for _ in KINDS)

    def judge_by(self, checkpoint: int) -> bool:
        """Forget the largest TD errors by other weights: they are not alike.

        Returns:
          Whether there were other ones.
        """
        other, self._judge = checkpoint != self._judge, checkpoint
        if other:
            self._columns["max_td"][:] = np.nan
        return other

    def set_max_td(self, kind: str, episode: int, largest: float) -> None:
        """Note the largest |TD error|, known once somebody has looked at it."""
        row = self.find(kind, episode)
        if row >= 0:
            self._columns["max_td"][row] = largest

    def take(self, answer: Mapping[str, Any]) -> None:
        """Add the recorded ones of the keeper's table; known rows stay as they are."""
        kinds = np.asarray([_kind_number(it) for it in answer.get("kind", ())], float)
        kept = np.asarray(answer.get("recorded", np.ones(len(kinds))), bool)
        rows = {"kind": kinds[kept]}
        for name in (*NUMBERS, "terminated"):
            given = answer.get(name, np.full(len(kinds), np.nan))
            rows[name] = np.asarray(given, np.float64)[kept]
        self._append(rows)

    def add(self, episodes: Iterable[EpisodeFinished], environments: int = 1) -> None:
        """Add episodes that have just ended.

        Of several ``environments`` each counts its part of the training steps.
        """
        done = list(episodes)
        self._append(
            {
                "episode": np.array([it.episode for it in done], np.float64),
                "step0": np.array(
                    [_began(it, environments) for it in done], np.float64
                ),
                "return": np.array([it.episode_return for it in done], np.float64),
                "length": np.array([it.length for it in done], np.float64),
                "max_td": np.full(len(done), np.nan),
                "seed": np.array([it.seed for it in done], np.float64),
                "terminated": np.array([it.terminated for it in done], np.float64),
                "kind": np.array([KINDS.index(it.kind) for it in done], np.float64),
            }
        )

    def _append(self, rows: dict[str, np.ndarray]) -> None:
        fresh = np.zeros(len(rows["kind"]), bool)
        for kind, known in enumerate(self._rows):
            mine = np.flatnonzero(rows["kind"] == kind)
            numbers = rows["episode"][mine].astype(np.int64)
            first = np.unique(numbers, return_index=True)[1]
            fresh[mine[first]] = ~known.known(numbers[first])
        if not fresh.any():
            return
        self._extremes = None
        begins = len(self)
        ends = begins + int(fresh.sum())
        if ends > len(self._held["kind"]):
            self._make_room(ends)
        for name, held in self._held.items():
            held[begins:ends] = rows[name][fresh]
        self._columns = {name: it[:ends] for name, it in self._held.items()}
        for kind, known in enumerate(self._rows):
            mine = begins + np.flatnonzero(self._columns["kind"][begins:] == kind)
            known.put_all(self._columns["episode"][mine].astype(np.int64), mine)

    def _make_room(self, size: int) -> None:
        for name, column in self._columns.items():
            self._held[name] = np.empty(max(size, 2 * len(column)))
            self._held[name][: len(column)] = column

    def glyph(self, row: int) -> str:
        """``^`` and ``??`` for the highest and lowest returns, ``T`` for truncated."""
        low, high = self._extreme_returns()
        value, sign = self._columns["return"][row], ""
        if high > low:
            sign = "^" if value >= high else "??" if value <= low else ""
        truncated = self._columns["terminated"][row] == 0.0
        return f"{sign} T".strip() if truncated else sign

    def _extreme_returns(self) -> tuple[float, float]:
        """Returns up to, and from, which they are among the lowest and highest."""
        if self._extremes is None:
            ends = [EXTREME, 100.0 - EXTREME]
            low, high = np.nanpercentile(self._columns["return"], ends)
            self._extremes = float(low), float(high)
        return self._extremes

    def rows(self, words: str, order: str, *, descending: bool) -> np.ndarray:
        """Indices of the rows that match, in this order.

        Raises:
          FilterError: If the filter cannot be read.
        """
        shown = np.flatnonzero(self.matches(words))
        values = self._columns[order][shown]
        values = np.where(np.isnan(values), -np.inf, values)
        if descending:  # equal ones: newest first
            return np.asarray(shown[::-1][np.argsort(-values[::-1], kind="stable")])
        return np.asarray(shown[np.argsort(values, kind="stable")])

    def matches(self, words: str) -> np.ndarray:
        """Which rows fulfil every term of the filter, bool [n]."""
        kept = np.ones(len(self), bool)
        for term in terms_of(words):
            kept &= self._term(term)
        return kept

    def _term(self, term: str) -> np.ndarray:
        if term in KINDS:
            return np.asarray(self._columns["kind"] == KINDS.index(term))
        name, sign, other = parts_of(term, WORDS, EXAMPLE)
        if name == "kind":
            return self._compare_kind(sign, other)
        return compared(self._columns[name], sign, other)

    def _compare_kind(self, sign: str, word: str) -> np.ndarray:
        kinds = [kind for kind in KINDS if kind.startswith(word)]
        if len(kinds) != 1 or sign not in ("=", "!="):
            raise FilterError("The kind is training or evaluation: kind=evaluation.")
        return compared(self._columns["kind"], sign, str(KINDS.index(kinds[0])))


def _kind_number(kind: Any) -> int:
    return KINDS.index(kind) if isinstance(kind, str) else int(kind)


def _began(episode: EpisodeFinished, environments: int) -> int:
    """Training step at which an episode began; an evaluation takes none."""
    if episode.kind == "evaluation":
        return episode.step
    return max(0, episode.step - episode.length * environments)
