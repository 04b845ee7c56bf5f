"""The list of episodes: its filter, its order, and the one that is chosen."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStyle, QTableView
from showing import show

from engine.contract.messages import EpisodeFinished, SessionStatus
from rllab_gui.views.episode_table import EpisodeTable, FilterError
from rllab_gui.views.episodes import FOLLOWED, MOST_WAITING, EpisodesView

MARGIN = QStyle.PixelMetric.PM_FocusFrameHMargin


def finished(number, value, kind="training", *, step=None, terminated=True):
    step = 1_000 * (number + 1) if step is None else step
    return EpisodeFinished(
        kind, number, step, step, int(value), float(value), terminated, number
    )


@pytest.fixture
def table():
    made = EpisodeTable()
    made.add([finished(i, 10 * i) for i in range(60)])
    made.add([finished(i, 495, "evaluation", terminated=False) for i in range(3)])
    return made


def keys(table, words="", order="episode", *, descending=True):
    rows = table.rows(words, order, descending=descending)
    return [table.key(int(row)) for row in rows]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("", 63),
        ("ret>490", 13),
        ("ret>490 kind=training", 10),
        ("ret > 490".replace(" ", ""), 13),
        ("ret>=490 and len<=500", 5),
        ("kind=eval", 3),
        ("kind!=eval", 60),
        ("evaluation", 3),
        ("ep=7", 1),
        ("ep!=7 training", 59),
        ("step<5,000 training", 5),
        ("ret>9999", 0),
    ],
)
def test_filters_keep_what_they_say(table, words, count):
    assert int(table.matches(words).sum()) == count


@pytest.mark.parametrize("words", ["ret>", "rot>490", "ret>many", "kind=x", "kind>e"])
def test_a_filter_that_cannot_be_read_says_why(table, words):
    with pytest.raises(FilterError, match=r"cannot be read|not a number|The kind is"):
        table.matches(words)


def test_rows_are_sorted_either_way_and_equal_ones_newest_first(table):
    best = keys(table, order="return")
    assert best[0] == ("training", 59)
    assert best[9:14] == [
        ("training", 50),
        ("evaluation", 2),
        ("evaluation", 1),
        ("evaluation", 0),
        ("training", 49),
    ]
    assert keys(table, order="return", descending=False)[0] == ("training", 0)


def test_a_branch_is_not_in_the_list(table):
    assert table.find("branch", 0) == -1


def test_the_same_episode_is_listed_once(table):
    table.add([finished(5, 50)])
    assert len(table) == 63


def test_only_recorded_episodes_of_the_keeper_are_listed():
    table = EpisodeTable()
    table.take(
        {
            "kind": ["training", "training", "evaluation"],
            "episode": np.array([0, 1, 0]),
            "step0": np.array([0, 20, 30]),
            "return": np.array([20.0, 10.0, 500.0]),
            "length": np.array([20, 10, 500]),
            "terminated": np.array([True, True, False]),
            "seed": np.array([1, 2, 3]),
            "recorded": np.array([True, False, True]),
        }
    )
    assert keys(table, order="step0") == [("evaluation", 0), ("training", 0)]
    assert table.find("training", 1) == -1
    assert table.find("evaluation", 0) == 1


def test_extreme_returns_and_truncations_have_glyphs(table):
    glyphs = [table.glyph(it) for it in range(len(table))]
    assert glyphs[0] == "??"
    assert glyphs[59] == "^"
    assert glyphs[30] == ""
    assert glyphs[60] == "T"


@pytest.fixture
def view(context, qtbot):
    return show(qtbot, EpisodesView(context), 330, 340)


@pytest.fixture
def play(context, client):
    def at_once(*messages):
        client.play(*messages)
        context.pulse.beat()

    return at_once


def shown(view):
    return [view.episodes.key(int(row)) for row in view.rows.order]


def test_episodes_of_the_past_and_of_now_are_listed_newest_first(
    view, play, client, context
):
    client.answers["episodes"] = lambda arguments: {
        "kind": ["training"],
        "episode": np.array([0]),
        "step0": np.array([0]),
        "return": np.array([20.0]),
        "length": np.array([20]),
        "terminated": np.array([True]),
        "seed": np.array([1]),
        "recorded": np.array([True]),
    }
    play(SessionStatus(name="a", uuid="u1", live=True))
    play(finished(1, 30, step=50))
    assert shown(view) == [("training", 1), ("training", 0)]


def test_choosing_a_row_looks_at_that_episode(view, play, context):
    play(*[finished(i, 10 * i) for i in range(20)])
    view._table.selectRow(3)
    assert context.cursor.position.episode == 16
    view.step_episode(1)
    assert context.cursor.position.episode == 15


def test_a_click_on_the_row_that_is_followed_stays_with_it(view, play, context, qtbot):
    play(*[finished(i, 10 * i) for i in range(3)])
    cursor = context.cursor
    cursor.place(kind="training", episode=1, t=7)
    assert cursor.mode == "following"
    context.pulse.beat()
    table = view.findChild(QTableView, "step.episodes.table")
    row = table.currentIndex()
    place = table.visualRect(row).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert (cursor.mode, cursor.position.episode, cursor.t) == ("paused", 1, 0)
    cursor.seek(0)
    cursor.place(t=7)
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert cursor.t == 7  # a second click does not begin it again


def test_the_cursor_is_followed_without_being_moved(view, play, context):
    play(*[finished(i, 10 * i) for i in range(20)])
    moves = []
    context.cursor.changed.connect(moves.append)
    context.cursor.show_episode("training", 7)
    assert view._table.currentIndex().row() == -1  # after what is looked at
    context.pulse.beat()
    assert view._table.currentIndex().row() == 12
    context.cursor.show_episode("training", 4)
    view.step_episode(1)
    assert context.cursor.position.episode == 3
    assert [it.episode for it in moves] == [7, 4, 3]


def test_a_click_on_the_row_that_was_shown_till_now_goes_back_to_it(
    view, play, context, qtbot
):
    play(*[finished(i, 10 * i) for i in range(5)])
    view._table.selectRow(0)
    context.pulse.beat()
    place = view._table.visualRect(view._table.currentIndex()).center()
    context.cursor.show_episode("training", 1)
    viewport = view._table.viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=place)
    assert context.cursor.position.episode == 4


def test_new_episodes_move_neither_choice_nor_cursor(view, play, context):
    play(*[finished(i, 10 * i) for i in range(60)])
    view._table.selectRow(30)
    view._table.verticalScrollBar().setValue(25)
    position = context.cursor.position
    top = view.rows.text(view._table.rowAt(0), 0)
    play(*[finished(i, 10 * i) for i in range(60, 70)])
    assert context.cursor.position == position
    assert view.rows.text(view._table.currentIndex().row(), 0) == "29"
    assert view.rows.text(view._table.rowAt(0), 0) == top


def test_a_filter_without_a_match_offers_to_be_cleared(view, play, context):
    play(*[finished(i, 10) for i in range(5)])
    view.filter.setText("ret>490")
    context.pulse.beat()
    assert view._none.isVisible()
    assert view.filter.isVisible()
    title = view._none.findChild(object, "empty.title").text()
    assert title == "No episode matches 'ret>490'."
    view._none.findChild(object, "empty.episodes.clearFilter").click()
    context.pulse.beat()
    assert len(shown(view)) == 5
    assert view._table.isVisible()


def test_the_chosen_row_is_seen_when_the_filter_or_the_order_changes(
    view, play, context
):
    play(*[finished(i, 10 + i) for i in range(100)])
    context.cursor.show_episode("training", 50)
    context.pulse.beat()
    view._table.scrollToBottom()
    for words in ("ret>50", "", "ret<70"):
        view.filter.setText(words)
        context.pulse.beat()
        at = view._table.currentIndex()
        assert view.rows.text(at.row(), 0) == "50"
        assert view._table.viewport().rect().contains(view._table.visualRect(at))
    view._on_sort(2, Qt.SortOrder.AscendingOrder)
    context.pulse.beat()
    place = view._table.visualRect(view._table.currentIndex())
    assert view._table.viewport().rect().contains(place)


def test_a_filter_half_written_keeps_the_rows(view, play, context):
    play(*[finished(i, 10) for i in range(5)])
    view.filter.setText("ret>")
    context.pulse.beat()
    assert len(shown(view)) == 5
    complaint = view.findChild(object, "step.episodes.complaint")
    assert complaint.isVisible()
    assert "'ret>' cannot be read" in complaint.text()


def test_a_click_on_a_heading_sorts(view, play, context):
    play(finished(0, 30), finished(1, 10), finished(2, 20))
    view._on_sort(2, view._table.horizontalHeader().sortIndicatorOrder())
    context.pulse.beat()
    assert [episode for _, episode in shown(view)] == [0, 2, 1]


def test_a_list_that_is_under_way_or_cannot_be_had_says_so(view, play, client, context):
    client.answers.pop("episodes", None)
    play(SessionStatus(name="a", uuid="u1"))
    assert view.emptiness()[0] == "The episodes are being listed."
    client.answers["episodes"] = lambda arguments: "The file is damaged."
    play(SessionStatus(name="b", uuid="u2"))
    context.pulse.beat()
    assert view.emptiness()[:2] == (
        "The episodes cannot be listed.",
        "The file is damaged.",
    )
    client.answers["episodes"] = lambda arguments: {}
    play(SessionStatus(name="c", uuid="u3"))
    context.pulse.beat()
    assert view.emptiness()[0] == "No episode recorded yet."


def test_another_session_has_other_episodes(view, play, client, context):
    client.answers["episodes"] = lambda arguments: {}
    play(SessionStatus(name="a", uuid="u1"), finished(0, 30))
    play(SessionStatus(name="b", uuid="u2"))
    context.pulse.beat()
    assert len(view.episodes) == 0
    assert view.emptiness()[0] == "No episode recorded yet."


def test_a_paint_before_the_next_beat_finds_no_rows_of_the_old_session(view, play):
    play(SessionStatus(name="a", uuid="u1"), *[finished(i, 30) for i in range(20)])
    view.hide()
    play(SessionStatus(name="b", uuid="u2"))
    view.show()
    view._table.grab()  # an IndexError here fails the test
    model = view._table.model()
    assert model.rowCount() == len(view.episodes) == 0


def test_an_episode_began_before_it_ended_and_an_evaluation_takes_no_steps():
    table = EpisodeTable()
    table.add(
        [finished(0, 20, step=100), finished(0, 500, "evaluation", step=100)],
        environments=4,
    )
    np.testing.assert_array_equal(table.column("step0"), [20, 100])


def test_numbers_of_five_digits_are_whole_in_a_narrow_dock(context, qtbot):
    view = show(qtbot, EpisodesView(context), 280, 300)
    context.link.episodeFinished.emit(finished(21_204, 215, "evaluation"))
    context.pulse.beat()
    table = view.findChild(QTableView, "step.episodes.table")
    metrics, gap = table.fontMetrics(), 2 * (table.style().pixelMetric(MARGIN) + 1)
    for column in range(5):
        text = table.model().index(0, column).data()
        assert metrics.horizontalAdvance(text) + gap <= table.columnWidth(column)


def test_a_long_list_is_drawn_four_times_a_second(view, play, context, qtbot):
    play(*(finished(it, 20) for it in range(FOLLOWED)))
    assert view.rows.count() == FOLLOWED
    play(finished(9_000, 20))
    assert view.rows.count() == FOLLOWED
    context.pulse.start()
    qtbot.waitUntil(lambda: view.rows.count() == FOLLOWED + 1)
    context.pulse.stop()


def test_episodes_that_end_while_nobody_looks_do_not_wait_as_messages(view, play):
    view.hide()
    play(*(finished(it, 20) for it in range(3 * MOST_WAITING)))
    assert len(view._new) <= MOST_WAITING
    assert len(view.episodes) + len(view._new) == 3 * MOST_WAITING
    view.show()
    play(finished(9_000, 20))
    view.draw()
    assert view.rows.count() == 3 * MOST_WAITING + 1
    assert view.episodes.find("training", 9_000) == 3 * MOST_WAITING


def test_largest_errors_are_those_of_one_judge(table):
    def above(largest):
        return len(keys(table, f"td>{largest}"))

    assert above(0) == 0
    table.judge_by(-1)
    table.set_max_td("training", 1, 4.0)
    table.set_max_td("training", 2, 5.0)
    assert not table.judge_by(-1)
    assert above(3) == 2
    assert table.judge_by(8_000)
    table.set_max_td("training", 1, 7.0)
    assert above(3) == 1


def test_headings_of_numbers_stand_over_them(view):
    """But for the one beside whose words the arrow is drawn."""
    heading, model = view._table.horizontalHeader(), view._table.model()
    role, right = Qt.ItemDataRole.TextAlignmentRole, Qt.AlignmentFlag.AlignRight

    def at_right():
        columns = range(model.columnCount())
        told = [model.headerData(it, Qt.Orientation.Horizontal, role) for it in columns]
        return {it for it, flag in zip(columns, told, strict=True) if flag}

    heading.setSortIndicator(1, Qt.SortOrder.AscendingOrder)
    numbers = {it for it in range(model.columnCount()) if view.rows.is_number(it)}
    assert at_right() == numbers > {0}
    heading.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
    assert at_right() == numbers - {0}
    assert model.headerData(2, Qt.Orientation.Horizontal, role) & right
