"""Plain keys are shortcuts, but never stolen from what has the focus (ux 5.9)."""

import pytest
import script
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLineEdit,
    QListView,
    QPushButton,
    QSlider,
    QSpinBox,
    QTabBar,
    QToolButton,
    QWidget,
)

Key = Qt.Key
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def stepping(window, beat, qtbot):
    """Step through, with an episode of 20 steps under the cursor at t = 10."""
    look_at_step_ten(window, beat, qtbot)
    return window


def look_at_step_ten(window, beat, qtbot):
    beat(script.status("idle"), script.session(window.lab.draft.configuration))
    window.show_workspace("step")
    window.lab.cursor.show_episode("training", 1)
    window.lab.pulse.beat()
    assert window.lab.cursor.last == 20
    window.lab.cursor.seek(10)
    with qtbot.waitActive(window):
        window.activateWindow()


def list_view(parent):
    from PySide6.QtCore import QStringListModel

    view = QListView(parent)
    view.setModel(QStringListModel(["one", "two"], view))
    return view


def combo(parent):
    box = QComboBox(parent)
    box.addItems(["one", "two"])
    return box


def tabs(parent):
    bar = QTabBar(parent)
    bar.addTab("one")
    bar.addTab("two")
    return bar


KEPT = [
    (QPushButton, Key.Key_Space),
    (QToolButton, Key.Key_Space),
    (lambda p: QSlider(Qt.Orientation.Horizontal, p), Key.Key_Right),
    (lambda p: QSlider(Qt.Orientation.Horizontal, p), Key.Key_Home),
    (tabs, Key.Key_Left),
    (list_view, Key.Key_Right),
    (list_view, Key.Key_Space),
    (list_view, Key.Key_L),
    (combo, Key.Key_Home),
    (combo, Key.Key_O),
    (QLineEdit, Key.Key_Space),
    (QLineEdit, Key.Key_Left),
    (QLineEdit, Key.Key_Home),
    (QLineEdit, Key.Key_L),
    (QSpinBox, Key.Key_Left),
    (QSpinBox, Key.Key_End),
]


def test_a_focused_widget_keeps_its_keys(stepping, qtbot):
    cursor = stepping.lab.cursor
    before = (cursor.position, cursor.mode, cursor.loop)
    stolen = []
    for number, (make, key) in enumerate(KEPT):
        widget = focused(make(stepping))
        qtbot.keyClick(widget, key)
        if (cursor.position, cursor.mode, cursor.loop) != before:
            stolen.append((number, type(widget).__name__, key))
        widget.hide()
    assert stolen == []


def focused(widget):
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.show()
    widget.setFocus()
    return widget


MOVES = [
    (Key.Key_Right, Qt.KeyboardModifier.NoModifier, 11),
    (Key.Key_Left, Qt.KeyboardModifier.NoModifier, 9),
    (Key.Key_Right, Qt.KeyboardModifier.ShiftModifier, 20),
    (Key.Key_Left, Qt.KeyboardModifier.ShiftModifier, 0),
    (Key.Key_Home, Qt.KeyboardModifier.NoModifier, 0),
    (Key.Key_End, Qt.KeyboardModifier.NoModifier, 20),
]


def test_spin_fields_and_what_says_so_keep_the_keys_they_work_with(stepping, qtbot):
    picture = stepping.findChild(QWidget, "plot.stepSaliency.picture")
    picked = []
    picture.picked.connect(lambda *square: picked.append(square))
    focused(picture)
    qtbot.keyClick(picture, Key.Key_Right)
    assert (picked, stepping.lab.cursor.t) == ([(0, 0)], 10)
    spin = stepping.findChild(QWidget, "transport.spinT")
    rows = focused(stepping.findChild(QWidget, "plot.stepBellman.rows"))
    tree = stepping.findChild(QWidget, "step.branches.tree")
    used = ((spin, Key.Key_PageUp), (rows, Key.Key_Down), (tree, Key.Key_F2))
    for widget, key in used:
        focused(widget)
        asked = QKeyEvent(QEvent.Type.ShortcutOverride, key, NONE)
        asked.ignore()
        QApplication.sendEvent(widget, asked)
        assert asked.isAccepted()


def test_elsewhere_the_keys_move_the_cursor(stepping, qtbot):
    plain = focused(QWidget(stepping))
    reached = []
    for key, modifier, _ in MOVES:
        stepping.lab.cursor.seek(10)
        qtbot.keyClick(plain, key, modifier)
        reached.append(stepping.lab.cursor.t)
    assert reached == [t for *_, t in MOVES]


def test_buttons_do_not_keep_arrows(stepping, qtbot):
    button = stepping.findChild(QToolButton, "main.train.button")
    button.setFocus()
    qtbot.keyClick(button, Key.Key_Right)
    assert stepping.lab.cursor.t == 11


def test_after_a_mouse_click_on_play_space_still_toggles(stepping, qtbot):
    plain = focused(QWidget(stepping))
    play = stepping.findChild(QToolButton, "transport.play")
    qtbot.mouseClick(play, Qt.MouseButton.LeftButton)
    assert stepping.lab.cursor.mode == "playing"
    assert not play.hasFocus()
    qtbot.keyClick(plain, Key.Key_Space)
    assert stepping.lab.cursor.mode == "paused"


def test_space_plays_at_once_after_changing_to_step_through(stepping, qtbot):
    stepping.findChild(QToolButton, "main.train.button").setFocus()
    stepping.show_workspace("step")
    qtbot.keyClick(stepping.focusWidget(), Key.Key_Space)
    assert stepping.lab.cursor.mode == "playing"


def test_plain_keys_can_be_switched_off(stepping, qtbot):
    stepping.open_preferences()
    box = stepping.findChild(QWidget, "pref.accessibility.plainKeys")
    box.setChecked(False)
    stepping.findChild(QWidget, "dlg.preferences").close()
    qtbot.keyClick(stepping, Key.Key_Right)
    assert stepping.lab.cursor.t == 10
    assert not stepping.lab.settings.flag("plainKeys", True)
    assert stepping.lab.commands.action("train.start").shortcut().toString() == "F5"
