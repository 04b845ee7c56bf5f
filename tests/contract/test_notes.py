"""Notes of a file are taken one by one; what is no note is left out."""

import msgspec
import pytest

from engine.contract.notes import (
    MOST_NOTES,
    Bookmark,
    Branch,
    LoopRange,
    Notes,
    Place,
    Rollout,
    notes_from,
    place_from,
)

PLACE = {"kind": "training", "episode": 1, "t": 2}
ONE = {"id": "a1", "kind": "training", "episode": 3, "t": 7, "text": "<b>now</b>"}


def test_what_was_kept_comes_back():
    branch = Branch(
        "b1", "left at 4", "evaluation", 2, 4, 0, 100, 0.99, "exact", "own snapshot",
        [Rollout([0, 1], [1.0, 1.0], [1], terminated=True)],
    )  # fmt: skip
    kept = Notes([Bookmark(**ONE)], [LoopRange("training", 3, 4, 9)], [branch])
    assert notes_from({"notes": msgspec.to_builtins(kept)}) == kept


@pytest.mark.parametrize(
    "row",
    [
        7,
        None,
        [ONE],
        ONE | {"t": "7"},
        ONE | {"t": -1},
        ONE | {"episode": 2**70},
        ONE | {"kind": "other"},
        ONE | {"text": "x" * 5_000},
        ONE | {"id": "x" * 5_000},
        {"id": "a1"},
    ],
)
def test_a_row_that_is_no_bookmark_is_left_out(row):
    found = notes_from({"notes": {"bookmarks": [row, ONE], "loops": row}})
    assert found == Notes([Bookmark(**ONE)])


@pytest.mark.parametrize("views", [{}, {"notes": 3}, {"notes": {"bookmarks": {}}}])
def test_views_without_notes_hold_none(views):
    assert notes_from(views) == Notes()


def test_more_than_a_session_holds_is_not_read():
    rows = [ONE | {"t": t} for t in range(MOST_NOTES + 5)]
    assert len(notes_from({"notes": {"bookmarks": rows}}).bookmarks) == MOST_NOTES


def test_a_place_comes_back_as_it_was_left():
    place = Place("evaluation", 400, 12, 300)
    assert place_from({"place": msgspec.to_builtins(place), "notes": {}}) == place


@pytest.mark.parametrize(
    "kept",
    [None, 7, [], {}, {"kind": "branch", "episode": 1, "t": 2}, PLACE | {"t": -1}],
)
def test_what_is_no_place_is_none(kept):
    assert place_from({"place": kept}) is None
    assert place_from({}) is None
