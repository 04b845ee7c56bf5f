"""Q bars: what is drawn is what was sent, and each sign means what it says."""

import math

import numpy as np
import pytest
import shiboken6
from pictures import CARD, picture, teach
from PySide6.QtCore import SIGNAL, Qt
from showing import show, wheel

from rllab_gui.views.qbars import LATELY, NAMING, QBarsView
from rllab_gui.views.step_qbars import StepQBarsView, ordinal, standing


@pytest.fixture
def view(context, qtbot):
    context.store.set_card(CARD)
    return show(qtbot, QBarsView(context))


def play(context, client, *pictures):
    for it in pictures:
        client.play(it)
        context.pulse.beat()


def test_the_model_is_what_was_sent(view, context, client):
    play(context, client, picture(q=[61.2, 64.0], action=0))
    model = view.model()
    np.testing.assert_allclose(model["q"], [61.2, 64.0], rtol=1e-6)
    np.testing.assert_allclose(model["advantage"], [-1.4, 1.4], rtol=1e-5)
    assert model["value_head"][0] == pytest.approx(62.6)
    assert model["taken"][0] == 0


def test_bars_share_one_zero_and_keep_the_order_of_the_actions(view, context, client):
    play(context, client, picture(q=[-3.0, 7.0]))
    low, high = view.canvas.bar_rect(0), view.canvas.bar_rect(1)
    zero = view.canvas.x_of(0.0)
    assert low.right() == pytest.approx(zero)
    assert high.left() == pytest.approx(zero)
    assert low.top() < high.top()
    play(context, client, picture(q=[9.0, 7.0], t=6))
    assert view.canvas.bar_rect(0).top() == low.top()


def test_the_sentence_compares_best_and_taken(view, context, client):
    play(context, client, picture(q=[61.0, 64.0], action=1, reason="greedy"))
    assert view.plot.legend().startswith(
        "right looks best: Q = 64.0, 3.00 ahead; taken (greedy)."
    )
    play(context, client, picture(q=[61.0, 64.0], action=0, reason="explored", t=6))
    assert "taken was left (explored)" in view.plot.legend()
    assert view.canvas.bars.explored


def test_units_stand_beside_the_numbers(view, context, client):
    play(context, client, picture())
    legend = view.plot.legend().replace("&nbsp;", " ")
    assert "discounted return, γ 0.99" in legend
    assert "V(s) = max Q = 64.0" in legend
    assert "V(s) means max_a Q(s,a)" in view.canvas.toolTip()
    assert view.canvas.toolTip() == NAMING


def test_the_scale_only_expands_and_stays_where_a_person_put_it(view, context, client):
    play(context, client, picture(q=[10.0, 20.0]), picture(q=[1.0, 2.0], t=6))
    wide = view.canvas.range
    assert wide[1] >= 20.0
    wheel(view.canvas, modifiers=Qt.KeyboardModifier.ControlModifier)
    assert view.axisMode == "manual"
    held = view.canvas.range
    play(context, client, picture(q=[100.0, 900.0], t=7))
    assert view.canvas.range == held
    view.canvas.autoAsked.emit()
    context.pulse.beat()
    assert view.axisMode == "auto"
    assert view.canvas.range[1] >= 900.0


def test_values_that_stay_small_after_large_ones_have_a_scale_again(
    view, context, client
):
    """After a smaller discount, say; the start of an episode does not count."""
    play(context, client, picture(q=[-20.0, 40.0], t=0))
    wide = view.canvas.range
    small = (picture(q=[1.0, 2.0], t=1 + it % 9, episode=it // 9) for it in range(400))
    for it, one in enumerate(small):
        play(context, client, one)
        if it < LATELY - 2:
            assert view.canvas.range == wide
    assert 2.0 <= view.canvas.range[1] < 4.0
    assert view.canvas.range[0] > -1.0


def test_an_episode_of_small_values_after_a_huge_one_has_bars(context, client, qtbot):
    view = show(qtbot, StepQBarsView(context))
    teach(client)
    context.cursor.show_episode("training", 4)
    context.cursor.seek(12)
    for _ in range(3):
        context.pulse.beat()
    usual = view.canvas.bar_rect(0).width()
    view._scale.include(-1e10, 1e10)  # a checkpoint that diverged
    view.draw()
    assert view.canvas.bar_rect(0).width() == 1.0
    context.cursor.show_episode("training", 5)
    context.cursor.seek(12)
    for _ in range(3):
        context.pulse.beat()
    assert view.canvas.bar_rect(0).width() > usual / 4


def test_the_strip_holds_the_steps_of_this_episode_only(view, context, client):
    play(context, client, *(picture(t=t, q=[t, -t]) for t in range(5)))
    np.testing.assert_array_equal(view.model()["history"][:, 0], np.arange(5))
    play(context, client, picture(t=0, episode=4, q=[7.0, 8.0]))
    np.testing.assert_array_equal(view.model()["history"], [[7.0, 8.0]])


def test_without_a_network_there_is_a_sentence(view, context, client):
    play(context, client, picture(q=[], checkpoint_step=-2, reason="random"))
    assert view.emptiness()[0] == "No Q-values yet."


def test_without_dueling_there_is_no_value_head(view, context, client):
    play(context, client, picture(q=[1.0, 2.0], value_head=math.nan))
    assert not view.canvas.bars.dueling
    assert not view.grab().isNull()


@pytest.mark.parametrize("actions", [1, 2, 18])
def test_any_number_of_actions_fits(view, context, client, actions):
    play(context, client, picture(q=np.linspace(-1, 1, actions), action=0))
    last = view.canvas.bar_rect(actions - 1)
    assert last.bottom() <= view.canvas.height() + view.canvas.row_height()
    assert not view.grab().isNull()


def test_at_the_cursor_the_bars_are_those_of_the_step(context, client, qtbot):
    view = show(qtbot, StepQBarsView(context))
    teach(client)
    context.cursor.show_episode("training", 4)
    context.pulse.beat()
    context.cursor.seek(12)
    context.pulse.beat()
    context.pulse.beat()
    np.testing.assert_allclose(view.model()["q"], [12.0, 12.5])
    assert view.model()["taken"][0] == 0
    assert len(view.model()["history"]) == 13
    assert "judged by checkpoint 12000" in view.plot.caption()


def test_the_gap_and_the_place_are_compared_with_the_session(context, client, qtbot):
    spread = np.arange(101.0)
    usual = {"gaps": spread / 10, "values": spread, "states": 2000}
    client.answers["gaps"] = lambda arguments: usual
    teach(client)
    context.store.set_card(CARD)
    view = show(qtbot, StepQBarsView(context))
    context.cursor.show_episode("training", 1, t=12)
    context.pulse.beat()

    def told():
        context.pulse.beat()
        return "percentile" in view.plot.legend()

    qtbot.waitUntil(told)
    # Q is 12 and 12.5: of gaps from 0 to 10 half is the 5th, 12.5 is the 12th.
    said = (
        "A small gap for this session (5th percentile of 2,000 states), in a bad place"
    )
    assert said in view.plot.legend()
    assert said in view.property("answerText")
    asked = len(client.questions("gaps"))
    context.cursor.seek(13)
    qtbot.waitUntil(lambda: context.pulse.beat() or view.moment.t == 13)
    assert len(client.questions("gaps")) == asked


@pytest.mark.parametrize("name", ["terminations", "truncations"])
def test_a_state_after_which_nothing_follows_is_in_no_good_place(
    context, client, qtbot, name
):
    spread = np.arange(101.0)
    usual = {"gaps": spread / 10, "values": spread, "states": 2000}
    client.answers["gaps"] = lambda arguments: usual
    ends = dict.fromkeys(("terminations", "truncations"), np.zeros(50, bool))
    ends[name] = np.arange(50) == 49
    teach(client, **ends)
    context.store.set_card(CARD)
    view = show(qtbot, StepQBarsView(context))
    context.cursor.show_episode("training", 1, t=50)
    word = "terminated here" if name == "terminations" else "percentile"
    qtbot.waitUntil(lambda: context.pulse.beat() or word in view.plot.legend())
    assert ("percentile" in view.plot.legend()) == (name == "truncations")


def test_why_not_another_action_says_by_how_much(context, client, qtbot):
    teach(client)
    context.store.set_card(CARD)
    view = show(qtbot, StepQBarsView(context))
    context.cursor.show_episode("training", 1, t=12)
    qtbot.waitUntil(lambda: context.pulse.beat() or view.moment is not None)
    place = view.canvas.row_rect(0).center().toPoint()
    qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=place)
    context.pulse.beat()
    assert view.canvas.compared == 0
    assert "Why not left? Its Q is 0.500 lower than that of right" in view.plot.legend()
    qtbot.mouseClick(view.canvas, Qt.MouseButton.LeftButton, pos=place)
    context.pulse.beat()
    assert "Why not" not in view.plot.legend()


def test_a_view_that_is_gone_hears_of_no_keys(context, qapp):
    heard = SIGNAL("keysChanged()")
    before = context.commands.receivers(heard)
    view = StepQBarsView(context)
    assert context.commands.receivers(heard) > before
    shiboken6.delete(view)
    assert context.commands.receivers(heard) == before


def test_percentiles_are_read_and_said_as_people_do():
    percentiles = np.linspace(0.0, 50.0, 101)
    assert standing(-1.0, percentiles) == 0
    assert standing(6.2, percentiles) == 12
    assert standing(99.0, percentiles) == 100
    assert [ordinal(it) for it in (1, 2, 3, 11, 12, 23)] == [
        "1st", "2nd", "3rd", "11th", "12th", "23rd",
    ]  # fmt: skip
