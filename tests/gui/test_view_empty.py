"""What stands in a view that has nothing: it is reached where the view is."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QVBoxLayout, QWidget

from rllab_gui.commands import Command, Commands
from rllab_gui.views.empty import EmptyState


@pytest.fixture
def panel(theme, qtbot):
    """A view that is empty, with a field before it and one behind it."""
    panel, done = QWidget(), []
    qtbot.addWidget(panel)
    commands = Commands(panel)
    for name in ("first", "second", "third"):
        commands.add(Command(name, name, name, lambda name=name: done.append(name)))
    layout = QVBoxLayout(panel)
    panel.before, panel.empty = QLineEdit(), EmptyState(commands, theme)
    panel.behind, panel.done = QLineEdit(), done
    for widget in (panel.before, panel.empty, panel.behind):
        layout.addWidget(widget)
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    return panel


def reached(panel, qtbot, presses):
    """Whom Tab reaches from the field before it: texts of buttons, or 'behind'."""

    def shown():
        return [it for it in panel.empty.findChildren(QPushButton) if it.isVisible()]

    qtbot.waitUntil(lambda: len(shown()) == presses - 1)
    panel.before.setFocus()
    found = []
    for _ in range(presses):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        found.append("behind" if focused is panel.behind else focused.text())
    return found


def test_tab_reaches_the_buttons_where_the_view_is(panel, qtbot):
    panel.empty.say("Nothing.", "", [("first", "One"), ("second", "Two")])
    assert reached(panel, qtbot, 3) == ["One", "Two", "behind"]
    panel.empty.say("Nothing.", "", [("third", "Three")])
    assert reached(panel, qtbot, 2) == ["Three", "behind"]
    panel.empty.say("Nothing.", "", [("second", "Two"), ("first", "One")])
    assert reached(panel, qtbot, 3) == ["Two", "One", "behind"]
    panel.before.setFocus()
    qtbot.keyClick(panel.before, Qt.Key.Key_Tab)
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert panel.done == ["second"]
