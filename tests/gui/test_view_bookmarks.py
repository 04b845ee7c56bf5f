"""The list of bookmarks: where it leads, how notes are written, what stands out."""

import numpy as np
import pytest
from pictures import judged, teach
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from showing import show

from engine.contract.messages import SessionStatus
from engine.contract.notes import Bookmark, LoopRange
from rllab_gui.views.bookmark_rows import bookmark_rows
from rllab_gui.views.bookmarks import BookmarksView
from rllab_gui.views.episode_model import episode_from

TEXTS = ["about to fall", "<b>x</b><img src=/etc/passwd>", "\u202egnp.exe"]


@pytest.fixture
def view(context, client, qtbot):
    teach(client, steps=40)
    stored = [
        {"id": f"b{t}", "kind": "training", "episode": 4, "t": t, "text": text}
        for t, text in zip((9, 20, 30), TEXTS, strict=True)
    ]
    stored.append({"id": "far", "kind": "training", "episode": 2, "t": 3})
    client.answers["views"] = lambda _: {"views": {"notes": {"bookmarks": stored}}}
    client.answers["keep_views"] = lambda _: {}
    client.play(SessionStatus(uuid="s1", name="run", path="/x/run.h5"))
    made = show(qtbot, BookmarksView(context), 300, 240)
    context.pulse.beat()
    context.cursor.show_episode("training", 4)
    for _ in range(4):
        context.pulse.beat()
    return made


def texts(view):
    return [view.list.item(at).text() for at in range(view.list.count())]


def choose(view, at):
    view.list.setCurrentRow(at)
    view.list.itemClicked.emit(view.list.item(at))
    view.context.pulse.beat()


def test_bookmarks_of_this_episode_come_first_as_plain_text(view):
    assert texts(view)[:4] == [
        "⚑ t 9  about to fall",
        "⚑ t 20  <b>x</b><img src=/etc/passwd>",
        "⚑ t 30  \\u202egnp.exe",
        "⚑ training 2 t 3",
    ]
    assert "&lt;img" in view.list.item(1).toolTip()
    choose(view, 2)
    assert view.note.text() == "\\u202egnp.exe"
    view.note.editingFinished.emit()  # nobody has changed it
    assert view.context.notes.bookmarks_of("training", 4)[2].text == TEXTS[2]


def test_a_row_leads_there_also_into_another_episode(view):
    choose(view, 1)
    assert view.context.cursor.t == 20
    choose(view, 3)
    position = view.context.cursor.position
    assert (position.episode, position.t, position.checkpoint) == (2, 3, -1)


def test_m_marks_and_the_note_is_written_in_the_line_below(view, qtbot):
    cursor, notes = view.context.cursor, view.context.notes
    cursor.seek(12)
    view.context.noting.mark()
    assert view.chosen.t == 12
    view.note.setText("now")
    QTest.keyClick(view.note, Qt.Key.Key_Return)
    assert [it.text for it in notes.bookmarks if it.t == 12] == ["now"]
    view.context.noting.mark()  # the same one again
    view.note.setText("another thought")
    QTest.keyClick(view.note, Qt.Key.Key_Escape)
    view.note.editingFinished.emit()
    assert [it.text for it in notes.bookmarks if it.t == 12] == ["now"]
    QTest.keyClick(view.list, Qt.Key.Key_Delete)
    assert not [it for it in notes.bookmarks if it.t == 12]


def test_brackets_go_from_bookmark_to_bookmark_through_the_episodes(view):
    cursor, noting, seen = view.context.cursor, view.context.noting, []
    for by in (1, 1, 1, 1, -1, -1, -1, -1):
        noting.go(by)
        seen.append((cursor.position.episode, cursor.t))
        view.context.pulse.beat()
    assert seen == [(4, 9), (4, 20), (4, 30), (4, 30), (4, 20), (4, 9), (2, 3), (2, 3)]


def test_what_stands_out_is_the_largest_surprise_and_the_explorations(client):
    answer = judged(30)
    answer["td_error"] = np.zeros(30)
    answer["td_error"][[5, 9]] = [3.0, -7.0]
    answer["explored"] = np.zeros(30, bool)
    answer["explored"][[11, 12]] = True
    shown = episode_from(("s", -1, "training", 4), answer)
    rows = bookmark_rows([Bookmark("b", "training", 4, 2, text="mine")], shown)
    assert [row.t for row in rows[:3]] == [2, 9, 5]
    assert rows[1].text.startswith("?? t 9  large δ −7.0")
    assert sorted(row.t for row in rows[3:]) == [11, 12]
    assert all("explored" in row.text for row in rows[3:])


def test_a_loop_range_is_kept_for_its_episode_and_comes_back(view):
    context = view.context
    context.cursor.select((5, 15))
    context.noting.keep_loop()
    assert context.notes.kept.loops == [LoopRange("training", 4, 5, 15)]
    context.cursor.show_episode("training", 2)
    for _ in range(3):
        context.pulse.beat()
    assert context.cursor.selection is None
    context.cursor.show_episode("training", 4)
    for _ in range(3):
        context.pulse.beat()
    assert context.cursor.selection == (5, 15)
    context.cursor.select(None)
    context.noting.keep_loop()
    assert context.notes.kept.loops == []


def test_inside_a_branch_nothing_of_the_recorded_line_is_marked(view):
    context = view.context
    before = context.notes.kept
    context.cursor.place(branch="b1")
    context.noting.mark()
    context.cursor.select((1, 2))
    context.noting.keep_loop()
    assert context.notes.kept == before
