"""At 150 % text size on a small screen nothing that matters is cut off."""

import itertools

import pytest
import script
from pictures import teach
from PySide6.QtCore import QCoreApplication, QSize, Qt
from PySide6.QtWidgets import QLabel, QTabBar, QToolButton, QWidget
from showing import show

from rllab_gui.plots.header import PlotHeader
from rllab_gui.plots.timeline import FOLDED_FIRST
from rllab_gui.views.tables import CalmTable
from rllab_gui.views.timeline import TimelineView


@pytest.fixture
def large(window, qtbot):
    window.resize(1366, 768)
    window.lab.theme.set_scale(1.5)
    qtbot.wait(100)  # layouts are made anew
    return window


def test_the_form_is_as_wide_as_its_rows(large, qtbot):
    form = large.workspaces["train"].form

    def fits():
        inside = form._scroll.widget().minimumSizeHint().width()
        assert form._scroll.viewport().width() >= inside

    qtbot.waitUntil(fits)
    assert large.size() == QSize(1366, 768)


def test_back_at_normal_size_the_set_up_is_narrow_again(large, qtbot):
    setup = large.workspaces["train"].docks["setup"]
    qtbot.waitUntil(lambda: setup.width() > 400)
    large.lab.theme.set_scale(1.0)
    qtbot.waitUntil(lambda: setup.width() < 370)


def test_the_set_up_follows_its_rows_whenever_they_get_their_width(window, qtbot):
    window.resize(1366, 768)
    train = window.workspaces["train"]
    row = next(iter(train.form.rows.values()))
    row.setMinimumWidth(600)
    qtbot.waitUntil(lambda: train.docks["setup"].width() > 600)
    row.setMinimumWidth(0)
    qtbot.waitUntil(lambda: train.docks["setup"].width() < 370)


def test_tabs_are_named_whole(large):
    bars = large.workspaces["train"].findChildren(QTabBar)
    named = [it for it in bars if it.objectName().startswith("workspace.train.tabs")]
    assert named
    assert {it.elideMode() for it in named} == {Qt.TextElideMode.ElideNone}


def uncut(window):
    """Buttons of plots that can be seen, and are as wide as what stands on them."""
    headers = window.findChildren(PlotHeader)
    seen = [it for header in headers for it in header.findChildren(QToolButton)]
    seen = [it for it in seen if it.isVisible() and not it.visibleRegion().isEmpty()]
    return bool(seen) and all(it.width() >= it.sizeHint().width() - 1 for it in seen)


def test_what_stands_on_buttons_and_columns_can_be_read(large, qtbot):
    qtbot.waitUntil(lambda: uncut(large))
    large.show_workspace("step")
    qtbot.waitUntil(lambda: uncut(large))
    table = large.findChild(CalmTable, "step.episodes.table")
    metrics = table.horizontalHeader().fontMetrics()
    for column, (heading, _) in enumerate(table.model()._headings):
        assert table.columnWidth(column) > metrics.horizontalAdvance(heading)


def test_a_step_has_room_for_the_digits_of_the_last_one(window, beat):
    bar, label = window.statusBar(), window.findChild(QLabel, "status.step")
    widths = set()
    for step in (1, 9_999, 10_000, 20_000):
        beat(script.status("running", step=step, steps_budget=20_000))
        bar.refresh()
        widths.add(len(label.text()))
    assert len(widths) == 1


@pytest.fixture(params=[(1366, 768), (1280, 720), (900, 560)], ids=str)
def huge(request, window, beat, qtbot):
    """At 200 %, which takes more room than these screens have."""
    window.resize(*request.param)
    window.lab.theme.set_scale(2.0)
    beat(
        script.status("running", step=12400, steps_per_s=5310),
        script.session(window.lab.draft.configuration),
    )
    beat(script.episode(1))
    yield window
    assert window.size().toTuple() == request.param


@pytest.mark.parametrize("name", ["train", "step"])
def test_panels_scroll_where_they_have_no_room_and_do_not_overlap(huge, name, qtbot):
    huge.show_workspace(name)
    workspace, room = huge.workspaces[name], huge.rooms[name]

    def roomy():
        least = workspace.minimumSizeHint()
        assert workspace.width() >= least.width()
        assert workspace.height() >= least.height()
        seen = [it for it in workspace.docks.values() if it.isVisible()]
        places = [it.geometry() for it in seen if not it.visibleRegion().isEmpty()]
        assert len(places) >= 3
        for one, other in itertools.combinations(places, 2):
            assert not one.intersects(other)
        assert all(workspace.rect().contains(it) for it in places)

    qtbot.waitUntil(roomy)
    scrolls = room.horizontalScrollBar().maximum() > 0
    assert scrolls == (workspace.width() > room.viewport().width())


def test_a_view_that_is_brought_forward_is_scrolled_to(huge, qtbot):
    huge.show_workspace("train")
    room = huge.rooms["train"]
    qtbot.waitUntil(lambda: room.horizontalScrollBar().maximum() > 0)
    huge.show_view("train", "curve")
    dock = huge.workspaces["train"].docks["curve"]
    at = dock.mapTo(room.viewport(), dock.rect().topRight())
    assert 0 <= at.x() <= room.viewport().width()


def test_controls_of_the_run_and_the_status_stand_beside_each_other(huge, qtbot):
    bar = huge.findChild(QWidget, "main.runBar")
    stop = huge.findChild(QWidget, "main.train.stop")
    qtbot.waitUntil(lambda: stop.x() >= bar.train.geometry().right())
    status = huge.statusBar()
    status.refresh()
    QCoreApplication.sendPostedEvents()
    fields = [it for it in status.findChildren(QLabel) if it.isVisible()]
    assert {"status.step", "status.durable"} <= {it.objectName() for it in fields}
    last = max(it.geometry().right() for it in fields)
    shown = huge.findChild(QWidget, "status.view.theme")
    assert last < shown.geometry().left()
    keys = huge.findChild(QWidget, "status.help.shortcuts")
    assert status.rect().contains(keys.geometry())
    assert all(it.width() >= it.sizeHint().width() for it in fields)


def test_below_their_least_height_lanes_are_not_folded_for_that(context, client, qtbot):
    teach(client)
    view = show(qtbot, TimelineView(context), 500, 300)
    canvas = view.canvas
    canvas.setMinimumSize(0, 0)
    canvas.setFixedHeight(canvas.minimumSizeHint().height() - 5)
    qtbot.waitUntil(lambda: canvas.height() < canvas.minimumSizeHint().height())
    kept = [it for it in canvas.lanes if it.name not in (*FOLDED_FIRST, "film")]
    assert kept
    assert not [it.name for it in kept if it.folded]


@pytest.mark.parametrize("high", range(100, 420, 20))
def test_the_film_strip_can_be_seen_or_is_folded(context, client, qtbot, high):
    teach(client)
    view = show(qtbot, TimelineView(context), 500, high)
    context.cursor.show_episode("training", 4)
    for _ in range(3):
        context.pulse.beat()
    film = next(it for it in view.canvas.lanes if it.name == "film")
    qtbot.waitUntil(lambda: film.folded == (film.height() == 0))
    assert film.folded or film.height() >= context.theme.px(film.seen_from)
