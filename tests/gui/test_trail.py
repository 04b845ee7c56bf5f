"""The way back: where a jump began, until another session is looked at."""

import pytest

from rllab_gui.cursor import Cursor
from rllab_gui.trail import Trail


@pytest.fixture
def cursor():
    made = Cursor()
    made.place(session="s", kind="training", episode=3, t=0)
    made.set_last(100)
    made.set_mode("paused")
    return made


def where(cursor):
    position = cursor.position
    return position.kind, position.episode, position.t


def test_a_jump_is_taken_back_to_the_very_step_and_forward_again(cursor):
    trail = Trail(cursor)
    cursor.seek(41)
    trail.go_to("evaluation", 7, 12)
    assert where(cursor) == ("evaluation", 7, 12)
    trail.go_to("evaluation", 7, 90)
    trail.back()
    assert where(cursor) == ("evaluation", 7, 12)
    trail.back()
    assert where(cursor) == ("training", 3, 41)
    assert not trail.can_go_back
    trail.back()
    assert where(cursor) == ("training", 3, 41)
    trail.forward()
    trail.forward()
    assert where(cursor) == ("evaluation", 7, 90)
    assert not trail.can_go_forward


def test_another_episode_chosen_by_hand_is_a_jump_and_stepping_is_none(cursor):
    trail = Trail(cursor)
    cursor.step(1)
    assert not trail.can_go_back
    cursor.show_episode("training", 4)
    trail.back()
    assert where(cursor) == ("training", 3, 1)


def test_the_way_back_never_leads_into_a_game_or_branch_that_is_gone(cursor):
    held = {"kept": 1, "gone": 2}
    trail = Trail(cursor, held)
    for branch in ("kept", "gone", "by hand"):
        cursor.place(kind="training", episode=3, branch=branch, t=120)
        trail.go_to("training", 3, 5)
    del held["gone"]
    seen = []
    for _ in range(3):
        trail.back()
        seen.append((cursor.position.branch, cursor.t))
    assert seen == [("", 100), ("", 100), ("kept", 120)]


def test_following_leaves_no_trail_and_another_session_ends_it(cursor):
    trail = Trail(cursor)
    cursor.set_mode("following")
    cursor.place(episode=4)
    assert not trail.can_go_back
    cursor.show_episode("training", 5)
    assert trail.can_go_back
    cursor.place(session="other", episode=1)
    assert not trail.can_go_back
