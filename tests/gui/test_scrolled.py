"""Words, and whole panels, that scroll where they have no room."""

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from rllab_gui.plain import PlainLabel
from rllab_gui.plots.scrolled import MOST_ASKED, ScrolledPanel, ScrolledWords


def test_words_are_as_high_as_they_are_and_scroll_where_there_is_no_room(qtbot):
    window, label = QWidget(), PlainLabel()
    qtbot.addWidget(window)
    label.setWordWrap(True)
    words, above = ScrolledWords(label, window), QWidget()
    column = QVBoxLayout(window)
    column.addWidget(above, 1)
    column.addWidget(words)
    window.resize(200, 400)
    window.show()
    words.say("short")
    line = label.fontMetrics().lineSpacing()
    qtbot.waitUntil(lambda: words.height() < 2 * line)
    words.say("many words " * 20)
    qtbot.waitUntil(lambda: words.height() >= label.heightForWidth(words.width()))
    above.setMinimumHeight(330)
    qtbot.waitUntil(lambda: words.verticalScrollBar().maximum() > 0)
    assert words.height() >= 2 * line
    assert above.geometry().bottom() < words.geometry().top()


def test_a_panel_asks_for_what_is_in_it_but_not_for_the_whole_window(qtbot):
    window, inside = QWidget(), QWidget()
    qtbot.addWidget(window)
    rows, last = QVBoxLayout(inside), QPushButton("the last one")
    for _ in range(3):
        rows.addWidget(QPushButton("one"))
    rows.addWidget(last)
    panel = ScrolledPanel(inside, window)
    column = QVBoxLayout(window)
    column.addWidget(panel)
    window.resize(300, 800)
    window.show()
    few = inside.minimumSizeHint()
    assert panel.minimumSizeHint() == few
    rows.itemAt(0).widget().setMinimumHeight(500)
    qtbot.waitUntil(lambda: panel.minimumSizeHint().height() > few.height())
    assert panel.minimumSizeHint().height() == round(MOST_ASKED * 800)
    assert panel.minimumSizeHint().width() > few.width()  # the bar beside it
    window.resize(300, 400)
    qtbot.waitUntil(lambda: panel.verticalScrollBar().maximum() > 0)
    panel.ensureWidgetVisible(last)
    assert last.visibleRegion().boundingRect() == last.rect()
