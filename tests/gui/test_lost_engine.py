"""While the engine is gone: nothing looks alive, and the person's place is kept."""

import os
import subprocess
import sys

import numpy as np
import pytest
import script
from pictures import judged
from PySide6.QtWidgets import QWidget
from test_view_bellman import answer

from engine.contract.messages import (
    JobProgress,
    Pause,
    Problem,
    SessionStatus,
    Solved,
    StartTraining,
    Stop,
    TrainerStatus,
)
from engine.media.leftovers import growing
from rllab_gui.link import LOST, RECOVERED, UNANSWERED
from rllab_gui.recorder import FilmWish

ORDERS = ["start", "startPaused", "startAgain", "pause", "resume", "stop"]
ORDERS += ["stepEnv", "stepEpisode", "endTrainer"]


@pytest.fixture
def lose(beat):
    def lose_engine():
        beat(Problem(LOST, "The engine has ended."))

    return lose_engine


@pytest.fixture
def come_back(window, client, beat):
    """Another engine greets, goes on with the run, and knows its episodes."""

    def greet(uuid="u1"):
        session = script.session(window.lab.draft.configuration, uuid=uuid)
        beat(Solved(LOST), SessionStatus(), TrainerStatus("idle"))
        numbers = [1, 2, 3]
        client.answers["episodes"] = lambda arguments: {
            "kind": ["training"] * 3,
            "episode": numbers,
            "step0": [20 * number for number in numbers],
            "return": [20.0] * 3,
            "length": [20] * 3,
            "terminated": [True] * 3,
        }
        beat(script.status("starting"), session)
        for _ in range(4):
            beat()

    return greet


@pytest.fixture
def watching(window, beat):
    """Three episodes of a run that is under way are there."""
    window.show_workspace("step")
    beat(
        script.status("running", steps_per_s=310.0, updates_per_s=77.0),
        script.session(window.lab.draft.configuration),
        *[script.episode(number) for number in (1, 2, 3)],
    )
    for _ in range(4):
        beat()
    return window


@pytest.mark.parametrize("state", ["running", "paused", "idle", "stopping"])
def test_nothing_can_be_ordered_of_an_engine_that_is_lost(
    window, client, beat, lose, state
):
    beat(script.status(state))
    lose()
    sent = len(client.sent)
    for name in ORDERS:
        command = f"train.{name}"
        assert not window.lab.commands.action(command).isEnabled(), command
        window.lab.commands.run(command)
    window.lab.run.start_again()
    orders = [it for it in client.sent[sent:] if isinstance(it, (Pause, Stop))]
    assert orders == client.of(StartTraining) == []
    assert window.lab.run.state == state
    button = window.findChild(QWidget, "main.train.button")
    assert not button.isEnabled()
    beat(Solved(LOST))
    assert button.isEnabled()
    assert any(window.lab.run.can(it) for it in ("start", "pause", "resume")) == (
        state != "stopping"
    )


def test_what_only_an_engine_can_do_waits_for_the_next_one(watching, beat, lose):
    names = ("session.save", "session.fork", "session.close", "export.scalars")
    names += ("record.export", "branch.byHand")
    action = watching.lab.commands.action
    watching.show_workspace("step")
    beat()
    able = [name for name in names if action(name).isEnabled()]
    assert "session.save" in able
    assert len(able) > 3
    lose()
    assert [name for name in names if action(name).isEnabled()] == []
    beat(Solved(LOST))
    assert [name for name in names if action(name).isEnabled()] == able


def test_an_order_that_was_under_way_does_not_outlive_the_engine(
    window, client, beat, lose
):
    beat(script.status("running"))
    window.lab.run.start_again()
    lose()
    beat(Solved(LOST), TrainerStatus("idle"))
    assert window.lab.run.state == "idle"
    assert client.of(StartTraining) == []


def test_the_status_bar_says_no_rate_of_an_engine_that_is_lost(watching, lose, beat):
    def texts():
        bar = watching.statusBar()
        return [bar.findChild(QWidget, f"status.{it}").text() for it in rates]

    rates = ("steps", "updates")
    watching.statusBar().refresh()
    assert ["310" in texts()[0], "77" in texts()[1]] == [True, True]
    lose()
    assert texts() == ["", ""]
    beat(Solved(LOST))
    assert "310" in texts()[0]


def test_a_window_whose_engine_is_lost_closes_without_a_question(window, beat, lose):
    beat(script.status("running"))
    lose()
    window.close()
    assert not window.isVisible()


def test_the_link_says_once_that_the_engine_is_lost_and_once_that_it_is_back(
    context, client
):
    heard = []
    context.link.lostChanged.connect(heard.append)
    lost = Problem(LOST, "The engine has ended.")
    client.play(Problem("other", "No."), lost, lost, Solved("other"))
    context.link.poll()
    assert (heard, context.link.lost) == ([True], True)
    client.play(Solved(LOST), Solved(LOST))
    context.link.poll()
    assert (heard, context.link.lost) == ([True, False], False)


def test_who_looked_at_an_episode_looks_at_it_still(watching, lose, come_back):
    cursor = watching.lab.cursor
    cursor.show_episode("training", 2, t=7)
    assert cursor.mode == "paused"
    lose()
    come_back()
    assert cursor.mode == "paused"
    position = cursor.position
    assert (position.session, position.episode, position.t) == ("u1", 2, 7)


def test_what_was_asked_waits_for_the_next_engine_and_is_asked_again(
    watching, client, beat, lose, start_again, come_back, qtbot
):
    client.answers["judge_episode"] = lambda arguments: judged(20)
    client.answers["explain_update"] = answer
    panel = watching.workspaces["step"].docks["stepBellman"].widget()
    watching.lab.cursor.show_episode("training", 2, t=7)
    qtbot.waitUntil(lambda: beat() or panel.asked.arguments.get("t") == 7)
    del client.answers["explain_update"]
    before = len(client.questions("explain_update"))
    watching.lab.cursor.seek(9)
    qtbot.waitUntil(lambda: beat() or len(client.questions("explain_update")) > before)
    assert panel.busy.busy
    lose()
    beat()
    assert not panel.busy.busy
    assert panel.answer_text().startswith("The engine has ended.")
    client.answers["explain_update"] = answer
    start_again()
    come_back()
    qtbot.waitUntil(lambda: beat() or panel.asked.arguments.get("t") == 9)
    assert not panel.busy.busy


def test_a_picture_that_was_on_its_way_comes_with_the_next_engine(
    watching, client, beat, lose, qtbot, monkeypatch
):
    client.answers["judge_episode"] = lambda arguments: judged(20)
    watching.lab.cursor.show_episode("training", 2, t=7)
    frame = watching.workspaces["step"].docks["frame"].widget()
    moment = frame.context.episode
    qtbot.waitUntil(lambda: beat() or moment.moment is not None)
    monkeypatch.setattr(moment, "frame", lambda t: None)
    moment._last_picture = (6, np.zeros((4, 6, 3), np.uint8))
    moment._publish(7, "The picture of this step is on its way.")
    beat()
    assert frame.picture._words == "picture of t 6; that of t 7 is on its way"
    lose()
    beat()
    words = "picture of t 6; that of t 7 comes with the next engine"
    assert frame.picture._words == words


def test_no_branch_is_offered_without_an_engine(watching, client, beat, lose, qtbot):
    client.answers["judge_episode"] = lambda arguments: judged(20)
    watching.lab.cursor.show_episode("training", 2, t=7)
    offer = watching.workspaces["step"].docks["stepBranches"].widget().offer
    qtbot.waitUntil(lambda: beat() or offer.isEnabled())
    lose()
    beat()
    assert not offer.isEnabled()
    beat(Solved(LOST))
    beat()
    assert offer.isEnabled()


def test_what_was_told_of_the_loss_before_is_not_told_any_more(watching, beat, lose):
    told = "The engine was started again and is back at step 900; no step is lost."
    beat(Problem(RECOVERED, told, severity="information"))
    assert watching.messages.row(RECOVERED) is not None
    lose()
    assert watching.messages.row(RECOVERED) is None


def test_who_followed_follows_still(watching, lose, come_back):
    cursor = watching.lab.cursor
    assert cursor.mode == "following"
    lose()
    come_back()
    assert cursor.mode == "following"


def test_another_run_is_followed_whatever_was_looked_at(watching, lose, come_back):
    cursor = watching.lab.cursor
    cursor.show_episode("training", 2, t=7)
    lose()
    come_back("u2")
    assert cursor.mode == "following"


@pytest.fixture
def start_again(window, client, qtbot):
    def start_engine_again():
        client.restart = lambda: None
        with qtbot.waitSignal(window.lab.link.renewed):
            window.lab.link.restart()

    return start_engine_again


def test_a_film_does_not_outlive_its_engine(watching, client, beat, lose, start_again):
    watching.lab.cursor.show_episode("training", 2, t=7)
    beat()
    recorder, job = watching.lab.recorder, watching.findChild(QWidget, "status.job")
    recorder.export(FilmWish("/films/a.mp4", "mp4"), "training", 2, theme="light")
    recorder.start_live(FilmWish("/films/b.mp4", "mp4"), theme="light")
    beat(JobProgress("record.1", 0.4, "4 of 10 pictures"))
    assert recorder.exporting
    assert job.isVisible()
    lose()
    start_again()
    assert not recorder.busy
    assert not job.isVisible()
    row = watching.messages.row("window.recording")
    assert row.accessibleDescription() == UNANSWERED
    assert watching.lab.commands.action("record.export").isEnabled() is False


def left_by_its_engine(path):
    with subprocess.Popen([sys.executable, "-c", ""]) as engine:
        engine.wait()
    mine = growing(path).name
    left = mine.replace(f".{os.getpid()}.", f".{engine.pid}.")
    assert left != mine
    path.with_name(left).write_bytes(b"\0\0\0\x20ftypisom....moof....")


def test_of_a_film_that_is_cancelled_without_an_engine_nothing_stays(
    watching, beat, lose, start_again, tmp_path
):
    path = tmp_path / "b.mp4"
    watching.lab.recorder.start_live(FilmWish(str(path), "mp4"), theme="light")
    left_by_its_engine(path)
    lose()
    watching.lab.recorder.cancel()
    assert not list(tmp_path.glob(".b.mp4*"))
    start_again()
    assert watching.messages.row("window.recording") is None


def test_of_a_film_that_ended_with_its_engine_what_there_is_is_kept(
    watching, beat, lose, start_again, tmp_path
):
    (tmp_path / "films").mkdir()
    path = tmp_path / "films" / "b.mp4"
    watching.lab.recorder.start_live(FilmWish(str(path), "mp4"), theme="light")
    left_by_its_engine(path)
    lose()
    start_again()
    row = watching.messages.row("window.recording")
    kept = "What there is of it is in 'b (unfinished).mp4'."
    assert row.accessibleDescription() == f"{UNANSWERED} {kept}"
    assert [it.name for it in path.parent.iterdir()] == ["b (unfinished).mp4"]
    beat(Solved(LOST))
    assert watching.lab.commands.action("record.export").isEnabled()


def test_what_is_asked_of_the_next_engine_is_not_given_up(window, client, start_again):
    link, told = window.lab.link, []
    link.ask("first", {}, told.append, lambda sentence: told.append("old"))

    def ask_meanwhile():
        link.ask("second", {}, told.append, lambda sentence: told.append("new"))

    link._restart, restart = lambda: (ask_meanwhile(), restart()), link._restart
    start_again()
    assert told == ["old"]
