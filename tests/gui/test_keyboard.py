"""Keys that work on the panel that is meant, and help (ux 5.9)."""

import pytest
import script
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QLineEdit,
    QMenu,
    QTabBar,
    QWhatsThis,
    QWidget,
)

from rllab_gui.frame.panels import NO_EXPORT, NO_PLOT, NO_ROWS
from rllab_gui.views.base import HIDDEN

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
Key = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def stepping(window, beat, qtbot):
    """Step through, with an episode of 20 steps under the cursor; no pointer."""
    beat(script.status("idle"), script.session(window.lab.draft.configuration))
    window.show_workspace("step")
    beat(script.episode(1))
    window.lab.cursor.show_episode("training", 1)
    for _ in range(4):
        window.lab.pulse.beat()
    with qtbot.waitActive(window):
        window.activateWindow()
    QCursor.setPos(window.mapToGlobal(QPoint(2, 2)))
    return window


def see(window, name):
    (found,) = window.findChildren(QWidget, name)
    return found


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(QApplication.focusWidget() or window, key, modifier)


def point_at(widget):
    QCursor.setPos(widget.mapToGlobal(widget.rect().center()))


def told(window):
    return window.statusBar().currentMessage()


# ------------------------------------------------------------------------ filter


def test_the_filter_of_the_list_in_front_gets_the_focus(stepping):
    stepping.setFocus()
    tabs = [it for it in stepping.findChildren(QTabBar) if it.isVisible()]
    before = [it.currentIndex() for it in tabs]
    for focused in (stepping, tabs[0], see(stepping, "plot.timeline.canvas")):
        focused.setFocus()
        press(stepping, Key.Key_F, CONTROL)
        assert QApplication.focusWidget().objectName() == "step.episodes.filter"
    assert [it.currentIndex() for it in tabs] == before


def test_the_filter_of_the_panel_with_the_focus_comes_first(stepping, beat):
    view = stepping.workspaces["step"].docks["stepReplay"].widget()
    view.emptiness = view.draw = lambda: None
    stepping.show_view("step", "stepReplay")
    beat()
    see(stepping, "step.replay.table").setFocus()
    press(stepping, Key.Key_F, CONTROL)
    assert QApplication.focusWidget().objectName() == "step.replay.filter"


def test_where_no_list_is_in_front_one_is_brought_there(stepping, beat):
    stepping.workspaces["step"].docks["episodes"].close()
    press(stepping, Key.Key_F, CONTROL)
    assert see(stepping, "step.episodes.filter").isVisible()
    assert QApplication.focusWidget().objectName() == "step.episodes.filter"


def test_where_there_is_nothing_to_filter_that_is_said(window, qtbot):
    with qtbot.waitActive(window):
        window.activateWindow()
    field = window.findChild(QLineEdit, "train.events.filter")
    field.parentWidget().hide()
    press(window, Key.Key_F, CONTROL)
    assert told(window) == NO_ROWS


# ------------------------------------------------------------- export, auto range


def open_menu():
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def test_the_plot_with_the_focus_is_exported(stepping, tmp_path, qtbot):
    see(stepping, "plot.stepQbars.canvas").setFocus()
    point_at(see(stepping, "plot.timeline.canvas"))  # the focus counts for more
    press(stepping, Key.Key_E, CONTROL)
    menu = open_menu()
    assert menu.activeAction().objectName() == "act.plot.stepQbars.export.png"
    QTest.keyClick(menu, Key.Key_Return)
    dialog = stepping.findChild(QFileDialog, "dlg.export.stepQbars")
    assert dialog.isVisible()
    dialog.close()


def test_without_focus_the_plot_under_the_pointer_is_exported(stepping):
    stepping.setFocus()
    point_at(see(stepping, "plot.timeline.canvas"))
    press(stepping, Key.Key_E, CONTROL)
    assert "plot.timeline.export" in open_menu().activeAction().objectName()
    open_menu().close()


def test_without_either_the_first_plot_in_front_is_exported(stepping):
    see(stepping, "step.episodes.table").setFocus()
    press(stepping, Key.Key_E, CONTROL)
    assert "plot.stepQbars.export" in open_menu().activeAction().objectName()
    open_menu().close()


def test_what_is_hidden_while_one_predicts_is_not_exported(stepping, beat):
    stepping.lab.commands.action("play.predict").setChecked(True)
    beat()
    header = see(stepping, "plot.stepQbars").header
    header.parentWidget().findChildren(QWidget, "dock.step.stepQbars.float")[
        0
    ].setFocus()
    press(stepping, Key.Key_E, CONTROL)
    assert QApplication.activePopupWidget() is None
    assert told(stepping) == HIDDEN[0]


def test_where_nothing_can_be_exported_that_is_said(stepping):
    for name, dock in stepping.workspaces["step"].docks.items():
        dock.setVisible(name == "episodes")
    press(stepping, Key.Key_E, CONTROL)
    assert told(stepping) == NO_EXPORT


def test_a_brings_the_automatic_range_back(stepping):
    plot = see(stepping, "plot.timeline")
    for meant in (plot.canvas.setFocus, lambda: point_at(plot.canvas)):
        stepping.setFocus()
        plot.set_auto(False)
        meant()
        press(stepping, Key.Key_A)
        assert plot.is_auto
        QCursor.setPos(stepping.mapToGlobal(QPoint(2, 2)))


def test_a_says_which_plot_it_wants(stepping):
    plot = see(stepping, "plot.timeline")
    plot.set_auto(False)
    stepping.setFocus()
    press(stepping, Key.Key_A)
    assert (told(stepping), plot.is_auto) == (NO_PLOT, False)


def test_a_is_a_letter_in_fields_and_lists(stepping):
    plot = see(stepping, "plot.timeline")
    plot.set_auto(False)
    point_at(plot.canvas)
    field = see(stepping, "step.episodes.filter")
    for widget in (field, see(stepping, "step.episodes.table")):
        widget.setFocus()
        press(stepping, Key.Key_A)
    assert (field.text(), plot.is_auto) == ("a", False)


# -------------------------------------------------------------------------- help


def test_whats_this_explains_what_is_clicked(stepping, qtbot):
    press(stepping, Key.Key_F1, SHIFT)
    assert QWhatsThis.inWhatsThisMode()
    canvas = see(stepping, "plot.timeline.canvas")
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton)
    said = [it for it in QApplication.topLevelWidgets() if it.inherits("QWhatsThat")]
    assert len(said) == 1
    assert not QWhatsThis.inWhatsThisMode()
    QWhatsThis.hideText()
