"""On a screen of 1366 x 768 nothing is cut off, at normal size and at 150 %."""

from dataclasses import replace

import numpy as np
import pytest
import script
from pictures import judged
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QTabBar,
    QToolButton,
    QWidget,
)
from showing import show
from test_branches import step_through, teach
from test_view_bellman import answer, row

from rllab_gui.commands import Command, Commands
from rllab_gui.plots.bellman import LEAST_ROW, LEAST_ROWS, UpdateChart
from rllab_gui.plots.frame import PlotFrame
from rllab_gui.plots.narrow_box import NarrowBox
from rllab_gui.plots.text import OneLine
from rllab_gui.plots.updates import rows_of
from rllab_gui.views.account import AccountView
from rllab_gui.views.empty import EmptyState
from rllab_gui.views.frame import LEAST_PICTURE

SCREEN = QSize(1366, 768)
SIX = ("no-op", "left", "up", "right", "down", "fire")
WHY = "The environment drew nothing from its random generator after this step. " * 6
PARTS = ("title", "guidance")
SPACES = 2
"""Of a button's wish so many spaces are air: without them nothing is missing."""


PANELS = ("stepSlice", "stepBellman", "stepNeighbours", "stepReplay", "bookmarks")
LARGE = pytest.mark.parametrize("small", [1.5], indirect=True)
MANY = pytest.mark.parametrize("branched", [SIX], indirect=True, ids=["six"])


@pytest.fixture(params=(1.0, 1.5))
def small(request, window, qtbot):
    """The window on this screen, at both sizes."""
    window.resize(SCREEN)
    window.lab.theme.set_scale(request.param)
    qtbot.waitUntil(lambda: window.size() == SCREEN)
    return window


@pytest.fixture(params=(("left", "right"), SIX), ids=("two", "six"))
def branched(request, small, client, beat, monkeypatch):
    """A branch with a long report is looked at; of few actions, and of many."""
    names = request.param
    card = replace(script.CARD, action_names=names, actions=len(names))
    monkeypatch.setattr(script, "CARD", card)
    teach(client)
    judge, branch = client.answers["judge_episode"], client.answers["branch"]

    def judged(arguments):
        found = judge(arguments)
        q = np.tile(np.linspace(0, 1, len(names), dtype=np.float32), (500, 1))
        q = q[: len(found["q"])]
        return found | {"q": q, "advantage": q, "action_names": list(names)}

    client.answers["judge_episode"] = judged
    client.answers["branch"] = lambda asked: branch(asked) | {"why": WHY}
    step_through(small, beat)
    small.lab.branches.make(1)
    for _ in range(8):
        beat()
    assert small.lab.branches.current is not None
    return small


def seen(window, kind):
    """All of this kind that can be seen, if only in part."""
    found = (it for it in window.findChildren(kind) if it.isVisible())
    return [it for it in found if not it.visibleRegion().isEmpty()]


def cut_buttons(window):
    """Names of buttons whose words are not all there."""
    names = []
    for button in seen(window, QAbstractButton):
        if not button.text() or _only_icon(button):
            continue
        air = SPACES * button.fontMetrics().horizontalAdvance(" ")
        if button.width() <= button.sizeHint().width() - air:
            names.append(button.objectName())
    return names


def _only_icon(button):
    return isinstance(button, QToolButton) and not button.icon().isNull()


def half_hidden(window):
    """Names of buttons and boxes of which a part is beyond an edge."""
    controls = [*seen(window, QAbstractButton), *seen(window, QComboBox)]
    return [
        it.objectName()
        for it in controls
        if it.visibleRegion().boundingRect() != it.rect() and not _scrolls(it)
    ]


def _scrolls(widget):
    """What is in a form or a list can be brought into view."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QScrollArea | QTabBar):
            return "step.branches" not in parent.objectName()
        parent = parent.parentWidget()
    return False


def unexplained(window):
    """Names of what is cut and does not tell the rest."""
    lines = [it for it in seen(window, OneLine) if it.shown != it.text()]
    boxes = [it for it in seen(window, NarrowBox) if it.is_cut]
    fields = [
        it
        for it in seen(window, QLineEdit)
        if not isinstance(it.parentWidget(), NarrowBox)
        and it.fontMetrics().horizontalAdvance(it.text() or it.placeholderText())
        > it.width() - 12
    ]
    silent = [it for it in (*lines, *fields) if not it.toolTip()]
    silent += [it for it in boxes if it.currentText() not in it.whole_tip()]
    return [it.objectName() for it in silent]


def cut_words(label):
    """Whether lines of a label lack room."""
    return label.height() < label.heightForWidth(label.width())


def check(window, qtbot):
    """Nothing is cut."""
    qtbot.waitUntil(lambda: cut_buttons(window) == [])
    qtbot.waitUntil(lambda: half_hidden(window) == [])
    assert unexplained(window) == []
    assert window.size() == SCREEN
    for box in seen(window, QComboBox):
        field = box.fontMetrics().horizontalAdvance(box.currentText())
        assert field < box.width() or isinstance(box, NarrowBox), box.objectName()
    workspace = window.current_workspace()
    for dock in seen(workspace, type(next(iter(workspace.docks.values())))):
        assert workspace.rect().contains(dock.geometry()), dock.objectName()


def open_lesson(window, qtbot):
    window.lab.commands.run("help.lesson")
    qtbot.waitUntil(window.findChild(QWidget, "dock.lesson").isVisible)


# -------------------------------------------------------------------- the window


def test_training_with_and_without_a_lesson(small, qtbot):
    check(small, qtbot)
    open_lesson(small, qtbot)
    check(small, qtbot)


def test_a_branch_with_and_without_a_lesson(branched, qtbot):
    check(branched, qtbot)
    open_lesson(branched, qtbot)
    check(branched, qtbot)


def test_panels_of_the_episode(small, client, beat, qtbot):
    beat(script.status("idle"), script.session(small.lab.draft.configuration))
    small.show_workspace("step")
    beat(script.episode(1))
    for _ in range(4):
        beat()
    open_lesson(small, qtbot)
    for panel in PANELS:
        small.show_view("step", panel)
        for _ in range(2):
            beat()
        check(small, qtbot)


@LARGE
def test_tabs_that_qt_left_over_a_panel_are_hidden(small, beat, qtbot):
    step_through(small, beat)
    workspace = small.current_workspace()
    left = QTabBar(workspace)
    for title in ("Branches", "Bookmarks"):
        left.addTab(title)
    left.setGeometry(workspace.docks["frame"].geometry().adjusted(0, 20, 0, -20))
    left.show()
    workspace._settle.start()
    qtbot.waitUntil(left.isHidden)
    used = seen(workspace, QTabBar)
    assert {"Timeline", "Replay"} <= {it.tabText(at) for it in used for at in (0, 1)}
    left.setGeometry(used[0].geometry())  # Qt uses it again
    workspace._settle.start()
    qtbot.waitUntil(left.isVisible)


# ------------------------------------------------------------------ its parts


@LARGE
def test_the_run_bar_folds_and_unfolds(small, beat, qtbot):
    beat(script.status("idle"), script.session(small.lab.draft.configuration))
    bar = small.run_bar
    before = [bar.layout().itemAt(it).widget() for it in range(bar.layout().count())]
    least = bar.layout().minimumSize().width()
    bar.setFixedWidth(700)
    qtbot.waitUntil(lambda: bar.findChild(QToolButton, "main.runBar.more").isVisible())
    assert cut_buttons(bar) == []
    assert bar.train.isVisible()
    assert bar.findChild(QToolButton, "main.train.stop").isVisible()
    assert not bar.speed.isVisible()
    lines = [it for it in before if it.property("role") == "divider"]
    folded = [it for it in before if it.parentWidget() is not bar]
    assert before[before.index(lines[0]) + 1] in folded
    freeze = bar.findChild(QToolButton, "main.view.freeze")
    assert [it.width() for it in lines] == [1, int(freeze not in folded)]
    bar.setMaximumWidth(16_000)
    bar.setMinimumWidth(least)
    small.resize(2000, 768)
    qtbot.waitUntil(bar.speed.isVisible)
    after = [bar.layout().itemAt(it).widget() for it in range(bar.layout().count())]
    assert after == before
    qtbot.waitUntil(lambda: [it.width() for it in lines] == [1, 1])


@LARGE
@MANY
def test_buttons_keep_their_words_when_their_commands_change(branched, beat, qtbot):
    ghost = branched.findChild(QToolButton, "step.branches.ghost")
    by_hand = branched.findChild(QToolButton, "step.branches.byHand")
    words = by_hand.text()
    ghost.click()
    assert ghost.text() == "Ghost"
    by_hand.defaultAction().setEnabled(not by_hand.defaultAction().isEnabled())
    assert by_hand.text() == words


@MANY
def test_how_a_branch_was_made_can_be_read(branched, qtbot):
    line = branched.findChild(OneLine, "step.branches.why")
    words = branched.findChild(QScrollArea, "step.branches.answer.scroll").widget()
    shown = line.toolTip() if line.isVisible() else words.text()
    assert WHY.strip() in shown


@LARGE
@MANY
def test_of_the_place_the_end_is_kept(branched):
    where = branched.findChild(OneLine, "main.breadcrumb")
    where.parentWidget().setFixedWidth(200)
    where.setGeometry(where.parentWidget().rect())
    assert where.shown.startswith("…")
    assert where.shown[-8:] == where.text()[-8:]
    assert where.toolTip() == where.text()


@LARGE
def test_the_buttons_beside_tabs_show_where_they_lead(small, qtbot):
    small.resize(1000, 768)

    def arrows():
        bars = seen(small, QTabBar)
        found = (it for bar in bars for it in bar.findChildren(QToolButton))
        return [it for it in found if it.isVisible()]

    qtbot.waitUntil(lambda: bool(arrows()))
    room = small.rooms["train"]
    for button in arrows():
        room.ensureWidgetVisible(button)
        inside = button.rect().adjusted(3, 3, -3, -3)
        picture = button.grab(inside).toImage()
        size = picture.size()
        places = ((x, y) for x in range(size.width()) for y in range(size.height()))
        assert len({picture.pixel(x, y) for x, y in places}) > 2
        assert button.visibleRegion().boundingRect() == button.rect()


@LARGE
def test_the_button_that_clears_a_field_lies_inside(small, qtbot):
    field = small.findChild(QLineEdit, "train.presets.search")
    field.setText("pole")
    (button,) = field.findChildren(QToolButton)
    qtbot.waitUntil(lambda: field.rect().contains(button.geometry()))


@LARGE
def test_the_ellipsis_of_a_legend_is_as_large_as_its_words(small):
    legend = small.findChild(PlotFrame, "plot.curve")._legend
    legend.set_text("a legend that is a good deal longer than its plot is wide")
    legend.take_one_line(True)
    legend.resize(120, 20)
    legend.restyle()
    assert legend.cut.isVisibleTo(legend)
    assert legend.cut.font().pointSizeF() == legend.label.font().pointSizeF()


@LARGE
def test_times_and_priorities_are_not_cut(small):
    events = small.train.docks["events"].widget().table
    replay = small.workspaces["step"].docks["stepReplay"].widget().table
    for table, column, words in (
        (events, 1, "23:59:59"),
        (replay, 7, "6.25e-5"),
        (replay, 8, "0.283"),
    ):
        assert table.columnWidth(column) > table.fontMetrics().horizontalAdvance(words)


@LARGE
def test_where_time_goes_is_read_without_moving_it_sideways(small, qtbot):
    view = next(it for it in small.train.views() if isinstance(it, AccountView))
    small.show_view("train", "account")
    small.resize(SCREEN)
    view._stack.bring(view.body)
    scroll = view.findChild(QScrollArea, "train.account.scroll")
    qtbot.waitUntil(lambda: scroll.horizontalScrollBar().maximum() == 0)


def test_at_twice_the_size_the_picture_has_room_and_the_equation_whole_lines(
    small, client, beat, qtbot
):
    client.answers |= {"judge_episode": lambda _: judged(20), "explain_update": answer}
    small.lab.theme.set_scale(2.0)
    step_through(small, beat)
    workspace = small.current_workspace()
    frame, panel = (workspace.docks[it].widget() for it in ("frame", "stepBellman"))
    equation = panel.panel.equation
    line = small.findChild(OneLine, "step.frame.state")
    qtbot.waitUntil(lambda: beat() or line.text().startswith("state: "))
    for size, whole in ((SCREEN, False), (2 * SCREEN, True), (SCREEN, False)):
        small.setMinimumSize(size)
        small.resize(size)
        qtbot.waitUntil(lambda: beat() or bool(equation.text()))
        least = small.lab.theme.px(LEAST_PICTURE[1])
        qtbot.waitUntil(lambda least=least: frame.picture.height() >= least)
        qtbot.waitUntil(lambda all_=whole: line.isVisible() or not all_)
        action = small.findChild(OneLine, "step.frame.action")
        qtbot.waitUntil(
            lambda it=action: (line.text() in it.toolTip()) is not line.isVisible()
        )
        qtbot.waitUntil(lambda all_=whole: ("argmax" in equation.text()) is all_)
        assert "δ" in equation.text()
        qtbot.waitUntil(lambda: not cut_words(equation))


def test_an_estimate_is_whole_in_a_narrow_chart(theme, qtbot):
    chart = UpdateChart(theme)
    qtbot.addWidget(chart)
    chart.rows = rows_of({"rows": [row(double=False)]})
    metrics = QFontMetricsF(chart.font())
    whole = chart.estimate_words(metrics, 1_000.0)
    assert whole == "┆ Q(s,a) 64.000"
    assert chart.estimate_words(metrics, 80.0) == "┆ 64.000"


def test_in_little_room_some_updates_are_drawn_and_keys_lead_to_the_others(
    theme, qtbot
):
    chart = UpdateChart(theme)
    qtbot.addWidget(chart)
    rows = rows_of({"rows": [row(double=it % 2 == 0) for it in range(7)]})
    for scale in (1.0, 2.0):
        theme.set_scale(scale)
        chart.resize(chart.minimumSizeHint())
        chart.show_rows(rows, 0)
        least = theme.px(LEAST_ROW)
        assert list(chart.shown()) == list(range(LEAST_ROWS))
        assert chart.hidden_words() == "4 ↓"
        assert chart.row_rect(LEAST_ROWS - 1).bottom() <= chart.height()
        assert chart.row_rect(0).height() >= least
        chart.show_rows(rows, 5)
        assert list(chart.shown()) == [3, 4, 5]
        assert chart.hidden_words() == "3 ↑  1 ↓"
        chosen = []
        chart.chosen.connect(chosen.append)
        spot = chart.row_rect(4).center().toPoint()
        qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=spot)
        assert chosen == [4]
        chart.chosen.disconnect()
        chart.show_rows((), 0)
        assert not chart.shown()
        chart.show_rows(rows, 5)
        chart.resize(chart.sizeHint())
        assert (list(chart.shown()), chart.hidden_words()) == (list(range(7)), "")


def test_what_is_offered_stands_below_each_other_in_a_narrow_panel(theme, qtbot):
    commands = Commands()
    for name in ("first", "second"):
        commands.add(Command(f"view.{name}", name, "Does it.", lambda: None))
    panel = QWidget()
    empty = EmptyState(commands, theme, panel)
    empty.resize(600, 300)
    show(qtbot, panel, 600, 300)
    offers = [("view.first", "Turn on something long"), ("view.second", "Explain")]
    empty.say("Nothing is here.", "It comes.", offers)
    first, second = (empty.findChild(QPushButton, f"empty.{it}") for it, _ in offers)
    qtbot.waitUntil(lambda: second.x() > first.geometry().right())
    least = empty.minimumSizeHint().width()
    assert least < first.sizeHint().width() + second.sizeHint().width()
    empty.resize(least, 300)
    qtbot.waitUntil(lambda: second.y() > first.geometry().bottom())
    assert first.visibleRegion().boundingRect() == first.rect()
    title, guidance = (empty.findChild(QLabel, f"empty.{it}") for it in PARTS)
    assert guidance.isVisible()
    empty.resize(least, empty.layout().totalHeightForWidth(least) - 8)
    qtbot.waitUntil(lambda: not guidance.isVisible())
    assert title.toolTip() == "It comes."
    inside = second.parentWidget()
    qtbot.waitUntil(lambda: inside.rect().contains(second.geometry()))
    empty.resize(600, 300)
    qtbot.waitUntil(guidance.isVisible)
    assert title.toolTip() == ""
    empty.say("Nothing is here.", "It comes.", offers[1:])
    qtbot.waitUntil(
        lambda: [it.text() for it in seen(empty, QPushButton)] == ["Explain"]
    )
