"""Neighbours: two lists as the stage said, a preview, and the way there and back."""

import numpy as np
import pytest
from pictures import CARD, teach
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton
from showing import show

from rllab_gui import resting
from rllab_gui.views.neighbour_rows import Neighbour, NeighbourRows, sentence
from rllab_gui.views.neighbours import DISTANCE, StepNeighboursView

WORD = ("left", "right").__getitem__


def row(number, **changes):
    given = {
        "distance": 0.1 * number,
        "action": number % 2,
        "value": 60.0 + number,
        "explored": False,
        "kind": "training",
        "episode": number,
        "t": 10 + number,
        "taken": 1,
        "return_to_go": 40.0 + number,
        "ended": True,
        "frame": np.full((20, 30, 3), 9, np.uint8),
    }
    return given | changes


def unknown(number):
    keys = ("distance", "action", "value", "explored")
    return {name: it for name, it in row(number).items() if name in keys}


def answer(arguments):
    return {
        "embedding": [row(it) for it in range(1, 8)] + [unknown(8)],
        "observation": [row(it) for it in range(11, 19)],
        "states": 2000,
        "source": "the replay memory",
        "checkpoint_step": 12_400,
        "t": arguments["t"],
    }


def test_where_there_is_little_room_the_distance_goes_and_nothing_scrolls(
    qtbot, context
):
    view = StepNeighboursView(context)
    qtbot.addWidget(view)
    table = view.tables["embedding"]
    table.setParent(None)
    qtbot.addWidget(table)
    table.show()
    never = Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    seen = []
    for width in [*range(400, 60, -5), 400]:
        table.resize(width, 200)
        scrolls = table.horizontalScrollBarPolicy() != never
        seen.append((table.isColumnHidden(DISTANCE), scrolls))
        if not scrolls:
            assert sum(map(table.columnWidth, range(4))) <= table.viewport().width()
    assert list(dict.fromkeys(seen)) == [(False, False), (True, False), (True, True)]
    assert seen[-1] == (False, False)


def test_rows_say_what_is_known():
    known = Neighbour.of(row(3), WORD)
    assert known.words == (
        "training episode 3, t 13; distance 0.300, V(s) = 63.0; right (greedy) was "
        "taken; return from there 43.0."
    )
    cut = Neighbour.of(row(3, ended=False, explored=True), WORD)
    assert "right (explored)" in cut.words
    assert "at least 43.0" in cut.words
    lost = Neighbour.of(unknown(4), WORD)
    assert not lost.known
    assert lost.words.startswith("its episode is not recorded; distance 0.400")
    rows = NeighbourRows()
    assert rows.take((known, lost)) == 2
    assert [rows.text(0, it) for it in range(4)] == ["", "0.30", "right", "43"]
    assert rows.text(1, 3) == "–"
    assert sentence(()) == "There is no state like this one."
    assert sentence((known, known, lost)) == (
        "In 2 of the 3 states most alike to the network it would do right; the returns "
        "that followed were 43.0 to 43.0."
    )


@pytest.fixture
def view(context, client, qtbot, monkeypatch):
    monkeypatch.setattr(resting, "REST_MS", 0)
    teach(client)
    client.answers["neighbours"] = answer
    context.store.set_card(CARD)
    view = show(qtbot, StepNeighboursView(context), 360, 320)
    context.cursor.show_episode("training", 1, t=12)
    qtbot.waitUntil(lambda: context.pulse.beat() or bool(view.asked.answer))
    context.pulse.beat()
    return view


def test_both_lists_are_those_of_the_stage_with_pictures(view):
    near = view.tables["embedding"].model()
    assert near.rowCount() == 8
    assert near.index(0, 1).data() == "0.10"
    decoration = Qt.ItemDataRole.DecorationRole
    assert not near.index(0, 0).data(decoration).isNull()
    assert near.index(7, 0).data(decoration) is None
    assert view.tables["observation"].model().index(0, 1).data() == "1.1"
    assert view.answer_text().startswith("In 4 of the 8 states most alike")
    np.testing.assert_allclose(view.model()["distance_embedding"][0], 0.1)
    assert view.tables["observation"].objectName() == "step.why.neighbours.replay"


def test_a_click_previews_and_a_double_click_goes_there_and_back(view, context, qtbot):
    table = view.tables["embedding"]
    table.selectRow(1)
    assert not view.preview.isHidden()
    assert view.chosen.episode == 2
    assert context.cursor.position.episode == 1
    table.activated.emit(table.model().index(2, 0))
    position = context.cursor.position
    assert (position.kind, position.episode, position.t) == ("training", 3, 13)
    context.why.trail.back()
    position = context.cursor.position
    assert (position.kind, position.episode, position.t) == ("training", 1, 12)
    table.activated.emit(table.model().index(7, 0))  # not recorded
    assert context.cursor.position.episode == 1
    assert view._go.isHidden()


def test_when_else_selects_the_states_in_all_views(view, context, client, qtbot):
    found = {"t": 12, "action": 1, "value": 62.0, "tolerance": 1.5, "count": 3}
    found |= {"states": 2000, "checkpoint_step": 5}
    found |= {"episodes": np.array([4, 7]), "steps": np.array([1, 9])}
    client.answers["when_else"] = lambda arguments: found
    view.findChild(QToolButton, "step.why.when").click()
    context.pulse.beat()
    context.pulse.beat()
    assert context.selection.steps == {(4, 1), (7, 9)}
    assert view.answer_text().startswith(
        "When else? In 3 of 2,000 states of the map it would do right too, with V(s) = "
        "62.0 ± 1.50"
    )
    client.answers["when_else"] = lambda arguments: "There is no map of states yet."
    view.findChild(QToolButton, "step.why.when").click()
    context.pulse.beat()
    context.pulse.beat()
    assert view.answer_text().startswith("There is no map of states yet.")
    context.cursor.seek(14)
    context.pulse.beat()
    assert "no map" not in view.answer_text()


def test_without_states_it_says_why(view, context, client, qtbot):
    client.answers["neighbours"] = lambda arguments: "No states are recorded."
    context.cursor.seek(20)
    qtbot.waitUntil(lambda: context.pulse.beat() or bool(view.asked.problem))
    assert view.emptiness()[1] == "No states are recorded."
