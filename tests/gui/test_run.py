"""The run as the window sees it: one button, eight states."""

import json
import random

import pytest
import script
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QToolButton

from engine.contract.messages import (
    Advance,
    EndTrainer,
    Pause,
    Problem,
    Resume,
    ResumeTraining,
    StartTraining,
    Stop,
)
from rllab_gui.run import STATES


def train_button(window) -> QToolButton:
    return window.findChild(QToolButton, "main.train.button")


def test_one_click_starts_training_of_the_preset(window, client, qtbot):
    button = train_button(window)
    assert button.property("state") == "idle"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    (start,) = client.of(StartTraining)
    configuration = json.loads(start.configuration)
    assert configuration["environment"]["id"] == "CartPole-v1"
    assert configuration["replay"]["kind"] == "prioritized"
    assert button.property("state") == "starting"


def test_enter_on_the_focused_button_starts_too(window, client, qtbot):
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.waitUntil(lambda: window.focusWidget() is train_button(window))
    qtbot.keyClick(train_button(window), Qt.Key.Key_Return)
    assert len(client.of(StartTraining)) == 1


def test_every_state_has_a_face(window, beat):
    button = train_button(window)
    for state in STATES:
        beat(script.status(state))
        assert button.property("state") == state
        assert button.text()
        assert window.lab.run.state == state


def test_the_button_pauses_and_resumes(window, client, beat, qtbot):
    beat(script.status("running"))
    qtbot.mouseClick(train_button(window), Qt.MouseButton.LeftButton)
    assert client.of(Pause)
    assert window.lab.run.state == "pausing"
    beat(script.status("running"))  # the engine has not yet heard of it
    assert window.lab.run.state == "pausing"
    beat(script.status("paused"))
    qtbot.mouseClick(train_button(window), Qt.MouseButton.LeftButton)
    assert client.of(Resume)


def test_old_words_of_the_engine_do_not_undo_a_start(window, beat):
    window.lab.run.start()
    beat(script.status("idle"))
    assert window.lab.run.state == "starting"
    beat(script.status("running"), script.status("finished"))
    assert window.lab.run.state == "finished"


def test_a_start_that_fails_ends(window, beat):
    window.lab.run.start()
    beat(Problem("run.refused", "No."), script.status("idle"))
    assert window.lab.run.state == "idle"


def test_an_unanswered_start_ends_at_last(window, beat):
    window.lab.run.start()
    window.lab.run._patience.timeout.emit()
    beat(script.status("failed"))
    assert window.lab.run.state == "failed"


def test_single_steps_need_a_pause(window, client, beat):
    window.lab.commands.run("train.stepEnv")
    assert not client.of(Advance)
    beat(script.status("paused"))
    window.lab.commands.run("train.stepEnv")
    window.lab.commands.run("train.stepEpisode")
    assert [it.unit for it in client.of(Advance)] == ["step", "episode"]


def test_a_new_run_during_a_run_stops_it_first(window, client, beat):
    beat(script.status("running"))
    window.lab.run.start_again()
    assert client.of(Stop)
    assert not client.of(StartTraining)
    beat(script.status("idle"))
    assert len(client.of(StartTraining)) == 1


def test_continue_resumes_the_open_session(window, client, beat):
    action = window.lab.commands.action("train.continue")
    assert not action.isEnabled()
    configuration = window.lab.draft.configuration
    beat(script.status("idle"), script.session(configuration, live=False))
    assert action.isEnabled()
    action.trigger()
    assert client.of(ResumeTraining) == [ResumeTraining("/data/run.h5")]


def test_after_a_divergence_it_goes_on_more_carefully(window, client, beat):
    configuration = window.lab.draft.configuration
    rate = configuration.agent.learning_rate
    fixes = [("train.rewind", "Continue"), ("train.start", "Train anew")]
    beat(script.status("failed"), script.session(configuration, live=False))
    beat(Problem("training.diverged", "Training diverged.", fixes=fixes))
    row = window.messages.row("training.diverged")
    assert row is not None
    window.lab.commands.run("train.rewind")
    (sent,) = client.of(ResumeTraining)
    assert json.loads(sent.changes["agent.learning_rate"]) == pytest.approx(rate / 10)
    assert window.lab.draft.configuration.agent.learning_rate == pytest.approx(
        rate / 10
    )
    assert window.lab.run.state == "starting"


def test_where_memory_ran_out_it_goes_on_with_half_the_batch(window, client, beat):
    configuration = window.lab.draft.configuration
    size = configuration.agent.batch_size
    beat(script.status("failed"), script.session(configuration, live=False))
    window.lab.commands.run("train.halveBatch")
    (sent,) = client.of(ResumeTraining)
    assert sent.changes == {"agent.batch_size": str(size // 2)}
    assert window.lab.draft.configuration.agent.batch_size == size // 2


def test_a_trainer_that_hangs_can_be_ended(window, client, beat):
    action = window.lab.commands.action("train.endTrainer")
    assert not action.isEnabled()
    beat(script.status("running"))
    action.trigger()
    assert client.of(EndTrainer)


def test_what_the_form_complains_about_stands_in_the_way(window, client, beat):
    draft = window.lab.draft
    draft.set("target_network.kind", "none")
    window.lab.run.start()
    assert not client.of(StartTraining)
    row = window.messages.row("window.configuration")
    assert row is not None
    assert "target network" in row.accessibleDescription()
    draft.set("agent.double", False)
    assert window.messages.row("window.configuration") is None


def test_random_sequences_end_in_a_legal_state(window, client, beat):
    chance = random.Random(0)
    answers = {
        StartTraining: "running",
        Pause: "paused",
        Resume: "running",
        Stop: "idle",
    }
    deeds = ["start", "pause", "resume", "stop", "stepEnv", "stepEpisode"]
    for _ in range(200):
        before = len(client.sent)
        command = f"train.{chance.choice(deeds)}"
        usable = window.lab.commands.action(command).isEnabled()
        window.lab.commands.run(command)
        orders = [it for it in client.sent[before:] if type(it) in answers]
        assert bool(orders) <= usable
        if orders and chance.random() < 0.8:
            beat(script.status(answers[type(orders[0])]))
        if chance.random() < 0.05:
            beat(script.status("finished"))
        assert window.lab.run.state in STATES
        button = train_button(window)
        assert button.property("state") == window.lab.run.state
    assert {type(it) for it in client.sent} >= set(answers)


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_the_words_of_the_progress_are_not_cut(window, beat, scale):
    progress = window.run_bar.progress

    def whole():
        QApplication.sendPostedEvents()
        words = progress.fontMetrics().horizontalAdvance(progress.format())
        return words < progress.width()

    beat(script.status("running", step=630, remaining_s=0.0))
    least = progress.minimumWidth()
    for seconds in (0.0, 36_000.0):
        beat(script.status("running", step=630, remaining_s=seconds))
        window.lab.theme.set_scale(scale)
        assert whole()
        window.lab.theme.set_scale(1.0)
        assert whole()
    # One that is shorter again takes no more room than it took before.
    beat(script.status("running", step=630, remaining_s=0.0))
    assert whole()
    assert progress.minimumWidth() == least


def test_progress_says_how_long(window, beat):
    beat(script.status("running", step=630, remaining_s=250.0))
    assert window.run_bar.progress.value() == 630
    assert window.run_bar.progress.format() == "63\u202f% · 4:10 left"
    assert window.windowTitle().startswith("63\u202f% - CartPole - ")
