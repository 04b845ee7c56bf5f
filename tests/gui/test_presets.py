"""The gallery: one click loads, own presets come and go with undo."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit

from engine.contract.catalogue import GROUPS, YOUR_OWN, Preset, shipped_presets
from rllab_gui import presets as presets_module
from rllab_gui.forms.gallery import REASON
from rllab_gui.history import History
from rllab_gui.presets import Presets
from rllab_gui.problems import Problems


@pytest.fixture
def presets(tmp_path, context):
    return Presets(tmp_path / "presets", History(), Problems(context.link))


def names(presets):
    return [card.preset.name for card in presets.cards()]


def row_of(gallery, name):
    model = gallery.model()
    for row in range(model.rowCount()):
        if model.index(row, 0).data(Qt.ItemDataRole.UserRole) == name:
            return model.index(row, 0)
    raise AssertionError(name)


def test_the_window_starts_with_cartpole_and_no_modal_dialog(window, qapp):
    assert window.train.gallery.current_name() == "cartpole"
    assert window.lab.draft.configuration.replay.kind == "prioritized"
    assert qapp.activeModalWidget() is None


def test_every_shipped_preset_loads_by_a_click(window, qtbot):
    gallery = window.train.gallery
    for preset in shipped_presets():
        index = row_of(gallery, preset.name)
        if index.data(REASON):
            continue
        gallery.scrollTo(index)
        place = gallery.visualRect(index).center()
        qtbot.mouseClick(gallery.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert window.lab.draft.configuration == preset.configuration
        assert gallery.current_name() == preset.name
    window.lab.history.undo()


def test_a_preset_whose_package_is_missing_is_greyed_with_the_cure(
    window, monkeypatch, qtbot
):
    needy = Preset(
        "needy", "Needy", "story", {}, needs="nowhere", install="pip install x"
    )
    monkeypatch.setattr(presets_module, "shipped_presets", lambda: (needy,))
    window.lab.presets._on_changed()
    gallery = window.train.gallery
    before = window.lab.draft.configuration
    index = row_of(gallery, "needy")
    assert "pip install x" in index.data(REASON)
    place = gallery.visualRect(index).center()
    qtbot.mouseClick(gallery.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.lab.draft.configuration == before
    assert "pip install x" in window.messages.row("window.missing").accessibleName()


def test_own_presets_are_kept_and_deleted_with_undo(presets):
    configuration = shipped_presets()[0].configuration.with_options(
        {"agent.discount": 0.5}
    )
    name = presets.save("My best!", configuration)
    assert name == "my-best"
    assert presets.get(name).preset.configuration == configuration
    presets.delete(name)
    assert name not in names(presets)
    presets._history.undo()
    assert presets.get(name).preset.own
    presets._history.undo()
    assert name not in names(presets)


def test_equal_titles_get_names_of_their_own(presets):
    configuration = shipped_presets()[0].configuration
    assert presets.save("CartPole", configuration) == "cartpole-2"
    assert presets.save("CartPole", configuration) == "cartpole-3"


def test_a_damaged_preset_is_reported_and_the_others_stay(presets, tmp_path):
    folder = tmp_path / "presets"
    folder.mkdir()
    (folder / "broken.toml").write_text("title = \n")
    assert "cartpole" in names(presets)
    assert "broken" in presets._problems.get("window.presets").problem.what


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, context):
    blocked = tmp_path / "file"
    blocked.write_text("")
    presets = Presets(blocked / "presets", History(), Problems(context.link))
    assert presets.save("X", shipped_presets()[0].configuration) == ""
    assert "not saved" in presets._problems.get("window.presets").problem.what


def test_delete_is_offered_for_own_presets_only(window):
    action = window.lab.commands.action("preset.delete")
    assert not action.isEnabled()
    window.lab.draft.set("agent.discount", 0.5)
    window.lab.presets.save("Mine", window.lab.draft.configuration)
    assert window.train.gallery.current_name() == "mine"
    assert action.isEnabled()
    action.trigger()
    assert window.lab.presets.get("mine") is None


def shown(gallery):
    model = gallery.model()
    rows = range(model.rowCount())
    return [model.index(row, 0).data(Qt.ItemDataRole.UserRole) for row in rows]


def test_a_group_shows_its_presets_only(window):
    box = window.findChild(QComboBox, "train.presets.group")
    gallery = window.train.gallery
    assert shown(gallery) == [it.name for it in shipped_presets()]
    groups = [box.itemText(at) for at in range(box.count())]
    used = [it for it in GROUPS if it in {of.group for of in shipped_presets()}]
    assert groups == ["All presets", *used]
    for group in used:
        box.setCurrentText(group)
        wanted = [it.name for it in shipped_presets() if it.group == group]
        assert shown(gallery) == wanted


def test_own_presets_bring_their_group(window):
    box = window.findChild(QComboBox, "train.presets.group")
    assert box.findText(YOUR_OWN) < 0
    window.lab.draft.set("agent.discount", 0.5)
    window.lab.presets.save("Mine", window.lab.draft.configuration)
    box.setCurrentText(YOUR_OWN)
    assert shown(window.train.gallery) == ["mine"]
    window.lab.presets.delete("mine")
    assert box.currentText() == "All presets"
    assert "cartpole" in shown(window.train.gallery)


def test_words_are_searched_in_titles_stories_worlds_and_groups(window, qtbot):
    search = window.findChild(QLineEdit, "train.presets.search")
    story = window.findChild(QLabel, "train.presets.story")
    gallery = window.train.gallery
    qtbot.keyClicks(search, "frozen ICE")
    assert shown(gallery) == ["frozenlake"]
    qtbot.keyClick(search, Qt.Key.Key_Return)
    assert gallery.current_name() == "frozenlake"
    assert story.text() == window.lab.presets.get("frozenlake").preset.story
    search.setText("nothing is called so")
    assert shown(gallery) == []
    assert story.text() == "No preset has these words."
    assert gallery.current_name() == "frozenlake"


def test_cards_are_reached_by_the_keyboard_and_tell_their_story(window, qtbot):
    search = window.findChild(QLineEdit, "train.presets.search")
    story = window.findChild(QLabel, "train.presets.story")
    window.activateWindow()
    search.setFocus()
    qtbot.keyClick(search, Qt.Key.Key_Down)
    gallery = window.train.gallery
    assert gallery.hasFocus()
    qtbot.keyClick(gallery, Qt.Key.Key_Right)
    second = shipped_presets()[1]
    assert story.text() == second.story
    assert gallery.current_name() == "cartpole"
    qtbot.keyClick(gallery, Qt.Key.Key_Return)
    assert gallery.current_name() == second.name
    window.lab.draft.set("agent.discount", 0.123)
    assert story.text() == "Your own options: none of the presets equals them."


def test_the_gallery_leaves_room_for_the_options_on_a_laptop(window, qtbot):
    window.resize(1366, 768)
    gallery, form = window.train.gallery, window.train.form
    qtbot.waitUntil(lambda: 100 < gallery.height() < 200)
    qtbot.waitUntil(lambda: form.height() > 300)
