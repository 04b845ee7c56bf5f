"""Options that act while training runs, and those that wait for the next one."""

import json

import pytest
import script
from msgspec.structs import replace
from PySide6.QtWidgets import QWidget

from engine.contract.messages import (
    Event,
    ResumeTraining,
    SetOption,
    StartTraining,
)


@pytest.fixture
def running(window, beat):
    window.lab.run.start()
    beat(script.status("running"), script.session(window.lab.draft.configuration))
    return window


def edit(window, key, value):
    """What the editor of this option says when a person has used it."""
    window.train.form.rows[key].editor.edited.emit(value)
    window.lab.live.send_now()


def sent(client):
    return [(it.key, json.loads(it.value)) for it in client.of(SetOption)]


def test_a_live_option_is_sent_and_taken_back_by_undo(running, client):
    before = running.lab.draft.configuration.agent.learning_rate
    edit(running, "agent.learning_rate", 3e-4)
    running.lab.commands.run("edit.undo")
    running.lab.live.send_now()
    running.lab.commands.run("edit.redo")
    running.lab.live.send_now()
    key = "agent.learning_rate"
    assert sent(client) == [(key, 3e-4), (key, before), (key, 3e-4)]


def test_a_dragged_slider_sends_its_last_value_and_is_one_deed(running, client):
    before = running.lab.draft.configuration.agent.discount
    for value in (0.9, 0.8, 0.7):
        running.train.form.rows["agent.discount"].editor.edited.emit(value)
    running.lab.live.send_now()
    assert sent(client) == [("agent.discount", 0.7)]
    running.lab.history.undo()
    assert running.lab.draft.configuration.agent.discount == before


def test_an_option_that_needs_a_new_run_says_so_and_is_not_sent(running, client):
    edit(running, "agent.n_step", 7)
    assert sent(client) == []
    assert running.lab.live.pending == {"agent.n_step"}
    notice = running.findChild(QWidget, "train.form.waiting")
    assert notice.isVisible()
    edit(running, "agent.learning_rate", 1e-5)
    assert sent(client) == [("agent.learning_rate", 1e-5)]
    running.lab.commands.run("options.takeBack")
    assert not notice.isVisible()


def test_a_preset_during_a_run_changes_nothing_of_it(running, client, beat):
    running.train.gallery.choose("cartpole-plain-dqn")
    running.lab.live.send_now()
    edit(running, "agent.learning_rate", 1e-5)
    assert sent(client) == []
    running.lab.commands.run("train.startAgain")
    beat(script.status("idle"))
    last = json.loads(client.of(StartTraining)[-1].configuration)
    assert last["replay"]["kind"] == "uniform"


def test_a_combination_that_is_refused_is_not_sent(running, client):
    running.lab.draft.set("target_network.kind", "none")
    running.lab.live.send_now()
    assert sent(client) == []
    assert running.train.form.rows["agent.double"].complaint
    edit(running, "agent.double", False)
    assert dict(sent(client)) == {"target_network.kind": "none", "agent.double": False}


def test_two_that_belong_together_are_sent_in_an_order_that_goes(running, client):
    edit(running, "target_network.kind", "none")
    both = [("agent.double", False), ("target_network.kind", "none")]
    assert sent(client) == both
    edit(running, "agent.double", True)
    assert sent(client)[2:] == [
        ("target_network.kind", "periodic"),
        ("agent.double", True),
    ]


def test_what_goes_only_with_something_that_waits_waits_as_well(running, client):
    edit(running, "head.kind", "c51")
    edit(running, "head.risk", "cvar")
    assert sent(client) == []
    assert running.lab.live.pending == {"head.kind", "head.risk"}


def test_the_echo_of_our_own_change_moves_nothing(running, client, beat):
    edit(running, "agent.discount", 0.8)
    edit(running, "agent.discount", 0.7)
    beat(option_event("agent.discount", 0.8))
    assert running.lab.draft.configuration.agent.discount == 0.7


def test_a_change_by_another_window_is_shown_and_not_sent_back(running, client, beat):
    beat(option_event("agent.discount", 0.5))
    running.lab.live.send_now()
    assert running.lab.draft.configuration.agent.discount == 0.5
    assert sent(client) == []


def option_event(key, new):
    return Event("option", 5, "changed", 0.0, {"key": key, "old": 0, "new": new})


def test_before_a_run_nothing_is_sent(window, client):
    edit(window, "agent.learning_rate", 1e-5)
    assert sent(client) == []


def test_the_slider_itself_sends_after_its_throttle(running, client, qtbot):
    from PySide6.QtWidgets import QSlider

    slider = running.findChild(QSlider, "train.param.agent.learning_rate.slider")
    assert slider.property("applies") == "live"
    with qtbot.waitSignal(running.lab.link.sent):
        slider.setValue(slider.value() + 100)
    assert sent(client)[0][0] == "agent.learning_rate"


LR = "agent.learning_rate"


@pytest.fixture
def looked_at(window, beat):
    """A session whose learning rate was changed while it was trained is open."""
    start = window.lab.draft.configuration
    changed = start.with_options({LR: 5e-4}).to_json()
    beat(script.status("idle"), script.session(start, live=False, options=changed))
    return window


def test_the_form_shows_what_an_opened_session_ended_with(looked_at):
    assert looked_at.lab.draft.configuration.get(LR) == 5e-4


def test_a_run_that_goes_on_is_told_what_the_form_says(looked_at, client, beat):
    start = looked_at.lab.store.configuration
    edit(looked_at, LR, 2e-4)
    edit(looked_at, "agent.n_step", 5)
    looked_at.lab.run.continue_session("/data/run.h5")
    changed = start.with_options({LR: 5e-4})
    beat(script.status("starting"))
    assert looked_at.lab.live.in_force is None
    beat(script.session(start, options=changed.to_json()), script.status("running"))
    assert looked_at.lab.live.in_force == changed
    looked_at.lab.live.send_now()
    assert sent(client) == [(LR, 2e-4)]
    assert looked_at.lab.live.pending == {"agent.n_step"}


def test_after_a_lost_engine_what_is_in_force_is_what_the_new_one_says(
    running, client, beat
):
    start = running.lab.draft.configuration
    edit(running, LR, 3e-4)
    edit(running, "agent.n_step", 7)
    beat(script.status("idle"), script.status("starting"))
    assert running.lab.live.in_force is None
    wanted = start.with_options({LR: 3e-4})
    beat(script.session(start, options=wanted.to_json()), script.status("running"))
    running.lab.live.send_now()
    assert running.lab.live.in_force == wanted
    assert sent(client) == [(LR, 3e-4)]
    assert running.lab.live.pending == {"agent.n_step"}


def test_a_preset_for_the_next_run_is_not_sent_to_one_that_goes_on(
    looked_at, client, beat
):
    start = looked_at.lab.store.configuration
    looked_at.train.gallery.choose("cartpole-plain-dqn")
    looked_at.lab.run.continue_session("/data/run.h5")
    options = start.with_options({LR: 5e-4}).to_json()
    beat(script.status("starting"))
    beat(script.session(start, options=options), script.status("running"))
    looked_at.lab.live.send_now()
    assert sent(client) == []


def test_a_preset_for_the_next_run_is_not_sent_after_a_lost_engine(
    running, client, beat
):
    start = running.lab.draft.configuration
    running.train.gallery.choose("cartpole-plain-dqn")
    beat(script.status("idle"), script.status("starting"))
    beat(script.session(start, options=start.to_json()), script.status("running"))
    running.lab.live.send_now()
    assert sent(client) == []
    assert running.lab.live.in_force == start


@pytest.mark.parametrize("edited", [False, True])
def test_who_only_looks_tells_a_run_of_another_window_nothing(
    looked_at, client, beat, edited
):
    """It goes on with more steps, at a tenth of the learning rate."""
    start = looked_at.lab.store.configuration
    if edited:
        edit(looked_at, "agent.discount", 0.5)
    theirs = start.with_options({LR: 5e-5, "training.steps": 90_000})
    beat(script.status("starting"))
    beat(script.session(start, options=theirs.to_json()), script.status("running"))
    assert sent(client) == []
    assert looked_at.lab.live.in_force == theirs
    assert (looked_at.lab.draft.configuration == theirs) != edited


@pytest.mark.parametrize(
    ("done", "budget_of_form", "steps"),
    [(400, 1_000, 0), (1_000, 1_000, 1_000), (1_000, 1_500, 500), (1_000, 900, 1_000)],
)
@pytest.mark.parametrize("command", ["continue", "rewind", "halveBatch"])
def test_a_run_at_its_end_goes_on_for_further_steps(
    window, client, beat, command, done, budget_of_form, steps
):
    start = window.lab.draft.configuration.with_options({"training.steps": 1_000})
    session = script.session(start, live=False)
    beat(script.status("idle"), replace(session, durable_step=done))
    edit(window, "training.steps", budget_of_form)
    window.lab.commands.run(f"train.{command}")
    (ordered,) = client.of(ResumeTraining)
    assert ordered.steps == steps
