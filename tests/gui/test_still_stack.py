"""What happens inside a view does not lay out the window around it."""

from collections import Counter

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from showing import show

from rllab_gui.views.base import View
from rllab_gui.views.still_stack import StillStack


class Requests(QObject):
    """Counts the layouts that widgets are asked for."""

    def __init__(self, *widgets):
        super().__init__()
        self.of = Counter()
        for widget in widgets:
            widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        self.of[watched] += event.type() == QEvent.Type.LayoutRequest
        return False


@pytest.fixture
def house(qtbot):
    """A window with a label in a page of a stack."""
    window, page, label = QWidget(), QWidget(), QLabel("a")
    QVBoxLayout(page).addWidget(label)
    stack = StillStack()
    stack.add(page)
    stack.add(QWidget())
    QVBoxLayout(window).addWidget(stack)
    window.label, window.stack, window.page = label, stack, page
    return show(qtbot, window, 300, 200)


def say(qtbot, house, requests, text):
    """A new text, until the page has been laid out for it and the stack knows."""
    before = requests.of[house.stack]
    house.label.setText(text)
    qtbot.waitUntil(lambda: requests.of[house.stack] > before)


def test_a_text_of_the_same_size_asks_for_nothing_outside(house, qtbot):
    house.label.setMinimumSize(50, 20)
    requests = Requests(house, house.stack)
    say(qtbot, house, requests, "b")
    requests.of.clear()
    for text in "cde":
        say(qtbot, house, requests, text)
    assert requests.of[house] == 0


def test_a_page_that_needs_more_room_asks_for_it(house, qtbot):
    requests = Requests(house)
    house.label.setMinimumSize(200, 150)
    qtbot.waitUntil(lambda: requests.of[house] > 0)
    assert house.stack.minimumSizeHint().height() >= 150


def test_one_page_is_in_front_with_the_whole_room(house):
    other = house.stack.children()[1]
    house.stack.bring(other)
    assert other.isVisible()
    assert not house.page.isVisible()
    assert other.geometry() == house.stack.rect()


def test_a_minimized_window_draws_nothing(context, qtbot):
    class Drawn(View):
        view_id = "drawn"
        drawn = 0

        def draw(self):
            self.drawn += 1

    view = show(qtbot, Drawn(context), 200, 200)
    context.pulse.beat()
    before = view.drawn
    view.window().showMinimized()
    view.refresh()
    context.pulse.beat()
    assert view.drawn == before
    view.window().showNormal()
    context.pulse.beat()
    assert view.drawn == before + 1
