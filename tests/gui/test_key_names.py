"""Whatever names a key names the one that was chosen, and it works where it should."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QWidget
from remapping import NONE, SHIFT, close, open_at_step_ten, press, remap, see

from rllab_gui.frame.choices import palette_choices
from rllab_gui.lessons.record import SYMBOL
from rllab_gui.lessons.tour import FIRST_STEPS

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
Key = Qt.Key


@pytest.fixture
def here(window, beat, qtbot):
    return open_at_step_ten(window, beat, qtbot)


# -------------------------------------------------------------------- shown, said


def tooltips(window, name):
    return [it.toolTip() for it in window.findChildren(QWidget, name)]


def choose_six(here):
    """Other keys for six commands; the preferences are closed afterwards."""
    for words, key in (
        ("Loop", Key.Key_K),
        ("Next mark", Key.Key_J),
        ("Bookmark this step", Key.Key_X),
        ("Branch from here", Key.Key_U),
        ("Slower", Key.Key_Z),
        ("Predict what the agent does", Key.Key_G),
    ):
        remap(here, words, key)
    close(here)
    here.lab.pulse.beat()


def test_whatever_names_a_key_names_the_new_one(here):
    choose_six(here)
    assert tooltips(here, "transport.loop") == [
        "Play once, everything again, or the selection again (K)"
    ]
    speed = see(here, "transport.speed", QComboBox)
    assert speed.toolTip() == "Playback speed (Z slower and . faster)"
    menu = see(here, "main.menu.play")
    keys = {it.objectName(): it.shortcut().toString() for it in menu.actions()}
    assert keys["act.transport.nextMark"] == "J"
    hints = {it.text: it.hint for it in palette_choices(here)}
    assert hints["Next mark"] == "J"
    assert "Press U, then" in see(here, "step.branches").accessibleDescription()
    here.teaching.lesson.panel.show_lesson("moments_that_matter")
    assert "press X to keep it" in see(here, "lesson.tryText").text()
    note = see(here, "step.bookmarks.note")
    assert "X marks the step" in note.placeholderText()
    assert see(here, "step.why.predict").toolTip().endswith("predicted it (G)")


def test_the_overlay_and_the_line_for_a_hall_name_the_new_key(here):
    choose_six(here)
    press("?")
    assert here.shortcuts.isVisible()
    table = here.shortcuts.findChild(QLabel).text()
    assert "<b>J</b></td><td>Next mark</td>" in table
    assert "<b>N</b>" not in table
    press(Key.Key_Escape)
    here.presenter.enter()
    press(Key.Key_J)
    assert here.presenter.bar.key.text() == "J  Next mark"
    press(Key.Key_Question, SHIFT)
    assert here.presenter.bar.key.text() == "?  Keyboard shortcuts"


def test_a_tour_names_the_keys_there_are(here):
    remap(here, "Step forward", "k")
    guide = here.teaching.guide
    guide.begin(FIRST_STEPS)
    at = next(n for n, it in enumerate(guide._tour.steps) if "stepFwd" in it.text)
    guide._go(at)
    text = see(here, "tour.text")
    assert "Left and K go from step to step, N goes" in text.text()
    see(here, "pref.keys.resetAll").click()
    assert "Left and Right go from step to step" in text.text()
    assert here.lab.commands.with_keys("{no.such} {x}") == "{no.such} {x}"
    guide.end()


def test_lessons_name_keys_of_commands_that_have_one(window):
    lessons = window.teaching.lesson.panel._library.lessons.values()
    texts = [it.experiment.text for it in lessons if it.experiment is not None]
    named = {it for text in texts for it in SYMBOL.findall(text)}
    assert {"transport.mark", "play.predict"} <= named <= set(window.key_map.ids)


def test_without_plain_keys_nothing_names_one(here):
    see(here, "pref.accessibility.plainKeys").setChecked(False)
    assert not see(here, "pref.keys.table").isEnabled()
    here.teaching.lesson.panel.show_lesson("moments_that_matter")
    here.lab.pulse.beat()
    words = see(here, "lesson.tryText")
    assert "press “Bookmark this step” to keep it" in words.text()
    assert "(" not in see(here, "transport.loop").toolTip()
    assert see(here, "transport.speed").toolTip() == "Playback speed"
    words_of_branches = see(here, "step.branches").accessibleDescription()
    assert "Press “Branch from here”, then" in words_of_branches
    see(here, "pref.accessibility.plainKeys").setChecked(True)
    assert "press M to keep it" in words.text()


def test_a_choice_waits_while_plain_keys_are_off(here):
    remap(here, "Loop", Key.Key_K)
    box = see(here, "pref.accessibility.plainKeys")
    box.setChecked(False)
    assert here.lab.commands.action("transport.loop").shortcuts() == []
    box.setChecked(True)
    assert here.lab.commands.key("transport.loop") == "K"


# ------------------------------------------------ what takes keys before commands


def test_what_has_the_focus_keeps_its_keys_whoever_has_chosen_them(here):
    remap(here, "Step forward", Key.Key_Down)
    remap(here, "Step back", Key.Key_X)
    close(here)
    kept = ("transport.spinT", "transport.slider", "step.episodes.table")
    for name in (*kept, "step.episodes.filter", "transport.speed"):
        widget = see(here, name)
        widget.setFocus()
        key = Key.Key_X if name.endswith("filter") else Key.Key_Down
        override = QKeyEvent(QEvent.Type.ShortcutOverride, key, NONE, "x")
        override.ignore()
        QApplication.sendEvent(widget, override)
        assert override.isAccepted(), name
    here.current_workspace().setFocus()
    press(Key.Key_Down)
    assert here.lab.cursor.t == 11


def test_a_plot_with_the_focus_leaves_a_to_whoever_has_it_now(here):
    remap(here, "Automatic range", "k")
    remap(here, "Loop", "a")
    close(here)
    for name, workspace in (("plot.timeline", "step"), ("plot.curve", "train")):
        here.show_workspace(workspace)
        plot, loop = see(here, name), here.lab.cursor.loop
        plot.set_auto(False)
        plot.canvas.setFocus()
        press(Key.Key_A)
        assert (plot.is_auto, here.lab.cursor.loop != loop) == (False, True)
    here.show_workspace("step")
    plot = see(here, "plot.timeline")
    plot.canvas.setFocus()
    press(Key.Key_K)
    assert plot.is_auto
