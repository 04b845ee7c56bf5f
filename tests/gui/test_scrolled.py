"""Words that scroll where they have no room."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from rllab_gui.plain import PlainLabel
from rllab_gui.plots.scrolled import ScrolledWords


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
