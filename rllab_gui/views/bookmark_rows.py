"""What the list of bookmarks shows: a person's own, and what stands out by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.contract.notes import Bookmark
from rllab_gui.plots.numbers import short
from rllab_gui.views.episode_model import Episode

MOST_OF_A_KIND = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A moment that can be gone to; without a bookmark it was found automatically."""

    t: int
    text: str
    bookmark: Bookmark | None = None


def bookmark_rows(bookmarks: Sequence[Bookmark], shown: Episode | None) -> list[Row]:
    """A person's bookmarks, those of the shown episode first; then what stands out."""
    here = shown.key[2:] if shown is not None else ()
    own = sorted(bookmarks, key=lambda it: (it.kind, it.episode) != here)
    rows = [Row(it.t, _own_words(it, here), it) for it in own]
    return rows + (standing_out(shown) if shown is not None else [])


def standing_out(shown: Episode) -> list[Row]:
    """The largest TD errors, and the explorations that mattered most."""
    rows = []
    for t in _largest(np.abs(shown.td_error)):
        delta = float(shown.td_error[t])
        glyph, plus = ("^", "+") if delta >= 0 else ("??", "")
        rows.append(Row(t, f"{glyph} t {t:,}  large δ {plus}{short(delta)}"))
    mattered = np.where(shown.explored, shown.judged.importance, np.nan)
    for t in _largest(mattered):
        word, much = shown.word(int(shown.actions[t])), short(float(mattered[t]))
        rows.append(Row(t, f"? t {t:,}  explored {word}, importance {much}"))
    return rows


def _own_words(bookmark: Bookmark, here: tuple[object, ...]) -> str:
    where = f"t {bookmark.t:,}"
    if (bookmark.kind, bookmark.episode) != here:
        where = f"{bookmark.kind} {bookmark.episode:,} {where}"
    first, _, more = bookmark.text.partition("\n")
    return f"⚑ {where}  {first}{' …' if more else ''}".rstrip()


def _largest(values: np.ndarray) -> list[int]:
    """Steps of the largest values, the largest first; NaN and zeros are none."""
    known = np.flatnonzero(np.isfinite(values) & (np.nan_to_num(values) > 0))
    ranked = known[np.argsort(-values[known], kind="stable")]
    return [int(t) for t in ranked[:MOST_OF_A_KIND]]
