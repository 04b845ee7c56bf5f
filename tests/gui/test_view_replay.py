"""The replay table: filter, sort, select, and go to the moment a step is from."""

import csv

import numpy as np
import pytest
from pictures import CARD
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from showing import drag, show

from engine.contract.messages import SessionStatus
from engine.contract.options import Configuration
from rllab_gui import resting
from rllab_gui.views import thumbnails
from rllab_gui.views.filtering import FilterError
from rllab_gui.views.replay import ReplayView
from rllab_gui.views.replay_rows import COLUMNS, ReplayRows

PRIORITY = np.array([0.5, 0.1, 2.0, 1.0, 0.2])
ANSWER = {
    "environment": np.zeros(5, np.int64),
    "episode": np.array([3, 3, 4, 4, -1]),
    "t": np.array([7, 8, 0, 1, 0]),
    "age": np.array([9, 8, 3, 2, 1]),
    "priority": PRIORITY,
    "priority_before": np.array([1.0, 0.3, np.nan, np.nan, np.nan]),
    "probability": PRIORITY / PRIORITY.sum(),
    "weight": np.ones(5),
    "times_sampled": np.array([4, 0, 1, 2, 0]),
    "checkpoint_step": 1_000,
    "before_step": 500,
    "kind": "prioritized",
    "capacity": 5_000,
    "priority_epsilon": 0.01,
}


@pytest.fixture
def rows():
    made = ReplayRows()
    made.take(ANSWER)
    return made


def order(rows, words="", by="priority", descending=True, only=None):
    return rows.arrange(words, by, descending=descending, only=only).tolist()


def test_rows_are_filtered_and_sorted(rows):
    assert order(rows) == [2, 3, 0, 4, 1]
    assert order(rows, by="age", descending=False) == [4, 3, 2, 1, 0]
    assert order(rows, "p>0.4 drawn>0") == [2, 3, 0]
    assert order(rows, "before>0") == [0, 1]
    assert order(rows, only=rows.within("priority", 0.15, 0.6)) == [0, 4]
    with pytest.raises(FilterError, match=r"p>0.5, age<1000"):
        order(rows, "colour=red")


def test_a_cell_says_what_is_known(rows):
    rows.set_order(np.array([2, 0, 4]))
    names = [it.name for it in COLUMNS]
    said = {name: rows.text(0, column) for column, name in enumerate(names)}
    assert (said["episode"], said["t"], said["priority"]) == ("4", "0", "2")
    assert said["priority_before"] == ""
    assert float(said["td_error"]) == pytest.approx(1.99)
    assert rows.text(1, names.index("priority_before")) == "1"
    rows.set_order(np.array([1]))
    assert rows.text(0, names.index("td_error")) == ""  # never learned from
    rows.set_order(np.array([2, 0, 4]))
    assert rows.text(2, names.index("episode")) == "–"
    assert "double-click goes there" in rows.tip(0, 0)


@pytest.fixture
def view(context, client, qtbot, monkeypatch):
    monkeypatch.setattr(resting, "REST_MS", 0)
    monkeypatch.setattr(thumbnails, "REST_MS", 0)
    client.answers["replay_contents"] = lambda arguments: ANSWER
    picture = np.full((1, 4, 6, 3), 200, np.uint8)
    client.answers["frames"] = lambda arguments: {"frames": picture}
    client.answers["checkpoints"] = lambda arguments: {
        "step": np.array([500, 1_000]),
        "best": np.array([False, True]),
    }
    view = show(qtbot, ReplayView(context), 700, 320)
    configuration = Configuration().with_options({"replay.kind": "prioritized"})
    text = configuration.to_json()
    context.store.set_card(CARD)
    client.play(SessionStatus("s", "/s.h5", "uuid-1", False, text))

    def ready():
        context.pulse.beat()
        return view.rows.count() == 5

    qtbot.waitUntil(ready)
    context.pulse.beat()
    return view


def select(view, *rows):
    flags = QItemSelectionModel.SelectionFlag
    view.table.clearSelection()
    for row in rows:
        index = view.table.model().index(row, 0)
        view.table.selectionModel().select(index, flags.Select | flags.Rows)


def test_double_click_goes_to_the_moment_it_came_from(view, context, qtbot):
    view.table.activated.emit(view.table.model().index(0, 1))
    position = context.cursor.position
    assert (position.kind, position.episode, position.t) == ("training", 4, 0)
    view.table.activated.emit(view.table.model().index(3, 1))  # nobody knows which
    assert context.cursor.position == position


def test_columns_have_room_for_their_numbers_until_one_is_pulled(view, qtbot):
    """Also where they are laid out while a button is held, as on the way to a tab."""
    table, header = view.table, view.table.horizontalHeader()
    qtbot.mousePress(view.filter, Qt.MouseButton.LeftButton)
    view.resize(900, 400)
    qtbot.mouseRelease(view.filter, Qt.MouseButton.LeftButton)
    narrow = {}
    view.resize(760, 400)
    for column in range(len(COLUMNS)):
        narrow[column] = table.columnWidth(column)
        if not table.isColumnHidden(column):
            assert narrow[column] >= table.sizeHintForColumn(column)
    view.resize(900, 400)
    assert table.columnWidth(1) > narrow[1]
    edge = QPoint(header.sectionPosition(2) - 1, header.height() // 2)
    drag(header.viewport(), edge, edge + QPoint(9, 0))
    pulled = table.columnWidth(1)
    view.resize(1_000, 400)
    assert table.columnWidth(1) == pulled


def test_a_selection_is_one_for_all_views(view, context):
    select(view, 0, 2)
    assert context.selection.steps == {(4, 0), (3, 7)}
    assert context.selection.words == "2 steps"
    context.pulse.beat()
    assert view.chip.isVisible()
    assert view.rows.count() == 5
    context.selection.choose([(3, 8)], "1 state of the map", "embedding")
    context.pulse.beat()
    assert view.rows.order.tolist() == [1]
    view.chip.click()
    context.pulse.beat()
    assert view.rows.count() == 5
    assert not context.selection.steps


def test_a_bin_of_the_histogram_is_a_selection(view, context):
    context.selection.rangeAsked.emit(0.15, 0.6)
    context.pulse.beat()
    assert view.rows.order.tolist() == [0, 4]
    assert context.selection.steps == {(3, 7), (-1, 0)}
    assert view.chip.text().startswith("2 steps with p 0.150 to 0.600")
    context.selection.choose([(4, 1)], "1 state of the map", "embedding")
    context.pulse.beat()
    assert view.rows.order.tolist() == [3]


def test_a_filter_that_cannot_be_read_says_so(view, context):
    view.filter.setText("p>>")
    context.pulse.beat()
    assert "cannot be read" in view.words.text() or "not a number" in view.words.text()
    assert view.rows.count() == 5


def test_rows_get_their_pictures(view, context, qtbot):
    def ready():
        context.pulse.beat()
        return view.thumbnails.picture((4, 1)) is not None

    qtbot.waitUntil(ready)
    index = view.table.model().index(1, 0)
    picture = view.table.model().data(index, Qt.ItemDataRole.DecorationRole)
    assert [(it.width(), it.height()) for it in picture.availableSizes()] == [(6, 4)]


def test_what_is_selected_is_exported(view, context, tmp_path):
    select(view, 0)
    path = tmp_path / "rows.csv"
    assert view.export(str(path))
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# 5 of 5 steps")
    table = list(csv.DictReader(lines[1:]))
    assert [float(it["priority"]) for it in table] == [2.0]
    assert not view.export(str(tmp_path / "missing" / "rows.csv"))
