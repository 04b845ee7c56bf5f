"""Forking the open session and having its exact resume certified, in the window."""

import pytest
import script
from PySide6.QtWidgets import QFileDialog

from engine.contract.messages import OpenSession

FACTS = {
    "exact": True,
    "sentence": "Resuming is exact to the bit: all parts are equal.",
    "first": 2500,
    "cut": 2700,
    "last": 2900,
    "updates": 100,
    "episode_steps": 38,
    "device": "cpu",
    "parts": [
        {"name": "weights", "straight": "a" * 64, "reloaded": "a" * 64, "equal": True},
        {"name": "moments", "straight": "b" * 64, "reloaded": "c" * 64, "equal": False},
    ],
}


@pytest.fixture
def resting(window, beat):
    """A session that can be continued is open."""
    configuration = window.lab.draft.configuration
    beat(script.status("idle"), script.session(configuration, live=False))
    return window


def test_the_certificate_is_one_row_from_asking_to_its_parts(resting, client, beat):
    action = resting.lab.commands.action("session.certify")
    assert action.isEnabled()
    action.trigger()
    assert not action.isEnabled()
    row = resting.messages.row("window.certificate")
    assert "Certifying" in row.accessibleDescription()
    (asked,) = client.questions("certify")
    assert asked.arguments == {"updates": 100}
    client.reply(asked.id, FACTS)
    beat()
    row = resting.messages.row("window.certificate")
    assert "exact to the bit" in row.accessibleDescription()
    assert row.accessibleName().startswith("information")
    entry = resting.lab.problems.get("window.certificate")
    lines = entry.problem.details.splitlines()
    assert "cut at step 2,700 (38 steps into an episode)" in lines[0]
    assert lines[2].split() == ["equal", "a" * 12, "a" * 12, "weights"]
    assert lines[3].split()[0] == "DIFFERENT"
    assert action.isEnabled()


def test_what_is_not_exact_is_a_warning_and_a_refusal_says_why(resting, client, beat):
    resting.lab.certificate.ask()
    client.reply(client.questions("certify")[-1].id, FACTS | {"exact": False})
    beat()
    row = resting.messages.row("window.certificate")
    assert row.accessibleName().startswith("warning")
    resting.lab.certificate.ask()
    client.reply(client.questions("certify")[-1].id, "It is running.")
    beat()
    row = resting.messages.row("window.certificate")
    assert "Not certified: It is running." in row.accessibleDescription()
    assert resting.lab.commands.action("session.certify").isEnabled()


def test_without_a_resting_session_there_is_nothing_to_certify(window, beat):
    assert not window.lab.commands.action("session.certify").isEnabled()
    assert not window.lab.commands.action("session.fork").isEnabled()
    beat(script.status("running"), script.session(window.lab.draft.configuration))
    assert not window.lab.commands.action("session.certify").isEnabled()
    assert window.lab.commands.action("session.fork").isEnabled()
    options = window.lab.draft.configuration
    beat(script.status("idle"), script.session(options, live=False, unwritten=True))
    assert not window.lab.commands.action("session.certify").isEnabled()
    beat(script.session(options, live=False))
    assert window.lab.commands.action("session.certify").isEnabled()


def test_a_fork_is_told_and_opened(resting, client, beat):
    resting.lab.forks.make("/data/arm.h5", overwrite=True)
    (asked,) = client.questions("fork")
    assert asked.arguments == {"target": "/data/arm.h5", "step": -1, "overwrite": True}
    made = {"path": "/data/arm.h5", "step": 2500, "exact": True, "note": ""}
    client.reply(asked.id, made)
    beat()
    row = resting.messages.row("window.fork")
    assert "Forked as 'arm' at step 2,500." in row.accessibleDescription()
    assert client.of(OpenSession) == [OpenSession("/data/arm.h5")]


def test_a_fork_of_a_run_leaves_the_run_in_sight(resting, client, beat):
    beat(script.status("running"))
    resting.lab.forks.make("/data/arm.h5")
    made = {"path": "/data/arm.h5", "step": 2500, "exact": True, "note": ""}
    client.reply(client.questions("fork")[-1].id, made)
    beat()
    assert not client.of(OpenSession)
    resting.lab.forks.make("/data/arm.h5")
    client.reply(client.questions("fork")[-1].id, "There is already a session.")
    beat()
    row = resting.messages.row("window.fork")
    assert "already" in row.accessibleDescription()


def test_a_fork_begins_at_the_checkpoint_on_the_training_axis(resting, client):
    resting.lab.cursor.show_checkpoint(2000)
    resting.lab.commands.action("session.fork").trigger()
    dialog = resting.findChild(QFileDialog, "dlg.fork")
    assert dialog.windowTitle() == "Fork session from step 2,000"
    dialog.fileSelected.emit("/data/arm.h5")
    assert client.questions("fork")[-1].arguments["step"] == 2000
    dialog.reject()
