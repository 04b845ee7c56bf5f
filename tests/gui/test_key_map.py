"""Plain keys can be changed: chosen, refused, reset, remembered (ux 5.9)."""

import string

import pytest
import shiboken6
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QPushButton, QWidget
from test_guard import look_at_step_ten

from rllab_gui.app import make_window
from rllab_gui.commands import Command, Commands
from rllab_gui.frame.choices import palette_choices
from rllab_gui.frame.key_map import CHOICES, RESERVED, KeyMap, pressed
from rllab_gui.lessons.record import SYMBOL
from rllab_gui.lessons.tour import FIRST_STEPS
from rllab_gui.settings import Settings

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
Key = Qt.Key
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


def see(window, name, kind=QWidget):
    (found,) = window.findChildren(kind, name)
    return found


def press(key, modifier=NONE):
    widget = QApplication.focusWidget()
    assert widget is not None
    QTest.keyClick(widget, key, modifier)


def row_of(table, words):
    model = table.model()
    cells = [model.index(row, 0).data() for row in range(model.rowCount())]
    return cells.index(words)


def cell(window, words, column):
    table = see(window, "pref.keys.table")
    return table.model().index(row_of(table, words), column).data()


def go_to(window, words):
    """With the arrow keys, as a person who has no mouse."""
    table = see(window, "pref.keys.table")
    table.setFocus()
    press(Key.Key_Home, CONTROL)
    for _ in range(row_of(table, words)):
        press(Key.Key_Down)
    return table


def remap(window, words, key, modifier=NONE):
    go_to(window, words)
    press(Key.Key_Return)
    press(key, modifier)
    return said(window)


def said(window):
    return see(window, "pref.keys.sentence", QLabel).text()


def close(window):
    see(window, "dlg.preferences").close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)
    window.current_workspace().setFocus()


@pytest.fixture
def here(window, beat, qtbot):
    """Step through, at t = 10 of 20, with the preferences open."""
    look_at_step_ten(window, beat, qtbot)
    window.open_preferences()
    with qtbot.waitActive(see(window, "dlg.preferences")):
        see(window, "dlg.preferences").activateWindow()
    return window


@pytest.fixture
def again(client, qtbot):
    """Makes further windows with the settings of this one."""
    made = []

    def make():
        Settings().flush()
        made.append(make_window(client))
        return made[-1]

    yield make
    for window in made:
        window.leave(keep_training=True)
        shiboken6.delete(window)


# ------------------------------------------------------------------------ choose


def test_another_key_works_at_once_and_the_old_one_no_longer(here):
    assert (
        remap(here, "Step forward", Key.Key_K) == "K is the key of “Step forward” now."
    )
    assert cell(here, "Step forward", 1) == "K"
    assert cell(here, "Step forward", 2) == "Right"
    close(here)
    press(Key.Key_K)
    assert here.lab.cursor.t == 11
    press(Key.Key_Right)
    assert here.lab.cursor.t == 11


def test_a_double_click_or_the_button_begins_it_too(here):
    table = go_to(here, "Loop")
    place = table.visualRect(table.currentIndex()).center()
    left = Qt.MouseButton.LeftButton
    QTest.mouseClick(table.viewport(), left, NONE, place)
    QTest.mouseDClick(table.viewport(), left, NONE, place)
    press(Key.Key_K)
    assert cell(here, "Loop", 1) == "K"
    QTest.mouseClick(see(here, "pref.keys.change"), left)
    press(Key.Key_J, SHIFT)
    assert cell(here, "Loop", 1) == "Shift+J"


def test_shift_forms_and_signs_are_keys_of_their_own(here):
    remap(here, "Ten steps back", Key.Key_B, SHIFT)
    remap(here, "Step back", Key.Key_B)
    go_to(here, "Step forward")
    press(Key.Key_Return)
    press("!", SHIFT)
    close(here)
    press(Key.Key_B, SHIFT)
    assert here.lab.cursor.t == 0
    press("!")
    assert here.lab.cursor.t == 1
    press(Key.Key_B)
    assert here.lab.cursor.t == 0
    press(Key.Key_Right, SHIFT)  # those that nobody has changed work as before
    assert here.lab.cursor.t == 10


def test_esc_keeps_the_old_key_and_the_dialog(here):
    go_to(here, "Loop")
    press(Key.Key_Return)
    assert cell(here, "Loop", 1) == "press a key…"
    press(Key.Key_Shift, SHIFT)  # held for what may follow
    assert cell(here, "Loop", 1) == "press a key…"
    press(Key.Key_Escape)
    assert cell(here, "Loop", 1) == "O"
    assert see(here, "dlg.preferences").isVisible()
    press(Key.Key_Escape)
    assert not see(here, "dlg.preferences").isVisible()


@pytest.mark.parametrize("key", [Key.Key_Tab, Key.Key_Backtab])
def test_who_goes_elsewhere_keeps_the_old_key(here, key):
    table = go_to(here, "Loop")
    press(Key.Key_Return)
    press(key)
    assert QApplication.focusWidget() is not table
    assert cell(here, "Loop", 1) == "O"
    press(Key.Key_K)
    assert cell(here, "Loop", 1) == "O"


def test_the_enter_that_began_it_may_be_held_down(here):
    table = go_to(here, "Loop")
    press(Key.Key_Return)
    held = (QEvent.Type.KeyPress, Key.Key_Return, NONE, "\r", True)
    QApplication.sendEvent(table, QKeyEvent(*held))
    assert said(here) == "Press the new key of “Loop”; Esc keeps the old one."
    press(Key.Key_K)
    assert cell(here, "Loop", 1) == "K"


# ----------------------------------------------------------------------- refused


REFUSED = [
    (Key.Key_L, NONE, "L is the key of “Follow live”: give that another key first."),
    (Key.Key_F5, NONE, "F5 is the key of “Train, pause or resume”, which cannot be "
     "changed."),
    (Key.Key_F1, SHIFT, "Shift+F1 is the key of “What's this?”, which cannot be "
     "changed."),
    (Key.Key_K, CONTROL, "Ctrl+K is no single key: at most Shift may be held with it."),
    (Key.Key_Backspace, NONE, "Backspace takes a step back while you play and cannot "
     "be the key of a command."),
    (Key.Key_Return, NONE, "Return presses what has the focus and cannot be the key of "
     "a command."),
]  # fmt: skip


@pytest.mark.parametrize(("key", "modifier", "sentence"), REFUSED)
def test_a_key_that_somebody_has_is_refused_at_the_place(here, key, modifier, sentence):
    assert remap(here, "Loop", key, modifier) == sentence
    table = see(here, "pref.keys.table")
    assert table.accessibleDescription() == sentence
    assert see(here, "pref.keys.sentence").property("role") == "complaint"
    assert cell(here, "Loop", 1) == "press a key…"  # another one, then
    press(Key.Key_K)
    assert cell(here, "Loop", 1) == "K"
    assert see(here, "pref.keys.sentence").property("role") == "muted"
    assert here.lab.commands.action("train.start").shortcut().toString() == "F5"


def test_a_key_is_free_once_its_command_has_another(here):
    remap(here, "Follow live", Key.Key_K)
    assert remap(here, "Loop", Key.Key_L) == "L is the key of “Loop” now."
    assert remap(here, "Loop", Key.Key_L) == "L is the key of “Loop” now."


# ------------------------------------------------------------------------- reset


def test_one_goes_back_to_its_default_and_then_all(here):
    one = see(here, "pref.keys.reset", QPushButton)
    everything = see(here, "pref.keys.resetAll", QPushButton)
    assert not one.isEnabled()
    assert not everything.isEnabled()
    for words, key in (
        ("Loop", Key.Key_K),
        ("Faster", Key.Key_J),
        ("Slower", Key.Key_U),
    ):
        remap(here, words, key)
    one.setFocus()
    press(Key.Key_Space)
    assert (cell(here, "Slower", 1), cell(here, "Slower", 2)) == (",", "")
    assert not one.isEnabled()
    assert QApplication.focusWidget() is see(here, "pref.keys.table")
    assert Settings().text(CHOICES + "transport.slower") == ""
    everything.click()
    assert (cell(here, "Loop", 1), cell(here, "Faster", 1)) == ("O", ".")
    assert not everything.isEnabled()
    action = here.lab.commands.action("transport.loop")
    assert action.shortcut().toString() == "O"


def test_a_default_that_somebody_else_has_now_is_refused(here):
    remap(here, "Follow live", Key.Key_K)
    remap(here, "Loop", Key.Key_L)
    go_to(here, "Follow live")
    see(here, "pref.keys.reset").click()
    assert said(here) == "L is the key of “Loop”: give that another key first."
    assert cell(here, "Follow live", 1) == "K"
    see(here, "pref.keys.resetAll").click()
    assert (cell(here, "Follow live", 1), cell(here, "Loop", 1)) == ("L", "O")


# ---------------------------------------------------------------------- remember


def test_the_next_window_has_the_same_keys(here, again):
    remap(here, "Loop", Key.Key_K)
    remap(here, "Next mark", Key.Key_O)  # free by now
    remap(here, "Slower", Key.Key_U)
    for key in ",;":  # which settings files write in a way of their own
        remap(here, "Faster", key)
        commands = again().lab.commands
        names = ("loop", "nextMark", "slower", "faster", "first")
        keys = [commands.key(f"transport.{it}") for it in names]
        assert keys == ["K", "O", "U", key, "Home"]


def test_every_sign_survives_the_settings_file(tmp_path):
    for sign in string.punctuation:
        first = KeyMap(two_commands(), Settings(tmp_path))
        assert first.choose("group.one", QKeySequence(sign)) == ""
        Settings(tmp_path).flush()
        assert KeyMap(two_commands(), Settings(tmp_path)).keys("group.one") == (sign,)


def two_commands():
    commands = Commands()
    commands.add(
        Command("group.one", "One", "Does one thing", print, ("A",), plain=True),
        Command("group.two", "Two", "Does another", print, ("Shift+B",), plain=True),
        Command("group.fixed", "Fixed", "Does a third", print, ("F7",)),
    )
    return commands


BROKEN = [
    *(
        "",
        "no key",
        "A, B",
        "Ctrl+K",
        "F7",
        "Esc",
        "Shift+Return",
        "Shift",
        "@Invalid()",
    ),
    *("Shift+B", "\x00", "�" * 3, "True"),
]


@pytest.mark.parametrize("value", BROKEN)
def test_a_broken_choice_counts_as_none(tmp_path, value):
    settings = Settings(tmp_path)
    settings.set(f"{CHOICES}group.one", value)
    commands = two_commands()
    keys = KeyMap(commands, settings)
    assert keys.keys("group.one") == ("A",)
    assert not keys.is_chosen()
    assert commands.key("group.one") == "A"


def test_of_two_choices_that_clash_neither_counts(tmp_path):
    settings = Settings(tmp_path)
    for name in ("one", "two"):
        settings.set(f"{CHOICES}group.{name}", "K")
    keys = KeyMap(two_commands(), settings)
    assert (keys.keys("group.one"), keys.keys("group.two")) == (("A",), ("Shift+B",))


def test_two_commands_may_have_each_others_keys(tmp_path):
    settings = Settings(tmp_path)
    settings.set(f"{CHOICES}group.one", "Shift+B")
    settings.set(f"{CHOICES}group.two", "A")
    keys = KeyMap(two_commands(), settings)
    assert (keys.keys("group.one"), keys.keys("group.two")) == (("Shift+B",), ("A",))


def test_a_damaged_file_opens_a_window_with_the_declared_keys(again):
    folder = Settings().folder
    folder.mkdir(parents=True, exist_ok=True)
    lines = "transport.loop=K, L\ntransport.play=\\x\ntransport.mark=F5\nno.such=K\n"
    (folder / "window.ini").write_text(f"[keys]\n{lines}transport.faster=@Bad(\x01")
    window = again()
    commands = window.lab.commands
    assert {it: window.key_map.keys(it) for it in window.key_map.ids} == {
        it: commands.get(it).shortcut for it in commands.ids() if commands.get(it).plain
    }
    assert window.key_map.choose("transport.loop", QKeySequence("K")) == ""


# -------------------------------------------------------------------- shown, said


def tooltips(window, name):
    return [it.toolTip() for it in window.findChildren(QWidget, name)]


def test_whatever_names_a_key_names_the_new_one(here):
    lab = here.lab
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
    lab.pulse.beat()
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
    assert "X marks the step" in see(here, "step.bookmarks.note").placeholderText()
    assert see(here, "step.why.predict").toolTip().endswith("predicted it (G)")
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


def test_reserved_keys_are_those_that_the_catcher_takes_while_a_person_plays():
    caught = {Key.Key_Backspace, Key.Key_Escape, Key.Key_Return, Key.Key_Enter}
    assert caught <= RESERVED.keys()


@pytest.mark.parametrize(
    ("key", "modifier", "text", "means"),
    [
        (Key.Key_K, NONE, "k", "K"),
        (Key.Key_K, SHIFT, "K", "Shift+K"),
        (Key.Key_Question, SHIFT, "?", "?"),
        (Key.Key_Space, SHIFT, " ", "Shift+Space"),
        (Key.Key_PageUp, SHIFT, "", "Shift+PgUp"),
        (Key.Key_5, Qt.KeyboardModifier.KeypadModifier, "5", "5"),
        (0x424, NONE, "ф", "Ф"),
        (Key.Key_Shift, SHIFT, "", ""),
    ],
)
def test_what_is_pressed_is_written_as_a_shortcut(key, modifier, text, means):
    event = QKeyEvent(QEvent.Type.KeyPress, key, modifier, text)
    assert pressed(event).toString() == means


# ---------------------------------------------------------------- easily operated


def test_every_part_is_named_and_explained(here):
    dialog = see(here, "dlg.preferences")
    parts = [it for it in dialog.findChildren(QWidget) if "pref." in it.objectName()]
    names = {it.objectName() for it in parts if it.focusPolicy() != Qt.NoFocus}
    assert {
        f"pref.keys.{it}" for it in ("table", "change", "reset", "resetAll")
    } <= names
    assert [it.objectName() for it in parts if not is_named(it)] == []


def is_named(widget):
    return isinstance(widget, QLabel) or bool(widget.accessibleName())


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_everything_fits_at_every_size(here, scale, qtbot):
    here.lab.theme.set_scale(scale)
    dialog = see(here, "dlg.preferences")
    table = see(here, "pref.keys.table")
    dialog.adjustSize()
    assert dialog.height() < 700
    qtbot.waitUntil(lambda: table.columnWidth(2) > 0)
    metrics = table.fontMetrics()
    model = table.model()
    for column in range(3):
        cells = (model.index(row, column).data() for row in range(model.rowCount()))
        widest = max(map(metrics.horizontalAdvance, cells))
        assert table.columnWidth(column) > widest
    assert not table.horizontalScrollBar().isVisible()


def test_a_closed_dialog_is_gone(here):
    close(here)
    here.open_preferences()
    assert see(here, "dlg.preferences").isVisible()
    assert here.findChildren(QAction, "act.transport.loop")
