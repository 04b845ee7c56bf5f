"""Presenter mode: everything is larger for a while, and then as it was before."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def shown(window):
    return {
        (name, dock)
        for name, workspace in window.workspaces.items()
        for dock, widget in workspace.docks.items()
        if not widget.isHidden()
    }


def test_f11_folds_the_sides_enlarges_and_esc_puts_everything_back(stepping, qtbot):
    before, scale = shown(stepping), stepping.lab.theme.scale
    qtbot.keyClick(stepping, Qt.Key.Key_F11)
    assert stepping.presenter.on
    assert stepping.isFullScreen()
    assert stepping.lab.theme.scale == 1.5 * scale
    assert not stepping.rail.isVisible()
    folded = before - shown(stepping)
    assert folded == {
        ("train", "setup"),
        ("step", "episodes"),
        ("step", "stepBranches"),
        ("step", "bookmarks"),
    }
    qtbot.keyClick(stepping, Qt.Key.Key_Escape)
    assert not stepping.presenter.on
    assert not stepping.isFullScreen()
    assert stepping.lab.theme.scale == scale
    assert stepping.rail.isVisible()
    assert shown(stepping) == before
    assert not stepping.presenter.bar.isVisible()


def test_the_line_says_what_is_seen_and_which_key_was_pressed(stepping, qtbot):
    stepping.lab.commands.run("view.presenter")
    bar = stepping.presenter.bar
    words = stepping.findChild(QLabel, "step.frame.action").text()
    assert words
    assert words.rstrip(".") in bar.caption.text()
    qtbot.keyClick(stepping, Qt.Key.Key_N)
    assert bar.key.text() == "N  Next mark"
    stepping.show_workspace("train")
    stepping.presenter._say()
    assert words not in bar.caption.text()


def test_the_caption_does_not_tell_what_predict_mode_hides(stepping, beat):
    stepping.presenter.enter()
    beat()
    stepping.presenter._say()
    assert "looks best" in stepping.presenter.bar.caption.text()
    stepping.lab.commands.action("play.predict").trigger()
    beat()
    stepping.presenter._say()
    assert "looks best" not in stepping.presenter.bar.caption.text()


def test_nothing_of_it_is_kept(stepping):
    settings, scale = stepping.lab.settings, stepping.lab.theme.scale
    stepping._keep_layout()
    layout = settings.data("layout/step")
    stepping.presenter.enter()
    stepping._keep_layout()
    assert settings.data("layout/step") == layout
    assert settings.number("scale", 1) == scale
    stepping.leave(keep_training=False)  # the window is closed while it presents
    assert not stepping.presenter.on
    assert settings.number("scale", 1) == scale


def test_panels_that_a_person_has_dragged_get_their_sizes_back(stepping, qtbot):
    workspace = stepping.workspaces["step"]
    docks = [workspace.docks["episodes"], workspace.docks["stepBranches"]]
    workspace._on_touched()
    workspace.resizeDocks(docks, [330, 200], Qt.Orientation.Vertical)
    qtbot.waitUntil(lambda: docks[0].height() > 300)
    before, kept = [it.size() for it in docks], workspace.layout_state()
    stepping.presenter.enter()
    stepping.presenter.leave()
    stepping._keep_layout()  # as when the window is closed at once
    assert stepping.lab.settings.data("layout/step") == kept
    qtbot.waitUntil(lambda: stepping.presenter.kept_layout("step") is None)
    wide = before[0].width()
    qtbot.waitUntil(lambda: abs(docks[0].width() - wide) <= 12)
    assert not workspace.untouched


def test_a_theme_chosen_while_presenting_stays(stepping):
    stepping.presenter.enter()
    stepping.lab.theme.set_choice("dark")
    stepping.presenter.leave()
    assert stepping.lab.settings.text("theme", "") == "dark"
    assert stepping.lab.theme.is_dark
