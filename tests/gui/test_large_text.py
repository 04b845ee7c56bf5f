"""At 150 % text size on a small screen nothing that matters is cut off."""

import pytest
import script
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QTabBar, QToolButton

from rllab_gui.plots.header import PlotHeader
from rllab_gui.views.tables import CalmTable


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
