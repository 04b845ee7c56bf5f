"""The agent view says what its picture is."""

import numpy as np
import pytest
from pictures import CARD, picture
from showing import show

from rllab_gui.views.agent import NO_PICTURE, AgentView, badge_of


@pytest.fixture
def view(context, qtbot):
    context.store.set_live_card(CARD)
    return show(qtbot, AgentView(context))


def play(context, client, *pictures):
    client.play(*pictures)
    context.pulse.beat()


def test_before_the_first_picture_it_says_that_one_comes(view, context):
    context.pulse.beat()
    assert view.emptiness()[0] == "The first picture is on its way."


def test_only_where_nothing_is_drawn_it_says_so(view, context, client):
    play(context, client, picture())
    assert view.picture._words == ""
    play(context, client, picture(frame=np.zeros((0, 0, 3), np.uint8)))
    assert view.picture._words == NO_PICTURE


@pytest.mark.parametrize(
    ("changes", "badge"),
    [
        (
            {"checkpoint_step": 12_400, "epsilon": 0.05, "speed": 2.0},
            "viewer environment · checkpoint 12,400 · ε 0.05 · 2×",
        ),
        (
            {"checkpoint_step": 500, "epsilon": 0.0, "speed": 0.0},
            "viewer environment · checkpoint 500 · ε 0 (greedy) · as fast as drawn",
        ),
        (
            {"checkpoint_step": -1, "epsilon": 0.0},
            "viewer environment · untrained network · ε 0 (greedy) · 1×",
        ),
        (
            {"checkpoint_step": -2},
            "viewer environment · random actions until the network is there · 1×",
        ),
    ],
)
def test_the_badge_names_source_checkpoint_epsilon_and_speed(
    view, context, client, changes, badge
):
    play(context, client, picture(**changes))
    assert view.badge == badge
    assert view.property("badge") == badge


def test_of_several_seeds_it_says_whose_agent_this_is():
    shown = picture(checkpoint_step=500, epsilon=0.0)
    assert "· checkpoint 500 of seed 7 ·" in badge_of(shown, 7)


def test_a_painted_picture_is_told_with_its_step(view, context, client, qtbot):
    with qtbot.waitSignal(view.frameShown) as shown:
        play(context, client, picture(t=17))
    assert shown.args == [17]
    np.testing.assert_array_equal(view.picture.frame(), picture(t=17).frame)


def test_the_picture_is_scaled_sharply(view, context, client, qtbot):
    frame = np.zeros((40, 60, 3), np.uint8)
    frame[:, 30:] = 255
    with qtbot.waitSignal(view.frameShown):
        play(context, client, picture(frame=frame))
    place = view.picture.target()
    assert place.width() % 60 == 0
    row = [
        view.picture.grab().toImage().pixelColor(x, int(place.center().y())).red()
        for x in range(int(place.left()), int(place.right()))
    ]
    assert set(row) == {0, 255}


def test_an_exploratory_action_is_marked(view, context, client):
    play(context, client, picture(reason="greedy", action=1))
    assert "⚄" not in view._action.text()
    play(context, client, picture(reason="explored", action=1))
    assert view._action.text() == "action right (⚄ explored)"
    play(context, client, picture(action=-1, ended="terminated"))
    assert view._action.text() == "the episode was terminated"


def test_rewards_are_said_to_be_undiscounted(view, context, client):
    play(context, client, picture(episode=41, t=98, reward_sum=98.0))
    assert view._status.text() == (
        "episode 41 · t 98 · reward so far 98.0 (undiscounted)"
    )


def test_an_environment_without_pictures_says_so(view, context, client):
    play(context, client, picture(frame=np.zeros((0, 0, 3), np.uint8)))
    assert view.picture.frame() is None
    assert not view.grab().isNull()
