"""Exports for other programs and imports from them, from the menus of the window."""

import dataclasses

import pytest
import script
from PySide6.QtWidgets import QFileDialog, QMenu

from engine.contract.exports import EXPORTS
from engine.contract.messages import Cancel, OpenSession
from rllab_gui.frame.session_commands import session_commands


@pytest.fixture
def resting(window, beat):
    """A session is open, and an episode of it is shown."""
    window.files.native = False
    beat(
        script.status("idle"),
        script.session(window.lab.draft.configuration, live=False),
        script.episode(1),
    )
    return window


def choose(window, command, path):
    window.lab.commands.run(command)
    (dialog,) = [it for it in window.findChildren(QFileDialog) if it.isVisible()]
    dialog.fileSelected.emit(path)
    dialog.reject()
    return dialog


def row(window):
    return window.messages.row("window.exchange").accessibleDescription()


def test_every_export_stands_in_one_menu_greyed_where_it_cannot_be(
    window, monkeypatch, beat
):
    menu = window.findChild(QMenu, "main.menu.export")
    names = [it.objectName() for it in menu.actions()]
    assert names == ["act.record.export", *(f"act.export.{it}" for it in EXPORTS)]
    assert not any(it.isEnabled() for it in menu.actions())
    absent = dataclasses.replace(EXPORTS["onnx"], needs=("no_such_module",))
    monkeypatch.setitem(EXPORTS, "onnx", absent)
    made = {it.id: it for it in session_commands(window.lab, window)}
    assert "python -m pip install" in made["export.onnx"].tooltip
    beat(script.status("idle"), script.session(window.lab.draft.configuration))
    assert not window.lab.commands.action("export.onnx").isEnabled()
    assert window.lab.commands.action("export.scalars").isEnabled()


def test_a_network_is_exported_with_its_check_and_the_shown_episode(
    resting, client, beat
):
    dialog = choose(resting, "export.onnx", "/data/net.onnx")
    assert dialog.defaultSuffix() == "onnx"
    (asked,) = client.questions("export")
    assert asked.arguments == {"name": "onnx", "path": "/data/net.onnx"}
    assert not resting.lab.commands.action("export.scalars").isEnabled()
    facts = {"file": "/data/net.onnx", "holds": "the network", "checked": "equal"}
    client.reply(asked.id, facts)
    beat()
    assert "Exported as 'net.onnx': the network. Checked: equal." in row(resting)
    assert resting.lab.commands.action("export.scalars").isEnabled()
    assert not resting.lab.commands.action("export.episode").isEnabled()
    resting.show_workspace("step")
    resting.lab.cursor.show_episode("training", 1)
    beat()
    choose(resting, "export.episode", "/data/one.csv")
    asked = client.questions("export")[-1]
    shown = {"kind": "training", "episode": 1}
    assert asked.arguments == {"name": "episode", "path": "/data/one.csv", **shown}


def test_it_can_be_given_up_or_refused_and_a_data_set_is_opened(resting, client, beat):
    choose(resting, "export.minari", "/data/set")
    cancel = resting.lab.commands.action("record.cancel")
    assert cancel.isEnabled()
    cancel.trigger()
    (asked,) = client.questions("export")
    assert client.of(Cancel)[-1] == Cancel(asked.id)
    assert not cancel.isEnabled()
    choose(resting, "export.minari", "/data/set")
    client.reply(client.questions("export")[-1].id, "'set' is not empty.")
    beat()
    assert "'set' is not empty." in row(resting)
    # What comes in goes the same way.
    choose(resting, "session.import", "/data/set/data/main_data.hdf5")
    (asked,) = client.questions("import")
    assert asked.arguments == {"path": "/data/set/data/main_data.hdf5"}
    facts = {"session": "/data/set.h5", "environment": "X-v0", "episodes": 1200}
    client.reply(asked.id, facts | {"steps": 9})
    beat()
    assert "Imported as 'set': 1,200 episodes of X-v0." in row(resting)
    assert client.of(OpenSession) == [OpenSession("/data/set.h5")]
