"""A combo box in little room."""

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import (
    QApplication,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from rllab_gui.plots.narrow_box import NarrowBox, NarrowLine

LONG = "the checkpoint that judges <here>"


def made(qtbot, theme, tip="Whose policy goes on"):
    panel, box = QWidget(), NarrowBox()
    qtbot.addWidget(panel)
    box.addItems([LONG, "once"])
    box.setToolTip(tip)
    column = QVBoxLayout(panel)
    column.addWidget(box)
    panel.resize(600, 80)
    panel.show()
    return panel, box


def test_it_asks_for_its_longest_entry_and_can_do_with_less(qtbot, theme):
    panel, box = made(qtbot, theme)
    long = box.fontMetrics().horizontalAdvance(LONG)
    assert box.sizeHint().width() > long
    assert box.minimumSizeHint().width() < long / 2
    assert not box.is_cut
    box.setFixedWidth(box.sizeHint().width())
    qtbot.waitUntil(lambda: box.width() == box.sizeHint().width())
    assert not box.is_cut
    box.setMinimumWidth(0)
    panel.resize(140, 80)
    qtbot.waitUntil(lambda: box.is_cut)
    box.setCurrentIndex(1)
    assert not box.is_cut


def test_the_tooltip_has_the_whole_entry_where_it_is_cut(qtbot, theme):
    panel, box = made(qtbot, theme)
    assert box.whole_tip() == "Whose policy goes on"
    panel.resize(140, 80)
    qtbot.waitUntil(lambda: box.is_cut)
    whole = "<qt>the checkpoint that judges &lt;here&gt;<br>Whose policy goes on</qt>"
    assert box.whole_tip() == whole
    box.setToolTip("<b>Policy</b>")
    assert box.whole_tip().endswith("<br><b>Policy</b></qt>")
    place = box.rect().center()
    ask = QHelpEvent(QEvent.Type.ToolTip, place, box.mapToGlobal(place))
    assert QApplication.sendEvent(box, ask)
    assert "judges &lt;here&gt;" in QToolTip.text()
    QToolTip.showText(QPoint(), "")


def test_what_is_cut_ends_in_an_ellipsis(qtbot, theme):
    panel, box = made(qtbot, theme)
    panel.resize(140, 80)
    qtbot.waitUntil(lambda: box.is_cut)
    cut = box.grab().toImage()
    as_seen = (f"{LONG[:end]}…" for end in range(len(LONG)))
    pictures = []
    for words in as_seen:
        box.setItemText(0, words)
        if not box.is_cut:
            pictures.append(box.grab().toImage())
    assert cut in pictures


def test_the_list_that_opens_is_as_wide_as_its_entries(qtbot, theme):
    panel, box = made(qtbot, theme)
    panel.resize(140, 80)
    qtbot.waitUntil(lambda: box.is_cut)
    box.widen_list()  # a platform without windows cannot open it
    assert box.view().minimumWidth() > box.fontMetrics().horizontalAdvance(LONG)


def test_a_field_in_it_is_cut_alike_while_nobody_types(qtbot, theme):
    panel, box = made(qtbot, theme)
    line = NarrowLine()
    box.setEditable(True)
    box.setLineEdit(line)
    box.setEditText(LONG)
    line.setCursorPosition(0)
    panel.resize(600, 120)
    qtbot.waitUntil(lambda: line.shown == LONG)
    panel.resize(140, 120)
    qtbot.waitUntil(lambda: line.shown != LONG)
    assert line.shown.endswith("…")
    assert "judges &lt;here&gt;" in box.whole_tip()
    line.clearFocus()
    cut = line.grab().toImage()
    line.setText(line.shown)
    line.setCursorPosition(0)
    assert line.grab().toImage() == cut
    line.setText(LONG)
    assert line.text() == box.currentText() == LONG
