"""Recurrent memory: rows keep their order while stepping, a click shows a trace."""

import numpy as np
import pytest
from pictures import CARD, picture, teach
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox
from showing import show

from engine.contract.messages import Subscribe
from engine.contract.options import Configuration
from rllab_gui.commands import Command
from rllab_gui.plots.heat import SHADES, diverging
from rllab_gui.views.memory import MemoryView, StepMemoryView
from rllab_gui.views.memory_order import correlations, ordering

RECURRENT = Configuration().with_options(
    {"network.recurrent": "lstm", "replay.kind": "sequence"}
)
MEMORY = np.array([[0.1, -0.9, 0.0], [0.2, -0.8, 0.0], [0.3, -0.7, 0.0]])
VALUE = np.array([3.0, 2.0, 1.0])


def test_orders_by_hand():
    assert ordering("index", MEMORY, VALUE).tolist() == [0, 1, 2]
    assert ordering("activity", MEMORY, VALUE).tolist() == [1, 0, 2]
    falls = np.column_stack([MEMORY[:, 0], -MEMORY[:, 0], MEMORY[:, 2]])
    found = correlations(falls, VALUE)
    assert found[:2].tolist() == pytest.approx([-1.0, 1.0])
    assert np.isnan(found[2])
    assert ordering("value", falls, VALUE).tolist() == [1, 2, 0]


def test_zero_is_the_ground_and_both_ends_are_colours_of_their_own(theme):
    for choice in ("light", "dark"):
        theme.set_choice(choice)
        shades = diverging(theme)
        assert QColor(*shades[SHADES // 2].tolist()) == QColor(theme.tokens.panel)
        assert QColor(*shades[0].tolist()) == QColor(theme.colour(0))
        assert QColor(*shades[-1].tolist()) == QColor(theme.colour(1))


# ---------------------------------------------------------------- the shown agent


@pytest.fixture
def live(context, qtbot):
    context.store.set_card(CARD)
    context.store.set_configuration(RECURRENT)
    return show(qtbot, MemoryView(context), 420, 300)


def play(context, client, *steps, episode=3):
    for t in steps:
        memory = np.array([t / 100, -t / 100, 0.0, 0.5], np.float32)
        client.play(picture(t=t, episode=episode, inside={"memory": memory}))
        context.pulse.beat()


def test_live_columns_are_the_steps_of_this_episode(live, context, client):
    play(context, client, 0, 1, 2)
    np.testing.assert_allclose(live.model()["memory"][:, 0], [0.0, 0.01, 0.02])
    play(context, client, 0, episode=4)
    assert live.model()["memory"].shape == (1, 4)


def test_steps_that_were_not_seen_stay_empty(live, context, client):
    play(context, client, 0, 1, 5)
    column = live.model()["memory"][:, 0]
    assert np.isnan(column[2:5]).all()
    assert column[5] == pytest.approx(0.05)
    assert not live.grab().isNull()


def test_only_a_view_that_is_seen_asks_for_memory(live, context, client):
    context.pulse.beat()
    assert "memory" in client.of(Subscribe)[-1].topics
    live.hide()
    context.pulse.beat()
    assert "memory" not in client.of(Subscribe)[-1].topics


def test_the_scale_is_said(live, context, client):
    play(context, client, 0, 1)
    legend = live.plot.legend().replace("&nbsp;", " ")
    assert "1, fixed" in legend
    assert "4 outputs of the LSTM" in legend


def test_a_network_without_memory_says_so_and_offers_one(context, qtbot):
    done = []
    context.commands.add(
        Command("network.remember", "LSTM", "Do it", lambda: done.append(1))
    )
    context.store.set_configuration(Configuration())
    for kind, prefix in ((MemoryView, "empty"), (StepMemoryView, "empty.step")):
        view = show(qtbot, kind(context))
        context.pulse.beat()
        assert view.emptiness()[0] == "This network has no memory."
        view.findChild(object, f"{prefix}.network.remember").click()
    assert done == [1, 1]


# ------------------------------------------------------------------ at the cursor


def answer(arguments):
    t = np.arange(arguments["first"], arguments["last"] + 1)
    wave = np.sin(t / 5)
    memory = np.column_stack([0.1 * wave, -wave, 0.5 * np.cos(t), wave])
    return {
        "first": arguments["first"],
        "checkpoint_step": 12_000,
        "memory": memory.astype(np.float32),
        "value": wave.astype(np.float32),
    }


@pytest.fixture
def stepping(context, client, qtbot):
    teach(client)
    client.answers["inside_episode"] = answer
    context.store.set_configuration(RECURRENT)
    view = show(qtbot, StepMemoryView(context), 420, 300)
    context.cursor.show_episode("training", 4)
    context.pulse.beat()
    seek(context, 12)
    return view


def seek(context, t):
    context.cursor.seek(t)
    for _ in range(4):
        context.pulse.beat()


def test_the_whole_episode_is_asked_for_once(stepping, context, client):
    asked = client.questions("inside_episode")
    assert [it.arguments["last"] for it in asked] == [50]
    assert stepping.model()["memory"].shape == (51, 4)
    for t in (13, 30, 50):
        seek(context, t)
        assert stepping.canvas._cursor == t
    assert len(client.questions("inside_episode")) == 1


def test_the_order_stays_while_stepping_and_changes_when_asked(stepping, context):
    assert stepping.model()["order"].tolist() == [0, 1, 2, 3]
    sort = stepping.findChild(QComboBox, "plot.stepMemory.sort")
    sort.setCurrentIndex(sort.findData("value"))
    context.pulse.beat()
    assert stepping.model()["order"].tolist()[-1] == 1
    before = stepping.model()["order"]
    for t in (14, 40):
        seek(context, t)
        assert stepping.model()["order"] is before


def test_a_click_on_a_row_shows_its_trace_and_another_takes_it_away(stepping, context):
    at = stepping.canvas.row_pos(1).toPoint()
    QTest.mouseClick(stepping.canvas, Qt.MouseButton.LeftButton, pos=at)
    context.pulse.beat()
    assert stepping.canvas.unit == 1
    assert "Unit 1 goes with V(s) at r = -1.0" in stepping.plot.caption().replace(
        "−", "-"
    )
    assert not stepping.grab().isNull()
    at = stepping.canvas.row_pos(1).toPoint()
    QTest.mouseClick(stepping.canvas, Qt.MouseButton.LeftButton, pos=at)
    assert stepping.canvas.unit == -1


def test_rows_are_reached_by_keys(stepping):
    for key, unit in ((Qt.Key.Key_PageDown, 0), (Qt.Key.Key_PageDown, 1)):
        QTest.keyClick(stepping.canvas, key)
        assert stepping.canvas.unit == unit
    QTest.keyClick(stepping.canvas, Qt.Key.Key_Escape)
    assert stepping.canvas.unit == -1


def test_pointing_shares_the_step_with_the_other_views(stepping, context, qtbot):
    with qtbot.waitSignal(context.cursor.hovered) as hovered:
        at = stepping.canvas.row_pos(0)
        at.setX(stepping.canvas.x_of(20))
        QTest.mouseMove(stepping.canvas, at.toPoint())
    assert hovered.args == [20]
