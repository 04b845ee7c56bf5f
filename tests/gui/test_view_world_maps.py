"""A grid world in the slice panel: V, V* and the error of every cell."""

from dataclasses import replace

import numpy as np
import pytest
from pictures import CARD, judged, numbered
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QComboBox
from showing import show

from engine.contract.catalogue import EnvironmentCard
from rllab_gui import resting
from rllab_gui.plots.cells import Cells
from rllab_gui.plots.maps import MapsCanvas
from rllab_gui.views.state_map import diverging
from rllab_gui.views.value_slice import ValueSliceView
from rllab_gui.views.world_maps import WorldMaps

PLACES = [(row, column) for row in (0, 1) for column in (0, 1, 2)]
GRID = EnvironmentCard(
    id="RLLab/GridWorld-v0",
    observation="onehot",
    shape=(6,),
    observation_names=tuple(f"row {r}, column {c}" for r, c in PLACES),
    actions=4,
    action_names=("up", "right", "down", "left"),
)
VALUE = np.array([0.5, 1.0, 0.25, 9.0, 7.0, 8.0])
EXACT = np.array([0.81, 0.9, 1.0, 0.0, 0.0, 0.0])


def answer(arguments):
    return {
        "place": np.array(PLACES),
        "state": np.arange(6),
        "value": VALUE,
        "gap": VALUE / 10,
        "action": np.array([1, 1, 2, 0, 0, 0]),
        "marks": ["", "", "", "#", "P", "G"],
        "exact": EXACT,
        "error": VALUE - EXACT,
        "visited": np.array([4, 2, 0, 0, 0, 1]),
        "path": np.array([0, 1, 0, 1]),
        "here": 1,
        "action_names": list(GRID.action_names),
        "checkpoint_step": 300,
    }


@pytest.fixture
def given():
    """What the stage answers; a test may change it."""
    return answer({})


@pytest.fixture
def view(context, client, qtbot, monkeypatch, given):
    monkeypatch.setattr(resting, "REST_MS", 0)
    client.answers["value_slice"] = lambda arguments: dict(given)
    client.answers["judge_episode"] = lambda arguments: judged(
        3, actions=4, action_names=list(GRID.action_names)
    )
    client.answers["frames"] = lambda arguments: {
        "frames": numbered(arguments["first"], arguments["last"])
    }
    context.store.set_card(GRID)
    view = show(qtbot, ValueSliceView(context), 640, 400)
    context.cursor.place(session="s", kind="evaluation", episode=0, t=1)

    def ready():
        context.pulse.beat()
        return bool(view.asked.answer) and "value" in view.model()

    qtbot.waitUntil(ready)
    return view


def ask_anew(view, qtbot):
    """Another step is another question; its answer is awaited."""
    before = view.asked.answer
    view.context.cursor.place(session="s", kind="evaluation", episode=0, t=2)

    def ready():
        view.context.pulse.beat()
        return view.asked.answer is not before

    qtbot.waitUntil(ready)
    view.context.pulse.beat()


def choose(view, name):
    box = view.findChild(QComboBox, "step.slice.what")
    at = box.findData(name)
    assert at >= 0, name
    box.setCurrentIndex(at)
    box.activated.emit(at)
    view.context.pulse.beat()


def names_in(view, box="step.slice.what"):
    box = view.findChild(QComboBox, box)
    return [box.itemText(at) for at in range(box.count())]


def test_three_maps_stand_side_by_side(view):
    maps = view.slice.maps
    assert view.plot.canvas is maps
    assert maps.isVisible()
    assert list(maps.titles) == ["V(s)", "V*(s), exact", "V − V*"]
    value, exact, error = (it.cells for it in maps.maps)
    for shown in (value, exact, error):
        assert shown.mark == ("", "", "", "#", "P", "G")
        assert shown.way.tolist() == [0, 1, 0, 1]
        assert shown.here == 1
    assert value.action[:3] == ("right", "right", "down")
    assert exact.action == error.action == ()
    assert value.text[0] == "0.500"
    assert exact.text[0] == "0.810"
    assert error.text[0] == "−0.310"
    assert view.model()["row"].tolist() == [row for row, _ in PLACES]
    assert view.model()["column"].tolist() == [column for _, column in PLACES]


def test_two_numbers_to_span_it_are_not_asked_for(view, client):
    for name in "xy":
        assert view.findChild(QComboBox, f"step.slice.{name}").isHidden()
    asked = client.questions("value_slice")[-1].arguments
    assert not {"x", "y"} & set(asked)
    assert asked["t"] == 1


def test_equal_colours_of_value_and_exact_are_equal_values(view, given, qtbot):
    given["exact"] = np.array([0.5, 0.9, 1.0, 0.0, 0.0, 0.0])
    ask_anew(view, qtbot)
    value, exact, _ = (it.cells for it in view.slice.maps.maps)
    assert value.value[0] == exact.value[0]
    assert value.colour[0] == exact.colour[0]
    assert value.colour[1] == exact.colour[2]  # both 1.00
    assert value.colour[0] != value.colour[1]


def test_no_error_is_the_middle_of_its_colours(view, given, qtbot):
    given["error"] = np.array([-0.3, 0.0, 0.1, 0.0, 0.0, 0.0])
    ask_anew(view, qtbot)
    error = view.slice.maps.maps[2].cells
    assert error.colour[0] == diverging(0.0)
    assert error.colour[1] == diverging(0.5)
    assert error.colour[2] == diverging(2 / 3)


def test_cells_that_were_never_visited_are_hatched_but_not_in_the_exact_map(view):
    value, exact, error = (it.cells for it in view.slice.maps.maps)
    assert value.hatched.tolist() == [False, False, True, True, True, False]
    assert error.hatched.tolist() == value.hatched.tolist()
    assert not exact.hatched.any()


def test_the_sentence_tells_visited_from_guessed(view):
    words = view.answer_text()
    assert "V(s): 0.250 to 1.00" in words
    assert "V*(s), exact: 0.810 to 1.00" in words
    # visited (-0.31, 0.1), guessed -0.75; walls, pits and goals do not count
    assert (
        "|V − V*| on average 0.205 over 2 visited cells and 0.750 over 1 never visited"
    ) in words
    assert "worst −0.750 at row 0, column 2" in words
    assert "Checkpoint 300" in words


def test_single_maps_can_be_chosen(view):
    assert names_in(view) == [
        "V, V* and the error",
        "V(s)",
        "V*(s), exact",
        "V − V*",
        "gap of Q",
        "action",
    ]
    choose(view, "gap")
    (only,) = view.slice.maps.maps
    assert only.cells.value.tolist() == (VALUE / 10).tolist()
    assert "gap of Q: 0.0250 to 0.100" in view.answer_text()
    choose(view, "action")
    (only,) = view.slice.maps.maps
    assert only.cells.text[:3] == ("right", "right", "down")
    assert "right 67 %" in view.answer_text()
    choose(view, "all")
    assert len(view.slice.maps.maps) == 3


def test_without_an_exact_solution_there_are_maps_of_the_value_alone(
    view, given, qtbot
):
    for name in ("exact", "error"):
        del given[name]
    ask_anew(view, qtbot)
    assert names_in(view) == ["V(s)", "gap of Q", "action"]
    assert list(view.slice.maps.titles) == ["V(s)"]
    assert "V*" not in view.answer_text()


def test_a_cell_under_the_pointer_says_all_of_itself(view):
    first = view.slice.maps.maps[0]
    at = first.rect_of(2).center()
    assert first.cell_at(at) == 2
    assert first.cell_at(QPointF(-5, -5)) == -1
    maps = WorldMaps(view.asked.answer, view.context.theme)
    assert maps.of_cell(2).splitlines() == [
        "row 0, column 2",
        "V(s) 0.250",
        "V*(s), exact 1.00",
        "V − V* −0.750",
        "gap of Q 0.0250",
        "greedy: down",
        "0 states seen here",
    ]
    assert maps.of_cell(3).splitlines() == ["row 1, column 0", "0 states seen here"]


def test_another_world_brings_the_slice_back(view, context):
    context.store.set_card(CARD)
    for name in "xy":
        assert not view.findChild(QComboBox, f"step.slice.{name}").isHidden()
    assert {"x", "y"} <= set(view.wish(context.episode.moment))


def test_the_way_ends_at_the_border_of_what_is_written(view):
    first = view.slice.maps.maps[0]
    first.show_cells(replace(first.cells, way=np.array([1, 2, 5])))
    path = first._way([first.rect_of(it) for it in range(6)])
    end = path.currentPosition()
    assert end.y() == pytest.approx(first.rect_of(5).top())
    assert path.elementAt(0).y == pytest.approx(first.rect_of(1).center().y())


def grid_of(rows, columns):
    place = np.array(
        [(row, column) for row in range(rows) for column in range(columns)]
    )
    count = len(place)
    return Cells(place, np.zeros(count), ("#808080",) * count, text=("0",) * count)


@pytest.mark.parametrize(
    ("shape", "size", "beside"),
    [((8, 8), (640, 240), 3), ((8, 8), (240, 700), 1), ((1, 19), (640, 300), 1)],
)
def test_maps_are_arranged_so_that_cells_are_large(context, qtbot, shape, size, beside):
    canvas = show(qtbot, MapsCanvas(context.theme), *size)
    canvas.show_maps([(name, grid_of(*shape)) for name in "abc"])
    lefts = {it.x() for it in canvas.maps}
    assert len(lefts) == beside
    for it in canvas.maps:
        assert canvas.rect().contains(it.geometry())
        assert it.rect_of(0).top() < 0.6 * it.side()  # its title is just above
    assert not canvas.grab().isNull()
