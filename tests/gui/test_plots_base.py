"""Every plot: its two modes, its words, its theme, its exports."""

import csv

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt
from PySide6.QtGui import QAction, QColor, QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QWidget,
)
from showing import drag, show, wheel

from rllab_gui.plots.base import PlotView
from rllab_gui.plots.items import DOTS_SHOWN, Dots, Marker, thinned
from rllab_gui.plots.ranges import GrowingCount, GrowingSpan


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def plot(qtbot, theme, clock):
    made = PlotView(
        "test",
        "Test plot",
        theme,
        x=GrowingCount(),
        y=GrowingSpan(),
        log=False,
        smoothing=0.9,
        clock=clock,
    )
    return show(qtbot, made)


def feed(plot, count=100, top=50.0):
    x = np.arange(count, dtype=float)
    plot.include(x, np.linspace(0, top, count))


def test_new_data_move_an_automatic_axis_and_it_says_so(plot):
    feed(plot)
    assert plot.axisMode == "auto"
    assert plot.shown_range()[0] == (0.0, 100.0)
    feed(plot, 300)
    assert plot.shown_range()[0] == (0.0, 500.0)


def test_the_axis_makes_room_for_its_name_at_once(plot, qtbot):
    """It is painted before the loop turns, when a workspace is shown again."""
    plot.set_labels("training steps", "return")
    plot.resize(400, 120)
    QApplication.sendPostedEvents()
    assert not plot.bottom.label.isVisible()
    plot.resize(400, 420)
    plot._space_labels()
    assert plot.bottom.label.isVisible()
    assert plot.bottom.size().height() == plot.bottom.minimumHeight()


def test_the_wheel_without_focus_is_left_to_what_scrolls(plot):
    feed(plot)
    before = plot.shown_range()
    plot.canvas.clearFocus()
    assert not wheel(plot.canvas.viewport())
    assert plot.shown_range() == before
    assert plot.axisMode == "auto"


@pytest.mark.parametrize("way", ["control", "focus"])
def test_the_wheel_with_focus_or_control_zooms_and_makes_it_manual(plot, qtbot, way):
    feed(plot)
    before = plot.shown_range()
    control = Qt.KeyboardModifier.ControlModifier
    if way == "focus":
        plot.activateWindow()
        plot.canvas.setFocus()
        qtbot.waitUntil(plot.canvas.hasFocus)
        wheel(plot.canvas.viewport())
    else:
        wheel(plot.canvas.viewport(), modifiers=control)
    assert plot.axisMode == "manual"
    assert plot.shown_range() != before


def test_data_never_move_an_axis_that_a_person_zoomed(plot):
    feed(plot)
    control = Qt.KeyboardModifier.ControlModifier
    wheel(plot.canvas.viewport(), modifiers=control)
    held = plot.shown_range()
    for count in (1_000, 50_000):
        feed(plot, count, top=1e4)
    assert plot.shown_range() == held


def test_dragging_makes_it_manual(plot):
    feed(plot)
    centre = plot.canvas.viewport().rect().center()
    drag(plot.canvas.viewport(), centre, centre + QPoint(40, 10))
    assert plot.axisMode == "manual"


@pytest.mark.parametrize("way", ["key", "double click", "chip"])
def test_a_person_brings_automatic_axes_back(plot, qtbot, way):
    feed(plot)
    automatic = plot.shown_range()
    plot.zoom_to((3, 4), (5, 6))
    assert plot.axisMode == "manual"
    if way == "key":
        qtbot.keyClick(plot.canvas, Qt.Key.Key_A)
    elif way == "chip":
        qtbot.mouseClick(
            plot.header.findChild(object, "plot.test.auto"), Qt.MouseButton.LeftButton
        )
    else:
        viewport, left = plot.canvas.viewport(), Qt.MouseButton.LeftButton
        centre = viewport.rect().center()
        qtbot.mouseClick(viewport, left, pos=centre)
        qtbot.mouseDClick(viewport, left, pos=centre)
        qtbot.mouseRelease(viewport, left, pos=centre)
    assert plot.axisMode == "auto"
    assert plot.shown_range() == automatic


def test_the_chip_names_the_mode(plot):
    chip = plot.header.findChild(object, "plot.test.auto")
    assert (chip.text(), chip.property("state")) == ("Auto", "auto")
    plot.zoom_to((3, 4), (5, 6))
    assert (chip.text(), chip.property("state")) == ("Manual", "manual")
    assert chip.accessibleName()


def test_every_button_of_the_header_is_named_and_explained(plot):
    for name in ("auto", "log", "smooth", "export", "help"):
        button = plot.header.findChild(object, f"plot.test.{name}")
        assert button.accessibleName(), name
        assert button.toolTip(), name
        assert button.minimumWidth() >= 24, name
        assert button.minimumHeight() >= 24, name


def test_the_cursor_line_does_not_move_the_axes(plot):
    feed(plot)
    before = plot.shown_range()
    plot.set_cursor(1e6)
    plot.set_ghost(-5.0)
    assert plot.shown_range() == before
    assert plot.cursor_x() == 1e6
    plot.set_cursor(None)
    assert plot.cursor_x() is None


def test_a_click_tells_where_in_units_of_the_data(plot, qtbot):
    feed(plot)
    at = plot.pixel_of(40.0, 20.0)
    with qtbot.waitSignal(plot.picked) as picked:
        qtbot.mouseClick(plot.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert picked.args == pytest.approx([40.0, 20.0], abs=0.6)


def test_zeros_have_their_own_place_on_a_logarithmic_axis(plot, qtbot):
    plot.header.findChild(object, "plot.test.log").click()
    values = np.array([0.0, 0.02, 5.0, 0.0])
    plot.include(np.arange(4.0), values)
    line = plot.line("#123456")
    line.setData(np.arange(4.0), plot.heights(values))
    image = plot.grab()  # a warning of numpy or of Qt would fail here
    assert not image.isNull()
    low, high = plot.shown_range()[1]
    assert low < plot.floor < -2
    assert high == 1.0
    shown = dict(plot.left.tickValues(low, high, 200))
    ticks = next(iter(shown.values()))
    assert plot.left.tickStrings(ticks, 1.0, 1.0) == ["0", "0.01", "0.1", "1", "10"]
    assert np.isfinite(line.getData()[1]).all()


def test_without_zeros_there_is_no_zero_on_the_axis(plot):
    plot.header.findChild(object, "plot.test.log").click()
    plot.include(np.arange(3.0), np.array([0.1, 1.0, 10.0]))
    low, high = plot.shown_range()[1]
    assert "0" not in plot.left.tickStrings([low, 0.0, high], 1.0, 1.0)


def test_words_come_at_once_and_then_at_most_once_a_second(plot, clock, qtbot):
    said = []
    plot.described.connect(said.append)
    for number in range(50):
        plot.describe(f"value {number}")
        clock.now += 0.01
    assert said == ["value 0"]
    clock.now += 1.0
    plot.describe("value 50")
    assert said == ["value 0", "value 50"]
    assert plot.canvas.accessibleDescription() == "value 50"


def test_the_last_words_are_said_even_if_nothing_follows(plot, clock, qtbot):
    plot.describe("first")
    clock.now += 0.95
    with qtbot.waitSignal(plot.described, timeout=2000) as said:
        plot.describe("last")
    assert said.args == ["last"]


def test_the_theme_changes_the_ground(plot, theme):
    def corner():
        return plot.grab().toImage().pixelColor(plot.width() - 8, plot.height() // 2)

    assert corner() == QColor(theme.tokens.panel)
    theme.set_choice("dark")
    assert corner() == QColor(theme.tokens.panel)
    assert corner() == QColor("#1E1F22")


def test_a_million_points_are_drawn_as_few_and_the_spike_stays(plot):
    values = np.zeros(1_000_000)
    values[765_432] = 9.0
    x = np.arange(len(values), dtype=float)
    plot.include(x, values)
    curve = plot.line("#123456")
    curve.setData(x, values)
    shown_x, shown_y = curve.getData()
    assert len(shown_x) < 20_000
    assert shown_y.max() == 9.0


def test_lines_are_one_cosmetic_pixel_and_not_smoothed(plot):
    pen = plot.line("#123456").opts["pen"]
    assert pen.widthF() == 1.0
    assert pen.isCosmetic()
    assert not plot.line("#123456").opts["antialias"]


def test_a_marker_tells_what_happened_where_the_pointer_is(plot):
    feed(plot)
    plot.set_markers([Marker(20.0, "α 0.6 → 0.7"), Marker(80.0, "β")])
    assert [it.text for it in plot.markers.at(20.2)] == ["α 0.6 → 0.7"]
    assert plot.markers.at(50.0) == []
    assert plot.grab().toImage() != QImage()


def test_dots_are_thinned_without_losing_the_extremes():
    values = np.random.default_rng(0).normal(size=200_000)
    values[1234], values[150_001] = 99.0, -99.0
    kept = values[thinned(values)]
    assert len(kept) <= DOTS_SHOWN * 1.1
    assert (kept.max(), kept.min()) == (99.0, -99.0)


def test_dots_without_numbers_are_left_out(qapp):
    dots = Dots()
    dots.set_data(np.array([1.0, np.nan, 3.0]), np.array([1.0, 2.0, np.inf]))
    assert dots.boundingRect() == QRectF(1.0, 1.0, 0.0, 0.0)


def test_a_table_has_the_numbers_and_says_what_they_are(plot, tmp_path):
    plot.set_model(
        x=np.array([1.0, 2.0]),
        value=np.array([0.1]),
        episode=np.array([3, 4]),
        explored=np.array([True, False]),
    )
    plot.set_caption("step 2; n = 1 seed; EMA 0.9")
    assert plot.export(str(tmp_path / "data.csv"))
    lines = (tmp_path / "data.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# step 2; n = 1 seed; EMA 0.9"
    rows = list(csv.reader(lines[1:]))
    assert rows == [
        ["x", "value", "episode", "explored"],
        ["1.0", "0.1", "3", "1"],
        ["2.0", "", "4", "0"],
    ]


def test_a_picture_can_be_opened_again_and_has_three_hundred_dpi(plot, tmp_path):
    feed(plot)
    assert plot.export(str(tmp_path / "plot.png"))
    image = QImage(str(tmp_path / "plot.png"))
    assert image.width() > 3 * plot.canvas.width()
    assert image.dotsPerMeterX() == pytest.approx(300 / 0.0254, abs=1)


def test_a_drawing_can_be_opened_again_and_keeps_text_as_text(plot, tmp_path):
    feed(plot)
    plot.set_caption("n = 1 seed")
    assert plot.export(str(tmp_path / "plot.svg"))
    assert QSvgRenderer(str(tmp_path / "plot.svg")).isValid()
    assert "n = 1 seed" in (tmp_path / "plot.svg").read_text(encoding="utf-8")


def test_an_export_that_fails_says_why_and_leaves_nothing(plot, qtbot, tmp_path):
    with qtbot.waitSignal(plot.exportFailed) as failed:
        assert not plot.export(str(tmp_path / "missing" / "plot.png"))
    assert "could not be written" in failed.args[0]
    with qtbot.waitSignal(plot.exportFailed) as failed:
        assert not plot.export(str(tmp_path / "plot.xyz"))
    assert "choose .png, .svg or .csv" in failed.args[0]
    assert list(tmp_path.iterdir()) == []


def test_the_question_where_to_export_does_not_block(plot, qtbot):
    plot.header.exportChosen.emit("csv")
    dialog = plot.findChild(object, "dlg.export.test")
    assert dialog.isVisible()
    dialog.reject()
    qtbot.waitUntil(lambda: plot.findChild(object, "dlg.export.test") is None)


def test_what_has_no_room_in_the_header_is_behind_a_button(plot, qtbot, theme):
    header, more = plot.header, plot.header.findChild(object, "plot.test.more")
    assert not more.isVisible()
    header.findChild(object, "plot.test.export").hide()  # by a view that has none
    plot.resize(150, 200)
    qtbot.waitUntil(more.isVisible)
    folded = [it.objectName().rpartition(".")[2] for it in more.controls]
    assert folded == ["log", "smooth", "help"]
    assert header.findChild(object, "plot.test.auto").isVisible()
    more.menu().aboutToShow.emit()
    labels = more.menu().findChildren(QLabel)
    assert "Logarithmic axis" in [it.text() for it in labels]
    heard = []
    header.logToggled.connect(heard.append)
    header.findChild(object, "plot.test.log").click()
    assert heard == [True]
    plot.resize(600, 200)
    qtbot.waitUntil(lambda: not more.isVisible())
    row = header.layout()
    names = [row.itemAt(it).widget().objectName() for it in range(row.count())]
    assert [it.rpartition(".")[2] for it in names[1:]] == [
        "auto",
        "log",
        "smooth",
        "export",
        "help",
        "more",
    ]
    assert header.findChild(object, "plot.test.export").isHidden()


def in_header(plot):
    """Buttons of the row and of what is behind it, by the ends of their names."""
    buttons = plot.header.findChildren(QAbstractButton)
    return {it.objectName().rpartition(".")[2]: it for it in buttons}


def test_what_folds_at_another_text_size_keeps_that_size(plot, qtbot, theme):
    theme.set_scale(1.5)
    size = theme.font(relative=0.85).pointSizeF()
    buttons = in_header(plot)
    for width, folded in ((150, True), (600, False)):
        plot.resize(width, 200)
        qtbot.waitUntil(lambda it=folded: buttons["more"].isVisible() is it)
        assert {it.font().pointSizeF() for it in buttons.values()} == {size}


def tab_order(first, among):
    """Those of these widgets to which Tab goes, from the first one on, once round."""
    order, stop = [first], first.nextInFocusChain()
    while stop is not first:
        order.append(stop)
        stop = stop.nextInFocusChain()
    return [it for it in order if it in among]


def test_tab_goes_through_a_header_as_it_stands_there(plot, qtbot):
    names = ("auto", "log", "smooth", "export", "help", "more")
    buttons = in_header(plot)
    more = buttons["more"]
    for width in range(320, 60, -20):
        plot.resize(width, 200)
    qtbot.waitUntil(lambda: len(more.controls) == 5)
    assert tab_order(more.controls[0], more.controls) == more.controls
    plot.resize(600, 200)
    qtbot.waitUntil(lambda: not more.controls)
    among = [*(buttons[it] for it in names), plot.canvas]
    assert tab_order(plot.header, among) == among


def test_tab_comes_to_what_a_plot_has_added_where_it_stands(plot):
    added = QWidget()
    row = QHBoxLayout(added)
    parts = [QToolButton(), QComboBox()]
    for part in parts:
        row.addWidget(part)
    plot.header.add(added)
    among = [*parts, in_header(plot)["auto"], in_header(plot)["help"], plot.canvas]
    assert tab_order(plot.header, among) == among


def test_what_got_narrow_while_nobody_saw_it_is_folded_when_it_is_seen(
    plot, qtbot, theme
):
    more = in_header(plot)["more"]
    plot.hide()
    plot.resize(150, 200)
    assert more.controls == []
    plot.show()
    assert more.controls
    plot.hide()
    plot.resize(600, 200)
    plot.show()
    assert more.controls == []


def test_smoothing_is_chosen_in_the_header(plot, qtbot):
    button = plot.header.findChild(object, "plot.test.smooth")
    assert button.text() == "EMA 0.9"
    with qtbot.waitSignal(plot.smoothingChanged) as chosen:
        button.menu().actions()[0].trigger()
    assert chosen.args == [0.0]
    assert button.text() == "raw"


def test_focus_is_visible(plot, qtbot, theme):
    plot.activateWindow()
    plot.canvas.setFocus()
    qtbot.waitUntil(plot.canvas.hasFocus)
    QApplication.sendPostedEvents()
    frame = plot.canvas.geometry().topLeft() - QPoint(1, 1)
    seen = plot.grab().toImage().pixelColor(frame + QPoint(30, 0))
    assert seen == QColor(theme.tokens.accent)


def test_a_legend_that_is_cut_says_so(plot):
    plot.resize(300, 150)
    plot.set_legend("one · " * 40)
    assert plot._legend.cut.isVisible()
    label = plot._legend.label
    room = label.contentsRect().height()
    line = label.fontMetrics().lineSpacing()
    assert line <= room < 1.5 * line, "whole letters, and nothing of the next line"
    assert plot._legend.cut.geometry().right() < plot._legend.width()
    plot.set_legend("one")
    assert not plot._legend.cut.isVisible()


def test_words_that_wait_come_after_the_picture(plot, qtbot):
    plot.legend_waits = True
    plot.set_legend("one")
    label = plot._legend.label
    assert (plot.legend(), label.text()) == ("one", "")
    qtbot.waitUntil(lambda: label.text() == "one")


def test_the_room_for_words_is_measured_anew_for_other_words_widths_and_scales(
    plot, theme
):
    plot.resize(300, 300)
    legend = plot._legend

    def right():
        QApplication.sendPostedEvents()
        return legend._wrapped_height() == legend.label.heightForWidth(legend.width())

    for words in ("one", "one · " * 60, "two · " * 200):
        plot.set_legend(words)
        assert right()
    plot.resize(600, 300)
    assert right()
    theme.set_scale(1.5)
    assert right()


def test_only_what_is_smoothed_offers_smoothing(qtbot, theme, plot):
    plain = PlotView("plain", "Plain", theme, x=GrowingCount(), y=GrowingSpan())
    qtbot.addWidget(plain)
    assert plot.findChildren(QAction, "act.plot.test.smooth.0.9")
    assert not [it for it in plain.findChildren(QAction) if "smooth" in it.objectName()]


def test_the_legend_of_a_live_plot_keeps_still_for_a_while(plot, clock, qtbot):
    plot.legend_every_s = 0.1
    for number in range(5):
        plot.set_legend(f"value {number}")
    label = next(it for it in plot.findChildren(QLabel) if "value" in it.text())
    assert label.text() == "value 0"
    clock.now += 0.1
    qtbot.waitUntil(lambda: label.text() == "value 4", timeout=2000)
    assert plot.legend() == "value 4"


def test_words_that_change_lay_nothing_out_again(plot, qtbot):
    plot.resize(400, 400)
    long, short = "one · " * 40, "one"
    plot.set_legend(long)
    qtbot.waitUntil(lambda: plot._legend.height() > 2 * plot._legend._line())
    asked = Asked(plot)
    height = plot._legend.height()
    for words in (short, long, "two · " * 40, short):
        plot.set_legend(words)
        QApplication.sendPostedEvents()
    assert plot._legend.height() == height
    assert not asked.layouts
    qtbot.waitUntil(lambda: plot._legend.height() == plot._legend._line())
    assert plot._legend.label.text() == short


class Asked(QObject):
    """Counts how often a widget is asked to lay itself out."""

    def __init__(self, widget):
        super().__init__(widget)
        self.layouts = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        self.layouts += event.type() == QEvent.Type.LayoutRequest
        return False


def test_another_scale_fits_the_legend_anew(plot, theme):
    plot.setFixedSize(300, 200)
    plot.set_legend("one · " * 60)
    QApplication.sendPostedEvents()
    assert plot._legend.height() > 2 * plot._legend._line()
    theme.set_scale(1.5)
    QApplication.sendPostedEvents()
    plot.layout().activate()
    assert plot._legend.height() == plot._legend._line()
    assert plot.canvas.height() > 60
    theme.set_scale(1.0)
    QApplication.sendPostedEvents()
    plot.layout().activate()
    assert plot._legend.height() > 2 * plot._legend._line()


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_name_of_the_upright_axis_is_whole_or_not_there(plot, theme, scale, qtbot):
    theme.set_scale(scale)
    plot.restyle()
    plot.set_labels("pole angle", "pole velocity of the tip")
    for height, there in ((400, True), (70, False), (400, True)):
        plot.resize(300, round(height * scale))
        qtbot.waitUntil(lambda there=there: plot.left.label.isVisible() is there)
    plot.set_labels("pole angle")
    assert not plot.left.label.isVisible()
