"""A grid of one's own: painted with the mouse and the keys, checked, used."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QSpinBox, QToolButton

from engine.contract.grid_layouts import LAYOUTS
from rllab_gui.forms.grid_editor import GridEditor

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def editor(window, qtbot):
    window.lab.commands.action("world.editGrid").trigger()
    dialog = window.findChild(GridEditor, "dlg.grid")
    qtbot.waitUntil(dialog.isVisible)
    return dialog


def paint(qtbot, editor, kind, row, column):
    qtbot.mouseClick(editor.findChild(QToolButton, f"dlg.grid.brush.{kind}"), LEFT)
    place = editor.canvas.cell_rect(row, column).center()
    qtbot.mouseClick(editor.canvas, LEFT, pos=place)


def test_it_begins_with_the_usual_layout(editor):
    assert editor.text() == "garden"
    assert editor.canvas.rows == LAYOUTS["garden"].split("\n")
    assert not editor.findChild(QLabel, "dlg.grid.complaint").text()


def test_a_painted_grid_is_used_for_the_next_run(window, editor, qtbot):
    paint(qtbot, editor, "pit", 0, 1)
    assert editor.canvas.rows[0] == "SP...#.."
    assert editor.findChild(QComboBox, "dlg.grid.layout").currentText() == "your own"
    qtbot.mouseClick(editor.findChild(QPushButton, "dlg.grid.use"), LEFT)
    environment = window.lab.draft.configuration.environment
    assert environment.id == "RLLab/GridWorld-v0"
    assert environment.kwargs["layout"].startswith("SP...#..\n.##.....\n")
    assert not editor.isVisible()
    window.lab.commands.action("edit.undo").trigger()
    assert window.lab.draft.configuration.environment.id != "RLLab/GridWorld-v0"


def test_a_grid_that_cannot_be_played_says_why_and_cannot_be_used(editor, qtbot):
    paint(qtbot, editor, "free", 7, 7)
    complaint = editor.findChild(QLabel, "dlg.grid.complaint")
    assert complaint.text() == "The layout has no goal (G): put one in."
    assert not editor.findChild(QPushButton, "dlg.grid.use").isEnabled()
    paint(qtbot, editor, "goal", 3, 3)
    assert not complaint.text()


def test_keys_move_and_paint(editor, qtbot):
    canvas = editor.canvas
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    assert canvas.cell == (1, 1)
    qtbot.keyClick(canvas, Qt.Key.Key_P)
    assert canvas.rows[1] == ".P#....."
    assert canvas.accessibleDescription() == "row 2, column 2: pit"


def test_dragging_paints_on(editor, qtbot):
    canvas = editor.canvas
    first, last = (canvas.cell_rect(0, it).center() for it in (1, 3))
    qtbot.mousePress(canvas, LEFT, pos=first)
    for column in (2, 3):
        qtbot.mouseMove(canvas, canvas.cell_rect(0, column).center())
    qtbot.mouseRelease(canvas, LEFT, pos=last)
    assert canvas.rows[0][1] == "#"


def test_size_and_named_layouts(editor, qtbot):
    editor.findChild(QSpinBox, "dlg.grid.columns").setValue(9)
    assert editor.canvas.rows[0] == "S....#..."
    names = editor.findChild(QComboBox, "dlg.grid.layout")
    names.setCurrentIndex(names.findData("classic"))
    names.activated.emit(names.currentIndex())
    assert editor.text() == "classic"
    assert editor.findChild(QSpinBox, "dlg.grid.rows").value() == 3
