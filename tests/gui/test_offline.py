"""Learning offline from a session, chosen in the window."""

import json

import pytest
import script
from PySide6.QtWidgets import QLabel

from engine.contract.messages import StartTraining

RECORDED = {
    "environment.id": "FrozenLake-v1",
    "environment.kwargs": {"map_name": "4x4"},
}


@pytest.fixture
def chosen(window, client):
    """What the keeper says about a chosen session becomes the draft."""

    def choose(recorded=12, path="/data/lake.h5"):
        window.lab.offline.choose(path)
        question = client.questions("configuration_of")[-1]
        assert question.arguments == {"path": path}
        text = window.lab.draft.configuration.with_options(RECORDED).to_json()
        answer = {"path": path, "configuration": text, "recorded": recorded}
        client.reply(question.id, answer)
        window.lab.pulse.beat()
        return window.lab.draft.configuration

    return choose


def test_the_session_and_its_environment_are_taken_over(window, client, chosen):
    leave = window.lab.commands.action("offline.leave")
    assert not leave.isEnabled()
    configuration = chosen()
    assert configuration.training.offline == "/data/lake.h5"
    assert configuration.environment.id == "FrozenLake-v1"
    assert "offline from lake.h5" in window.findChild(QLabel, "main.title").text()
    window.lab.run.start()
    (sent,) = client.of(StartTraining)
    assert json.loads(sent.configuration)["training"]["offline"] == "/data/lake.h5"
    assert leave.isEnabled()


def test_it_can_be_undone_and_left(window, chosen):
    before = window.lab.draft.configuration
    chosen()
    window.lab.commands.run("edit.undo")
    assert window.lab.draft.configuration == before
    chosen()
    window.lab.commands.run("offline.leave")
    assert not window.lab.offline.chosen
    assert "offline" not in window.findChild(QLabel, "main.title").text()


def test_what_cannot_be_learned_from_says_why(window, client, chosen):
    before = window.lab.draft.configuration
    chosen(recorded=0)
    row = window.messages.row("window.offline")
    assert row is not None
    assert "no episode" in row.accessibleDescription()
    assert window.lab.draft.configuration == before
    window.lab.offline.choose("/data/broken.h5")
    client.reply(client.questions("configuration_of")[-1].id, "It is damaged.")
    window.lab.pulse.beat()
    row = window.messages.row("window.offline")
    assert row is not None
    assert "damaged" in row.accessibleDescription()
    chosen()
    assert window.messages.row("window.offline") is None


def test_without_a_memory_it_stands_in_the_way_of_train(window, client, chosen):
    window.lab.draft.set("replay.kind", "none")
    chosen()
    window.lab.run.start()
    assert not client.of(StartTraining)
    assert "training.offline" in window.lab.draft.complaints


def test_the_open_session_can_be_learned_from_when_nothing_runs(window, client, beat):
    action = window.lab.commands.action("offline.this")
    assert not action.isEnabled()
    configuration = window.lab.draft.configuration
    beat(script.status("idle"), script.session(configuration, live=False))
    assert action.isEnabled()
    action.trigger()
    (asked,) = client.questions("configuration_of")
    assert asked.arguments["path"] == window.lab.sessions.path
    beat(script.status("running"))
    assert not action.isEnabled()


def test_train_again_finds_the_session_that_the_engine_only_names(
    window, client, chosen, beat
):
    configuration = chosen()
    window.lab.run.start()
    named = configuration.with_options({"training.offline": "lake.h5"})
    beat(script.status("running"), script.session(named, live=True))
    assert window.lab.live.pending == frozenset()
    beat(script.status("finished"), script.session(named, live=False))
    assert window.lab.draft.configuration.training.offline == "/data/lake.h5"
