"""The transport bar and the one cursor."""

import numpy as np
import pytest
import script
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QSlider, QSpinBox, QToolButton

from engine.contract.options import Configuration
from rllab_gui.cursor import Cursor

FRAME = np.zeros((40, 60, 3), np.uint8)


@pytest.fixture
def cursor(qapp):
    cursor = Cursor()
    cursor.place(session="s", episode=3)
    cursor.set_last(20)
    return cursor


@pytest.fixture
def stepping(window, beat):
    """Step through a session of three episodes."""
    window.show_workspace("step")
    beat(
        script.status("running"),
        script.session(window.lab.draft.configuration),
        *[script.episode(number) for number in (1, 2, 3)],
    )
    for _ in range(4):  # its frames arrive
        beat()
    return window


def test_seeks_are_clamped_and_leave_following(cursor):
    assert cursor.mode == "following"
    cursor.seek(99)
    assert (cursor.t, cursor.mode) == (20, "paused")
    cursor.seek(-5)
    assert cursor.t == 0


def test_one_change_is_one_signal(cursor, qtbot):
    heard = []
    cursor.changed.connect(heard.append)
    cursor.seek(5)
    cursor.seek(5)
    assert [it.t for it in heard] == [5]


def test_play_at_the_end_starts_again(cursor):
    cursor.seek(20)
    cursor.set_mode("playing")
    assert cursor.t == 0


def test_playing_holds_at_the_end_or_loops(cursor):
    cursor.seek(19)
    cursor.set_mode("playing")
    cursor.play_on()
    cursor.play_on()
    assert (cursor.t, cursor.mode) == (20, "paused")
    cursor.next_loop()
    cursor.set_mode("playing")
    cursor.seek(20)
    cursor.play_on()
    assert (cursor.t, cursor.mode) == (0, "playing")


def test_a_selection_is_looped(cursor):
    cursor.select((5, 7))
    cursor.next_loop()
    cursor.next_loop()
    assert cursor.loop == "selection"
    cursor.set_mode("playing")
    cursor.seek(7)
    cursor.play_on()
    assert cursor.t == 5


def test_a_shorter_episode_pulls_the_cursor_in(cursor):
    cursor.seek(18)
    cursor.set_last(10)
    assert cursor.t == 10


def test_following_shows_an_episode_whole_and_then_the_newest(stepping, beat):
    cursor = stepping.lab.cursor
    assert cursor.position.episode == 1
    cursor.place(t=20)
    for _ in range(2):  # its picture is asked for, and comes
        beat()
    stepping.lab.playback._on_tick()
    assert (cursor.position.episode, cursor.t) == (3, 0)
    assert stepping.transport.property("mode") == "following"


def test_following_never_goes_back_to_older_weights(stepping, beat):
    cursor, late = stepping.lab.cursor, script.episode(2, "evaluation")
    stepping.findChild(QToolButton, "transport.follow").click()
    stepping.findChild(QToolButton, "transport.follow").click()
    assert (cursor.mode, cursor.position.episode) == ("following", 3)
    beat(late)  # its weights are of step 40, episode 3 ended at step 60
    for _ in range(4):
        beat()
    cursor.place(t=20)
    stepping.lab.playback._on_tick()
    assert (cursor.position.kind, cursor.position.episode) == ("training", 3)
    beat(script.episode(4, "evaluation"))
    stepping.lab.playback._on_tick()
    assert (cursor.position.kind, cursor.position.episode) == ("evaluation", 4)


def test_after_a_recovery_what_is_taken_again_is_followed(stepping, beat):
    stepping.findChild(QToolButton, "transport.follow").click()
    stepping.findChild(QToolButton, "transport.follow").click()
    back = script.session(Configuration(), durable_step=20, cuts=1)
    beat(back, script.episode(2))
    assert stepping.lab.playback._newest == ("training", 2)


def test_what_a_recovery_took_away_is_not_gone_to(stepping, beat):
    playback = stepping.lab.playback
    beat(script.session(Configuration(), durable_step=20, cuts=1))
    assert max(playback._steps["training"].values) <= 20
    assert playback._newest == ("training", 1)
    assert playback.step_of("training", 3) is None


def test_a_scrub_stays_where_the_person_put_it(stepping, beat):
    stepping.lab.cursor.show_episode("training", 3)
    beat()
    stepping.findChild(QSlider, "transport.slider").setValue(7)
    assert stepping.transport.property("mode") == "paused"
    beat(script.episode(4), script.episode(5))
    position = stepping.lab.cursor.position
    assert (position.episode, position.t) == (3, 7)
    stepping.findChild(QToolButton, "transport.follow").click()
    assert stepping.lab.cursor.position.episode == 5


def test_following_waits_for_the_episode_that_is_under_way(stepping, client, beat):
    del client.answers["judge_episode"]
    beat(script.episode(4))
    stepping.lab.cursor.place(t=20)
    beat()
    stepping.lab.playback._on_tick()
    assert stepping.lab.cursor.position.episode == 4
    beat(script.episode(5))
    stepping.lab.playback._on_tick()
    assert stepping.lab.cursor.position.episode == 4


def test_slider_spin_and_cursor_agree(stepping):
    slider = stepping.findChild(QSlider, "transport.slider")
    spin = stepping.findChild(QSpinBox, "transport.spinT")
    spin.setValue(12)
    assert (slider.value(), stepping.lab.cursor.t) == (12, 12)
    slider.setValue(3)
    assert (spin.value(), stepping.lab.cursor.t) == (3, 3)


def test_buttons_step(stepping, qtbot):
    stepping.lab.cursor.seek(10)
    reached = []
    for name in ("stepFwd", "stepBack", "fwd10", "back10", "first", "last"):
        button = stepping.findChild(QToolButton, f"transport.{name}")
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        reached.append(stepping.lab.cursor.t)
    assert reached == [11, 10, 20, 10, 0, 20]


def test_episodes_are_gone_through(stepping):
    go = stepping.lab.commands.run
    stepping.lab.cursor.show_episode("training", 3)
    go("transport.prevEpisode")
    go("transport.prevEpisode")
    go("transport.prevEpisode")
    assert stepping.lab.cursor.position.episode == 1
    go("transport.nextEpisode")
    assert stepping.lab.cursor.position.episode == 2


def test_playing_moves_by_itself(stepping, qtbot):
    stepping.lab.cursor.show_episode("training", 1)
    with qtbot.waitSignal(stepping.lab.cursor.changed):
        stepping.findChild(QToolButton, "transport.play").click()
    assert stepping.lab.cursor.t == 1
    stepping.findChild(QToolButton, "transport.play").click()
    assert stepping.lab.cursor.mode == "paused"


@pytest.mark.parametrize("mode", ["playing", "following"])
def test_playing_and_following_wait_for_the_picture(stepping, client, beat, mode):
    del client.answers["frames"]
    cursor = stepping.lab.cursor
    cursor.show_episode("training", 2)
    beat()
    cursor.set_mode(mode)
    for _ in range(30):
        stepping.lab.playback._on_tick()
    assert (cursor.position.episode, cursor.t) == (2, 0)
    client.reply(client.questions("frames")[-1].id, {"frames": [FRAME]})
    beat()
    for _ in range(30):
        stepping.lab.playback._on_tick()
    assert cursor.t == 1


def test_speed_is_chosen_or_stepped(stepping):
    speed = stepping.findChild(QComboBox, "transport.speed")
    stepping.lab.commands.run("transport.faster")
    assert stepping.lab.cursor.speed == speed.currentData() == 2.0
    for _ in range(9):
        stepping.lab.commands.run("transport.slower")
    assert stepping.lab.cursor.speed == 0.25


def test_another_session_leaves_nothing_of_the_old_one(stepping, beat):
    stepping.lab.cursor.seek(7)
    configuration = stepping.lab.draft.configuration
    beat(script.session(configuration, uuid="u2", live=False))
    position = stepping.lab.cursor.position
    assert (position.session, position.episode, position.t) == ("u2", -1, 0)
    assert stepping.lab.cursor.mode == "paused"


def test_nobody_looks_nothing_is_fetched(window, client, beat):
    beat(script.status("running"), script.session(window.lab.draft.configuration))
    beat(script.episode(1))
    assert client.questions("judge_episode") == []
    window.show_workspace("step")
    assert len(client.questions("judge_episode")) == 1


def test_marks_are_visited_in_order(stepping):
    marks = stepping.lab.episode.data.marks
    wanted = [t for t, mark in enumerate(marks) if mark not in ("", "=")]
    assert wanted
    stepping.lab.cursor.seek(0)
    visited = [0] if 0 in wanted else []
    for _ in wanted[len(visited) :]:
        stepping.lab.commands.run("transport.nextMark")
        visited.append(stepping.lab.cursor.t)
    assert visited == wanted
    stepping.lab.commands.run("transport.nextMark")
    assert stepping.lab.cursor.t == wanted[-1]
    stepping.lab.commands.run("transport.prevMark")
    assert stepping.lab.cursor.t == wanted[-2]


def test_commands_follow_the_cursor_within_a_beat(stepping, beat):
    action = stepping.lab.commands.action("transport.stepFwd")
    assert action.isEnabled()
    stepping.lab.cursor.place(episode=-1)
    beat()
    assert not action.isEnabled()
    stepping.lab.cursor.show_episode("training", 2)
    beat()
    assert action.isEnabled()
