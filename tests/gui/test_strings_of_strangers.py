"""P17: text from a file is plain text, short, and hides nothing."""

import os
from html import unescape

from PySide6.QtCore import QAbstractItemModel, QModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QLabel, QWidget

from engine.contract.messages import Event, Problem, SessionStatus, TrainerStatus
from rllab_gui.plain import PlainLabel, tip
from rllab_gui.sessions import RecentSession

MARK = "hostile"
STRINGS = (
    "<img src='PIPE'>",
    "<img src=PIPE>",
    '<img src="file:///PIPE">',
    "<b>bold</b>",
    "<a href='file:///PIPE'>click</a>",
    "<qt><img src='PIPE'></qt>",
    "<html><body background='PIPE'></body></html>",
    "<table background='PIPE'><tr><td>x</td></tr></table>",
    "<style>@import 'PIPE';</style>x",
    "<link rel='stylesheet' href='PIPE'>",
    "<!DOCTYPE html><p>x</p>",
    "<svg/onload=alert(1)>",
    "<script>alert(1)</script>",
    "&lt;img src='PIPE'&gt;",
    "&amp; &nbsp; &#60;b&#62;",
    "a & b &c _d",
    "\u202egpj.exe",
    "\u2066hidden\u2069",
    "\u200b\u200c\u200d\ufeff",
    "a\u0000b",
    "\x1b]0;owned\x07",
    "\x1b[31mred",
    "line\nline\r\nline\x0b\x0c",
    "\u2028line\u2029",
    "x" * 1_000_000,
    "<b>" * 100_000,
    "\u0301" * 5_000,
    "%s %p%% {0} ${HOME} %1",
    "../../../etc/passwd",
    "C:\\Windows\\system32",
    "'; DROP TABLE event; --",
    "\U0001f600 \U000e0041\ud83d",
)


def test_there_are_enough():
    assert len(STRINGS) >= 30


def hostile(number, folder):
    return f"{MARK} " + STRINGS[number].replace("PIPE", str(folder / "pipe"))


def is_harmless(text):
    """Whether a text that Qt may take for HTML shows what it says, and no more."""
    if MARK not in text:
        return True
    inside = text.removeprefix("<qt>").removesuffix("</qt>").replace("<br>", "")
    return "<" not in inside


def shown(window):
    """Every text that a widget of the window shows, and whether it may be HTML."""
    for widget in [window, *window.findChildren(QWidget)]:
        yield widget.toolTip(), True
        yield widget.windowTitle(), False
        if isinstance(widget, QLabel):
            yield widget.text(), widget.textFormat() != Qt.TextFormat.PlainText
        if isinstance(widget, QComboBox):
            yield widget.currentText(), False
        if isinstance(widget, QAbstractItemView) and widget.model() is not None:
            yield from cells(widget.model())


def cells(model: QAbstractItemModel, parent: QModelIndex | None = None):
    root = parent or QModelIndex()
    for row in range(min(60, model.rowCount(root))):
        for column in range(10):
            index = model.index(row, column, root)
            yield str(index.data(Qt.ItemDataRole.DisplayRole) or ""), False
            yield str(index.data(Qt.ItemDataRole.ToolTipRole) or ""), True


def tell(window, text, path):
    """The same text wherever the engine may bring one from a file."""
    lab = window.lab
    lab.sessions.recent = (
        RecentSession(text, f"{path}/{text[:100]}", 1, 1e9, True),
        RecentSession(text, f"{path}/{text[:100]}2", 1, 1e9, False),
    )
    lab.sessions.recentChanged.emit()
    status = SessionStatus(path=f"{path}/x.h5", name=text, uuid="1", live=False)
    event = Event(text[:1000], 3, text, 1e9, {"key": text, "old": text, "new": text})
    return [
        status,
        TrainerStatus("finished", step=3),
        event,
        Event("option", 4, text, 1e9, {"key": "training.offline", "new": text}),
        Problem("some.problem", text, why=text, fix=text, details=text),
    ]


def test_every_widget_shows_them_as_plain_text(window, client, tmp_path):
    os.mkfifo(tmp_path / "pipe")  # whoever opens it waits for ever
    for number in range(len(STRINGS)):
        text = hostile(number, tmp_path)
        client.play(*tell(window, text, tmp_path))
        window.lab.pulse.beat()
        window._show_title()
        found = [it for it in shown(window) if MARK in it[0]]
        assert len(found) > 5, "it is shown nowhere"
        for words, may_be_html in found:
            check(words, may_be_html)
    window.grab()


def check(words, may_be_html):
    assert len(unescape(words)) < 10_000
    assert all(part.isprintable() for part in words.split("\n")), repr(words)[:200]
    if may_be_html:
        assert is_harmless(words), words[:300]


def test_a_label_and_a_tooltip_show_what_they_are_given(qtbot, tmp_path):
    for number in range(len(STRINGS)):
        text = hostile(number, tmp_path)
        label = PlainLabel(text)
        qtbot.addWidget(label)
        assert label.textFormat() == Qt.TextFormat.PlainText
        assert len(label.text()) <= 4096
        assert is_harmless(tip(text))
    assert tip("plain") == "plain"
    assert tip("<b>x</b>\ny") == "<qt>&lt;b&gt;x&lt;/b&gt;<br>y</qt>"
