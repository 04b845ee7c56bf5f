"""The map of states: points keep their colour scale, their identity and their place."""

import numpy as np
import pyqtgraph as pg
import pytest
from msgspec import structs
from pictures import numbered
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox
from showing import show

from engine.contract.messages import (
    EmbeddingReport,
    ProcessState,
    SessionStatus,
    TrainerStatus,
)
from rllab_gui.views import embedding
from rllab_gui.views.embedding import EmbeddingView
from rllab_gui.views.embedding_points import ColourScale, Journey

LEGEND = "Last hidden layer (128 units), 4 states, t-SNE, perplexity 1, seed 0."


def report(
    ids=(0, 1, 2, 3), shift=0.0, value=(1.0, 2.0, 3.0, 4.0), final=True, **extras
):
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]], np.float32)
    return EmbeddingReport(
        positions=corners + np.float32(shift),
        value=np.array(value, np.float32),
        point_ids=np.array(ids),
        exploring=np.array([False, True, False, False]),
        legend=LEGEND,
        checkpoint_step=100,
        final=final,
        extras={name: np.array(it, np.float32) for name, it in extras.items()},
    )


@pytest.fixture
def now(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(embedding, "monotonic", lambda: clock[0])
    return clock


@pytest.fixture
def view(context, qtbot, now):
    return show(qtbot, EmbeddingView(context), 520, 400)


def settle(view, context, now):
    """Let the points arrive."""
    now[0] += 1.0
    view.refresh()
    context.pulse.beat()


def test_few_states_are_said_to_be_few(view, client, context):
    client.play(TrainerStatus("running", replay_size=12))
    context.pulse.beat()
    assert view.emptiness()[0] == "Needs at least 50 states (have 12)."
    assert view.findChild(object, "empty.embedding.collect").isVisible()


def test_collecting_asks_the_stage_and_says_that_it_is_busy(view, client, context):
    client.play(TrainerStatus("running", replay_size=900))
    context.pulse.beat()
    context.commands.run("embedding.collect")
    context.pulse.beat()
    asked = client.questions("embedding")[0]
    assert asked.arguments["count"] == 500
    assert view.emptiness()[0] == "Collecting 500 states …"
    client.reply(asked.id, {"count": 500, "checkpoint_step": 100})
    context.pulse.beat()
    assert view.emptiness()[0] == "Laying out 500 states …"


def test_a_map_is_begun_for_whoever_looks_once_for_each_run(view, client, context):
    def say(size, **session):
        room = {"replay_size": size, "replay_capacity": 10_000}
        client.play(TrainerStatus("running", **room))
        client.play(SessionStatus(**session))
        context.pulse.beat()
        return len(client.questions("embedding"))

    view.hide()
    assert say(900, name="a", uuid="u1", live=True) == 0
    view.show()
    assert len(client.questions("embedding")) == 1
    assert say(900, name="a", uuid="u1", live=True) == 1
    assert say(499, name="b", uuid="u2", live=True) == 1  # too few states yet
    assert say(500, name="b", uuid="u2", live=True) == 2
    context.store.embedding = report()
    view._on_report()
    assert say(500, name="b", uuid="u2", live=False) == 2  # it has its map
    assert say(500, name="b", uuid="u2", live=True) == 3  # continued


def test_why_no_map_could_be_made_is_said(view, client, context):
    client.answers["embedding"] = lambda arguments: "There are too few states."
    view.collect()
    context.pulse.beat()
    assert view.emptiness()[:2] == (
        "No map could be made.",
        "There are too few states.",
    )


def test_the_model_is_what_was_sent(view, client, context, now):
    client.play(report())
    context.pulse.beat()
    settle(view, context, now)
    model = view.model()
    np.testing.assert_allclose(model["x"], report().positions[:, 0])
    np.testing.assert_allclose(model["y"], report().positions[:, 1])
    np.testing.assert_array_equal(model["value"], [1, 2, 3, 4])
    np.testing.assert_array_equal(model["point_id"], [0, 1, 2, 3])
    np.testing.assert_array_equal(model["exploring"], [False, True, False, False])
    assert len(view.plot._explored.getData()[0]) == 1
    assert len(view.plot._greedy.getData()[0]) == 3


def test_the_axes_have_no_numbers_and_the_legend_says_what_is_shown(
    view, client, context, now
):
    client.play(report())
    context.pulse.beat()
    assert not view.plot.left.isVisible()
    assert not view.plot.bottom.isVisible()
    assert LEGEND in view.plot.legend()
    assert "explored" in view.plot.legend()


def test_points_travel_by_their_id(view, client, context, now):
    client.play(report())
    context.pulse.beat()
    settle(view, context, now)
    client.play(report(ids=(3, 2, 1, 99), shift=0.0))
    now[0] += 0.5
    context.pulse.beat()  # sets out: nothing has moved yet
    start = view.plot.positions.copy()
    np.testing.assert_allclose(start[0], [-0.5, 0.5])  # where point 3 was
    np.testing.assert_allclose(start[1], [0.5, 0.5])
    np.testing.assert_allclose(start[3], [-0.5, 0.5])  # new: where it belongs
    settle(view, context, now)
    np.testing.assert_allclose(view.plot.positions, report().positions)


def test_halfway_is_halfway():
    journey = Journey()
    journey.set_out(np.array([5, 7]), np.array([[0.0, 0.0], [1.0, 1.0]]), 1.0)
    journey.set_out(np.array([7, 5]), np.array([[3.0, 1.0], [0.0, 2.0]]), 1.0)
    np.testing.assert_allclose(journey.at(0.0), [[1, 1], [0, 0]])
    np.testing.assert_allclose(journey.at(0.5), [[2, 1], [0, 1]])
    np.testing.assert_allclose(journey.at(1.0), [[3, 1], [0, 2]])


def test_reduced_motion_jumps(view, client, context, now):
    view.reduced_motion = True
    client.play(report())
    context.pulse.beat()
    client.play(report(shift=0.3))
    now[0] += 0.5
    context.pulse.beat()
    np.testing.assert_allclose(view.plot.positions, report(shift=0.3).positions)


def test_the_scatter_is_drawn_at_most_ten_times_a_second(view, client, context, now):
    drawn = []
    original = view.plot.show_points
    view.plot.show_points = lambda *it: (drawn.append(now[0]), original(*it))
    for number in range(30):  # one second of layouts at 30 Hz
        client.play(report(shift=number / 100, final=False))
        context.pulse.beat()
        now[0] += 1 / 30
    assert len(drawn) <= 11


def test_colours_are_frozen_until_rescaled_or_too_many_clip():
    scale = ColourScale()
    values = np.linspace(0.0, 10.0, 101)
    assert scale.take(values)[50] == pytest.approx(0.5)
    assert scale.take(values / 2)[100] == pytest.approx(0.5)  # stays 0 to 10
    above = values.copy()
    above[-1] = 100.0
    assert scale.take(above)[50] == pytest.approx(0.5)
    assert scale.clipped == pytest.approx(1 / 101)
    scale.take(values + 5.0)  # half of them clip: a new scale
    assert (scale.low, scale.high, scale.clipped) == (5.0, 15.0, 0.0)
    scale.fit(values)
    assert (scale.low, scale.high) == (0.0, 10.0)


def test_a_click_on_a_point_shows_its_picture_and_q(view, client, context, now, qtbot):
    client.play(report())
    context.pulse.beat()
    settle(view, context, now)
    viewport = view.plot.canvas.viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=view.pointPos(2))
    asked = client.questions("explain_point")[0]
    assert asked.arguments == {"point_id": 2}
    client.reply(
        asked.id,
        {
            "frame": numbered(77, 77)[0],
            "q": np.array([1.0, 3.0]),
            "advantage": np.array([-1.0, 1.0]),
            "value_head": 2.0,
            "action_names": ["left", "right"],
            "kind": "training",
            "episode": 12,
            "t": 9,
            "note": "",
        },
    )
    context.pulse.beat()
    np.testing.assert_array_equal(view.panel.picture.frame(), numbered(77, 77)[0])
    np.testing.assert_array_equal(view.panel.bars.bars.q, [1.0, 3.0])
    assert "training episode 12, t 9. V(s) = 3.00, discounted" in (
        view.panel._words.text()
    )
    view.panel._go.click()
    position = context.cursor.position
    assert (position.kind, position.episode, position.t) == ("training", 12, 9)


def test_a_click_beside_the_points_asks_nothing(view, client, context, now, qtbot):
    client.play(report())
    context.pulse.beat()
    settle(view, context, now)
    at = view.plot.pixel_of(0.0, 0.0)
    viewport = view.plot.canvas.viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=at)
    assert client.questions("explain_point") == []
    assert not view.panel.isVisible()


def test_another_session_has_another_map(view, client, context, now):
    client.play(report())
    context.pulse.beat()
    client.play(SessionStatus(name="b", uuid="u9"))
    context.pulse.beat()
    assert view.emptiness() is not None
    assert np.isnan(view.plot.colours.low)


def pick(view, context, now, name):
    box = view.findChild(QComboBox, "train.embedding.colour")
    box.activated.emit(box.findData(name))
    settle(view, context, now)


def test_the_colour_says_what_the_agent_knows_of_its_states(view, client, context, now):
    box = view.findChild(QComboBox, "train.embedding.colour")
    client.play(report())
    context.pulse.beat()
    settle(view, context, now)
    assert not box.isVisible()
    client.play(report(visits=[0, 10, 100, 10], disagreement=[0.0, 1.0, 2.0, 3.0]))
    settle(view, context, now)
    titles = [box.itemText(at) for at in range(box.count())]
    assert titles == ["V(s)", "visits", "disagreement"]
    assert box.isVisible()
    assert "V(s) = max Q(s,a)" in view.plot.legend()
    pick(view, context, now, "visits")
    ends = view.plot.colours.low, view.plot.colours.high
    assert ends == pytest.approx(np.log1p([0, 100]))
    assert "visits so far" in view.plot.legend()
    assert "100" in view.plot.legend()
    assert view.model()["visits"].tolist() == [0, 10, 100, 10]
    pick(view, context, now, "disagreement")
    assert (view.plot.colours.low, view.plot.colours.high) == (0.0, 3.0)
    client.play(report(ids=(7, 8, 9, 10)))  # another agent knows nothing of it
    settle(view, context, now)
    assert view.plot.shade == "value"
    assert not box.isVisible()


def lasso(view, corners):
    """Drag with Shift from corner to corner, in units of the axes."""
    canvas, shift = view.plot.canvas, Qt.KeyboardModifier.ShiftModifier
    places = [view.plot.pixel_of(*it) for it in corners]
    viewport = canvas.viewport()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, shift, places[0])
    for place in (*places[1:], places[-1]):
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(place),
            QPointF(viewport.mapToGlobal(place)),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton,
            shift,
        )
        QApplication.sendEvent(viewport, event)
    QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, shift, places[-1])


def test_a_lasso_selects_its_states_in_all_views(
    view, client, context, now, monkeypatch
):
    # No move of the pointer is left out because it comes soon after another.
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", -1)
    whose = {"episodes": np.array([7, 7, 8, -1]), "steps": np.array([1, 2, 0, -1])}
    client.play(structs.replace(report(), **whose))
    context.pulse.beat()
    settle(view, context, now)
    lasso(view, [(-0.9, -0.9), (0.9, -0.9), (0.9, -0.1), (-0.9, -0.1)])
    assert context.selection.steps == {(7, 1), (7, 2)}
    assert context.selection.words == "2 states of the map"
    settle(view, context, now)
    assert len(view.plot._chosen.data) == 2
    context.selection.choose([(8, 0)], "1 step", "stepReplay")
    settle(view, context, now)
    assert len(view.plot._chosen.data) == 1
    lasso(view, [(-0.1, -0.1), (0.1, -0.1), (0.1, 0.1)])  # nothing is in it
    assert not context.selection.steps


def test_a_stage_that_begins_again_is_asked_again(view, client, context):
    room = {"replay_size": 900, "replay_capacity": 10_000}
    client.play(TrainerStatus("running", **room))
    client.play(SessionStatus("a", "/a.h5", "u1", True))
    context.pulse.beat()
    first = client.questions("embedding")[0]
    client.reply(first.id, {"count": 500, "checkpoint_step": 100})
    context.pulse.beat()
    client.play(ProcessState("stage", "ready"))
    context.pulse.beat()
    assert len(client.questions("embedding")) == 2
    assert view.emptiness()[0] == "Collecting 500 states …"
    client.play(ProcessState("trainer", "ready"))
    assert len(client.questions("embedding")) == 2
