"""Give commands other keys in the preferences, as a person who has no mouse."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from test_guard import look_at_step_ten

Key = Qt.Key
NONE, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


def open_at_step_ten(window, beat, qtbot):
    """Step through, at t = 10 of 20, with the preferences open."""
    look_at_step_ten(window, beat, qtbot)
    window.open_preferences()
    with qtbot.waitActive(see(window, "dlg.preferences")):
        see(window, "dlg.preferences").activateWindow()
    return window


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
