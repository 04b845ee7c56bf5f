"""Plain keys can be changed: chosen, refused, reset, remembered (ux 5.9)."""

import pytest
import shiboken6
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from remapping import (
    CONTROL,
    NONE,
    SHIFT,
    cell,
    close,
    go_to,
    open_at_step_ten,
    press,
    remap,
    said,
    see,
)

from rllab_gui.app import make_window
from rllab_gui.frame.key_map import CHOICES
from rllab_gui.settings import Settings

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
Key = Qt.Key


@pytest.fixture
def here(window, beat, qtbot):
    return open_at_step_ten(window, beat, qtbot)


@pytest.fixture
def again(client, qapp):
    """Makes further windows with the settings of this one."""
    made = []

    def let_go():
        while made:
            window = made.pop()
            window.leave(keep_training=True)
            shiboken6.delete(window)

    def make():
        let_go()
        Settings().flush()
        qapp.setStyleSheet("")  # as in a program that has just begun
        made.append(make_window(client))
        return made[-1]

    yield make
    let_go()


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


def test_a_key_that_somebody_has_is_refused_at_the_place(here):
    table = see(here, "pref.keys.table")
    for key, modifier, sentence in REFUSED:
        assert cell(here, "Loop", 1) == "O"
        assert remap(here, "Loop", key, modifier) == sentence
        assert table.accessibleDescription() == sentence
        assert see(here, "pref.keys.sentence").property("role") == "complaint"
        assert cell(here, "Loop", 1) == "press a key…"  # another one, then
        press(Key.Key_K)
        assert cell(here, "Loop", 1) == "K"
        assert see(here, "pref.keys.sentence").property("role") == "muted"
        assert here.lab.commands.action("train.start").shortcut().toString() == "F5"
        see(here, "pref.keys.reset").click()


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


def test_everything_fits_at_every_size(here, qtbot):
    dialog = see(here, "dlg.preferences")
    table = see(here, "pref.keys.table")
    model = table.model()
    for scale in (1.0, 1.5, 2.0, 1.0):
        here.lab.theme.set_scale(scale)
        dialog.adjustSize()
        assert dialog.height() < 700
        qtbot.waitUntil(lambda: table.columnWidth(2) > 0)
        metrics = table.fontMetrics()
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
