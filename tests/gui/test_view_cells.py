"""A grid seen cell by cell: asked once a second, coloured, walls left out."""

from dataclasses import replace

import numpy as np
import pytest
import script
from pictures import picture
from PySide6.QtWidgets import QComboBox
from showing import show

from engine.contract.catalogue import EnvironmentCard
from engine.contract.messages import TrainerStatus
from engine.contract.options import Configuration
from rllab_gui.views import cells
from rllab_gui.views.cells import CellsView

CARD = EnvironmentCard(
    id="RLLab/GridWorld-v0",
    observation="onehot",
    shape=(4,),
    observation_names=tuple(f"row {r}, column {c}" for r in (0, 1) for c in (0, 1)),
    actions=4,
    action_names=("up", "right", "down", "left"),
)
ANSWER = {
    "place": np.array([[0, 0], [0, 1], [1, 0], [1, 1]]),
    "state": np.arange(4),
    "value": np.array([0.5, 1.0, 9.0, 9.0]),
    "action": np.array([1, 2, 0, 0]),
    "marks": ["", "", "#", "G"],
    "action_names": list(CARD.action_names),
    "checkpoint_step": 300,
}


@pytest.fixture
def now(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(cells, "monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def view(context, qtbot, now):
    return show(qtbot, CellsView(context), 420, 400)


@pytest.fixture
def beat(context, client):
    def play(*messages):
        client.play(*messages)
        context.pulse.beat()

    return play


@pytest.fixture
def seen(view, context, client, beat):
    """A grid whose cells are known."""
    beat(script.session(Configuration().with_options({"environment.id": CARD.id})))
    context.store.set_live_card(CARD)
    beat(picture(checkpoint_step=300))

    def answer(**more):
        client.reply(client.questions("cells")[-1].id, {**ANSWER, **more})
        context.pulse.beat()
        context.pulse.beat()
        return view

    return answer


def test_worlds_that_are_no_grid_say_so(view, context, beat):
    context.store.set_live_card(script.CARD)
    beat()
    assert view.emptiness()[0] == "CartPole-v1 is not a grid of states."


def test_cells_of_a_card_are_its_states_by_name():
    assert CARD.cells() == {0: (0, 0), 1: (0, 1), 2: (1, 0), 3: (1, 1)}
    assert script.CARD.cells() == {}


def test_each_cell_has_its_value_its_arrow_and_walls_have_none(seen):
    view = seen()
    shown = view.canvas.cells
    assert shown.mark == ("", "", "#", "G")
    assert shown.action[:2] == ("right", "down")
    assert shown.colour[0] != shown.colour[1]
    assert "0.500 to 1.00 over 2 cells" in view.plot.legend()
    np.testing.assert_array_equal(view.model()["value"], ANSWER["value"])
    first, below = view.canvas.rect_of(0), view.canvas.rect_of(2)
    assert below.top() == first.bottom()
    assert view.canvas.cell_at(first.center()) == 0
    assert not view.grab().isNull()


def test_an_answer_about_another_world_is_not_drawn(seen, client, context, beat, now):
    """It was under way when another one was chosen, with fewer actions."""
    view = seen()
    now[0] += 5.0
    beat(TrainerStatus("running", step=700))
    late = client.questions("cells")[-1]
    other = replace(CARD, id="DeepSea-v0", actions=2, action_names=("left", "right"))
    context.store.set_live_card(other)
    client.reply(late.id, ANSWER)
    beat()
    assert view.emptiness()[0] == "No values yet."
    now[0] += 5.0
    beat(TrainerStatus("running", step=900))
    assert client.questions("cells")[-1].id != late.id


def test_visits_are_shown_where_they_are_counted(seen, context):
    view = seen(visits=np.array([3.0, 0.0, 0.0, 1.0]))
    box = view.findChild(QComboBox, "train.cells.colour")
    assert [box.itemText(at) for at in range(box.count())] == ["V(s)", "visits"]
    box.activated.emit(1)
    context.pulse.beat()
    assert view.canvas.cells.value.tolist() == [3, 0, 0, 1]
    assert "visits so far: 0 to 3 over 2 cells" in view.plot.legend()


def test_it_is_asked_again_once_a_second_and_only_for_news(seen, client, beat, now):
    seen()
    asked = len(client.questions("cells"))
    now[0] += 5.0
    beat(TrainerStatus("idle", step=0))
    assert len(client.questions("cells")) == asked
    beat(TrainerStatus("running", step=700))
    assert len(client.questions("cells")) == asked + 1
    client.reply(client.questions("cells")[-1].id, ANSWER)
    beat()
    now[0] += 0.5
    beat(TrainerStatus("running", step=800))
    assert len(client.questions("cells")) == asked + 1
