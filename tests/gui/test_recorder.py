"""Films: asked for, followed, cancelled; and the engine started anew."""

import pytest
import script
from fake_client import FakeClient
from PySide6.QtWidgets import QDialog, QWidget

from engine.contract.messages import Answer, Cancel, JobProgress, Shutdown
from rllab_gui.link import Link


@pytest.fixture
def with_episode(window, beat):
    beat(script.status("idle"), script.session(window.lab.draft.configuration))
    window.show_workspace("step")
    window.lab.cursor.show_episode("evaluation", 4)
    beat()
    return window


def export(window, path, format="mp4"):
    window.lab.commands.run("record.export")
    dialog = window.findChild(QDialog, "dlg.export")
    combo = dialog.findChild(QWidget, "dlg.export.format")
    combo.setCurrentIndex(combo.findData(format))
    dialog.findChild(QWidget, "dlg.export.path").setText(path)
    dialog.findChild(QWidget, "dlg.export.save").click()


def test_the_shown_episode_is_exported(with_episode, client):
    export(with_episode, "/data/a.gif", "gif")
    (asked,) = client.questions("record")
    assert asked.arguments == {
        "kind": "evaluation",
        "episode": 4,
        "path": "/data/a.gif",
        "format": "gif",
        "panels": True,
        "theme": "light",
        "first": 0,
        "last": -1,
    }


def test_selected_steps_or_several_checkpoints_are_filmed(with_episode, client):
    lab = with_episode.lab
    lab.cursor.select((3, 9))
    lab.axis.steps = (0, 500, 1_000, 2_000)
    lab.commands.run("record.export")
    dialog = with_episode.findChild(QDialog, "dlg.export")
    what = dialog.findChild(QWidget, "dlg.export.what")
    steps = dialog.findChild(QWidget, "dlg.export.checkpoints")
    what.setCurrentIndex(what.findData("range"))
    assert steps.isHidden()
    dialog.accept()
    asked = client.questions("record")[-1].arguments
    assert (asked["first"], asked["last"]) == (3, 9)
    what.setCurrentIndex(what.findData("seed"))
    assert steps.text() == "0, 1000, 2000"
    steps.setText("ten")
    dialog.accept()
    assert not client.questions("record_side_by_side")
    complaint = dialog.findChild(QWidget, "dlg.export.complaint")
    assert complaint.text().startswith("Write at least two training steps")
    steps.setText("0, 2000")
    dialog.accept()
    (asked,) = client.questions("record_side_by_side")
    assert asked.arguments["checkpoints"] == [0, 2_000]


def test_an_export_shows_how_far_it_is_and_can_be_cancelled(with_episode, client, beat):
    export(with_episode, "/data/a.mp4")
    job = with_episode.findChild(QWidget, "status.job")
    beat(JobProgress("record.1", 0.4, "4 of 10 pictures"))
    assert job.isVisible()
    assert job.value() == 400
    with_episode.lab.commands.run("record.cancel")
    (asked,) = client.questions("record")
    assert client.of(Cancel)[-1] == Cancel(asked.id)
    beat(JobProgress("record.1", 0.0, "cancelled", done=True))
    assert not job.isVisible()
    assert not with_episode.lab.recorder.busy


def test_no_encoder_is_one_sentence(with_episode, client, beat):
    export(with_episode, "/data/a.mp4")
    (asked,) = client.questions("record")
    beat(Answer(asked.id, error="No video encoder was found: choose GIF."))
    row = with_episode.messages.row("window.recording")
    assert row.accessibleDescription() == "No video encoder was found: choose GIF."


def test_the_shown_agent_is_filmed_until_pressed_again(window, client):
    window.lab.commands.run("record.live")
    dialog = window.findChild(QDialog, "dlg.export")
    dialog.findChild(QWidget, "dlg.export.save").click()
    window.lab.commands.run("record.live")
    deeds = [it.arguments["do"] for it in client.questions("record_live")]
    assert deeds == ["start", "stop"]


def test_without_an_episode_there_is_nothing_to_export(window):
    assert not window.lab.commands.action("record.export").isEnabled()


class Restartable(FakeClient):
    """An engine that can, or cannot, be started anew."""

    error = ""

    def restart(self):
        if self.error:
            raise RuntimeError(self.error)


@pytest.mark.parametrize("error", ["", "The folder cannot be written."])
def test_the_engine_is_started_anew_in_the_background(qapp, qtbot, error):
    client = Restartable()
    client.error = error
    link = Link(client)
    told = link.problemRaised if error else link.problemSolved
    with qtbot.waitSignal(told) as heard:
        link.restart()
    assert client.of(Shutdown)
    assert not error or heard.args[0].why == error
