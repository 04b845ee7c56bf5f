"""The panel of branches where there is little room: what it asks for, and saves."""

import pytest
from PySide6.QtWidgets import QScrollArea, QToolButton, QVBoxLayout, QWidget
from showing import show

from rllab_gui.plots.scrolled import MOST_ASKED
from rllab_gui.views.branches import BY_HAND, BranchesView

WIDE, HIGH, LOW = 400, 500, 200


@pytest.fixture
def panel(context, qtbot):
    """In a window, over something that takes what room there is."""
    window, rest = QWidget(), QWidget()
    view = BranchesView(context)
    view._stack.bring(view.body)
    column = QVBoxLayout(window)
    column.addWidget(view)
    column.addWidget(rest, 1)
    return show(qtbot, window, WIDE, HIGH)


def test_it_asks_for_less_in_a_lower_window_and_for_more_again(panel, qtbot):
    scroll = panel.findChild(QScrollArea, "step.branches.scroll")
    whole, asked = panel.layout().minimumSize().height(), scroll.widget()
    assert whole >= asked.minimumSizeHint().height() > MOST_ASKED * LOW
    panel.resize(WIDE, LOW)
    qtbot.waitUntil(lambda: panel.layout().minimumSize().height() < whole)
    panel.resize(WIDE, HIGH)
    qtbot.waitUntil(lambda: panel.layout().minimumSize().height() == whole)


def test_words_are_saved_where_the_scroll_bar_takes_their_room(panel, qtbot):
    scroll = panel.findChild(QScrollArea, "step.branches.scroll")
    names = [f"step.branches.{it}" for it in ("byHand", "ghost", "more")]
    by_hand, *others = (panel.findChild(QToolButton, it) for it in names)
    wide = WIDE
    while by_hand.text() == BY_HAND[0]:
        wide -= 1
        panel.resize(wide, HIGH)
    wide += 4
    panel.resize(wide, HIGH)
    assert by_hand.text() == BY_HAND[0]

    def scrolls():
        panel.resize(wide, LOW // 2)  # as low as it lets itself be made by now
        return scroll.verticalScrollBar().isVisible()

    qtbot.waitUntil(scrolls)
    qtbot.waitUntil(lambda: by_hand.text() == BY_HAND[1])
    for button in (by_hand, *others):
        assert button.geometry().right() < scroll.viewport().width()
