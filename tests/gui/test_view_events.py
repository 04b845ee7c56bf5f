"""Events: newest first, equal ones counted, and what one reads stays put."""

import pytest
from PySide6.QtCore import Qt
from showing import show

from engine.contract.messages import Event
from rllab_gui.views.events import SHOWN, EventsView, folded


def event(number, kind="option", text=None):
    return Event(kind, number, text or f"event {number}", 1.7e9 + number)


@pytest.fixture
def view(context, qtbot):
    return show(qtbot, EventsView(context), 480, 260)


@pytest.fixture
def play(context, client):
    def at_once(*messages):
        client.play(*messages)
        context.pulse.beat()

    return at_once


def cells(view, row):
    return [view.rows.text(row, column) for column in range(4)]


def test_the_newest_is_first(view, play):
    play(event(1), event(2), event(3))
    assert [row.event.step for row in view.rows.rows] == [3, 2, 1]
    step, time, kind, text = cells(view, 0)
    assert (step, kind, text) == ("3", "option changed", "event 3")
    assert len(time) == len("12:34:56")


def test_equal_neighbours_are_one_row_with_a_counter():
    same = [event(i, "problem", "Loss became NaN.") for i in range(312)]
    rows = folded([event(0), *same])
    assert len(rows) == 2
    assert rows[0].text == "Loss became NaN.   × 312"
    assert rows[0].event.step == 311


def test_the_list_is_capped():
    assert len(folded(event(i) for i in range(3 * SHOWN))) == SHOWN


@pytest.mark.parametrize(
    ("words", "steps"),
    [("", [3, 2, 1]), ("checkpoint", [2]), ("OPTION 3", [3]), ("nothing", [])],
)
def test_a_filter_keeps_rows_with_all_words(view, play, context, words, steps):
    play(event(1), event(2, "checkpoint"), event(3))
    view.filter.setText(words)
    context.pulse.beat()
    assert [row.event.step for row in view.rows.rows] == steps


def test_new_events_do_not_move_what_is_read(view, play):
    play(*[event(i) for i in range(100)])
    view.table.selectRow(45)
    view.table.verticalScrollBar().setValue(40)
    top = view.table.rowAt(0)
    assert top == 40
    seen = cells(view, top)
    chosen = view.rows.rows[45].event
    play(event(100), event(101), event(102))
    assert cells(view, view.table.rowAt(0)) == seen
    assert view.rows.rows[view.table.currentIndex().row()].event is chosen


def test_before_anything_happens_it_says_so(view):
    assert view.emptiness()[0] == "Nothing has happened yet."


def test_headings_are_explained(view):
    model = view.table.model()
    for column in range(model.columnCount()):
        for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            assert model.headerData(column, Qt.Orientation.Horizontal, role)
