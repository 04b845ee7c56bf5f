"""The timeline: what is drawn, and where a click goes."""

import numpy as np
import pytest
from pictures import judged, teach
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QToolTip
from showing import drag, show, wheel

from engine.contract.messages import Cancel, SessionStatus
from rllab_gui.views.timeline import TimelineView

LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
REST_MS = 2_000
HOSTILE = "<img src=/x>\u202e"


LEFT_AND_STAYING = ("value", "surprise")


@pytest.fixture
def view(context, client, qtbot):
    teach(client, steps=137)
    made = show(qtbot, TimelineView(context), 700, 360)
    context.cursor.show_episode("training", 4)
    for _ in range(4):
        context.pulse.beat()
    return made


def on_canvas(view, t):
    return view.canvas.posOf(t)


def test_the_model_is_what_was_sent(view):
    sent = judged(137)
    model = view.model()
    np.testing.assert_allclose(model["value"], sent["value"])
    np.testing.assert_allclose(model["surprise"], np.abs(sent["td_error"]))
    np.testing.assert_array_equal(model["reward"], sent["rewards"])
    np.testing.assert_array_equal(model["action"], sent["actions"])
    np.testing.assert_array_equal(model["explored"], sent["explored"])
    np.testing.assert_allclose(model["importance"], np.full(138, 0.5))


def test_a_file_is_drawn_anew_and_is_no_picture_of_the_screen(view, tmp_path):
    assert view.plot.export(str(tmp_path / "timeline.svg"))
    assert "film strip" in (tmp_path / "timeline.svg").read_text(encoding="utf-8")
    for lane in view.canvas.lanes:
        size = lane.size()
        image = QImage(size * 3, QImage.Format.Format_Grayscale8)
        image.setDevicePixelRatio(3.0)
        image.fill(0)
        with QPainter(image) as painter:
            lane.render(painter, QPoint(0, 0))
        pixels = np.asarray(image.constBits()).reshape(3 * size.height(), -1)
        blocks = pixels[:, : 3 * size.width()].reshape(size.height(), 3, -1, 3)
        assert (blocks.min(axis=(1, 3)) < blocks.max(axis=(1, 3))).any(), lane.name


@pytest.mark.parametrize("t", [0, 1, 41, 98, 136, 137])
def test_a_click_where_a_step_is_seeks_that_step(view, context, qtbot, t):
    qtbot.mouseClick(view.canvas, LEFT, pos=on_canvas(view, t))
    assert context.cursor.t == t


def test_a_click_on_the_view_is_one_on_its_lanes(view, context, qtbot):
    qtbot.mouseClick(view, LEFT, pos=view.posOf(77))
    assert context.cursor.t == 77


def test_dragging_scrubs(view, context):
    seen = []
    context.cursor.changed.connect(lambda position: seen.append(position.t))
    drag(view.canvas, on_canvas(view, 20), on_canvas(view, 90))
    assert seen == [20, 90]
    assert context.cursor.mode == "paused"


def test_a_drag_beyond_the_end_clamps(view, context):
    drag(view.canvas, on_canvas(view, 20), QPoint(view.canvas.width() + 500, 30))
    assert context.cursor.t == 137


def test_shift_and_a_drag_select_a_range(view, context):
    shift = Qt.KeyboardModifier.ShiftModifier
    drag(view.canvas, on_canvas(view, 90), on_canvas(view, 30), shift)
    assert context.cursor.selection == (30, 90)
    assert context.cursor.t == 0
    drag(view.canvas, on_canvas(view, 50), on_canvas(view, 50), shift)
    assert context.cursor.selection is None


def test_the_ends_of_the_loop_can_be_dragged_past_each_other(view, context, qtbot):
    ended = []
    view.canvas.selectionEnded.connect(lambda: ended.append(context.cursor.selection))
    context.cursor.select((30, 90))
    qtbot.mouseMove(view.canvas, on_canvas(view, 90))
    assert view.canvas.cursor().shape() == Qt.CursorShape.SizeHorCursor
    drag(view.canvas, on_canvas(view, 90), on_canvas(view, 110))
    assert context.cursor.selection == (30, 110)
    drag(view.canvas, on_canvas(view, 30), on_canvas(view, 120))
    assert context.cursor.selection == (110, 120)
    assert ended == [(30, 110), (110, 120)]
    assert context.cursor.t == 0
    qtbot.mouseClick(view.canvas, LEFT, pos=on_canvas(view, 110))
    assert context.cursor.t == 110  # no drag: a click as anywhere else
    assert context.cursor.selection == (110, 120)
    qtbot.mouseMove(view.canvas, on_canvas(view, 60))
    assert view.canvas.cursor().shape() == Qt.CursorShape.ArrowCursor


def test_the_wheel_zooms_round_the_pointer_and_only_when_it_is_meant(view):
    view.canvas.clearFocus()
    at = on_canvas(view, 60)
    assert not wheel(view.canvas, at)
    assert view.axisMode == "auto"
    assert wheel(view.canvas, at, notches=5, modifiers=CONTROL)
    assert view.axisMode == "manual"
    assert view.canvas.scale.last - view.canvas.scale.first < 100
    assert view.canvas.posOf(60).x() == pytest.approx(at.x(), abs=1)


def test_zoomed_clicks_are_exact_too(view, context, qtbot):
    wheel(view.canvas, on_canvas(view, 60), notches=8, modifiers=CONTROL)
    for t in (55, 60, 66):
        qtbot.mouseClick(view.canvas, LEFT, pos=on_canvas(view, t))
        assert context.cursor.t == t


def test_a_double_click_shows_the_whole_episode_again(view, qtbot):
    wheel(view.canvas, on_canvas(view, 60), notches=8, modifiers=CONTROL)
    qtbot.mouseDClick(view.canvas, LEFT, pos=on_canvas(view, 60))
    assert view.axisMode == "auto"
    assert (view.canvas.scale.first, view.canvas.scale.last) == (0, 137)


def test_the_overview_is_always_the_whole_episode(view, context, qtbot):
    wheel(view.canvas, on_canvas(view, 60), notches=8, modifiers=CONTROL)
    overview = view.canvas.overview
    middle = overview.geometry().center()
    place = QPoint(round(overview.scale.x(120)), middle.y())
    qtbot.mouseClick(view.canvas, LEFT, pos=place)
    assert context.cursor.t == 120


def test_a_cursor_that_leaves_a_zoomed_timeline_turns_the_page(view, context):
    wheel(view.canvas, on_canvas(view, 60), notches=8, modifiers=CONTROL)
    span = view.canvas.scale.last - view.canvas.scale.first
    context.cursor.seek(130)
    for _ in range(4):
        context.pulse.beat()
    scale = view.canvas.scale
    assert scale.first <= 130 <= scale.last
    assert scale.last - scale.first == pytest.approx(span)
    assert view.axisMode == "manual"


def test_pointing_shows_a_ghost_everywhere_and_tells_the_values(view, context, qtbot):
    with qtbot.waitSignal(context.cursor.hovered) as hovered:
        qtbot.mouseMove(view.canvas, on_canvas(view, 41))
        view.canvas.hovered.emit(41)
    assert hovered.args == [41]
    assert context.cursor.t == 0
    assert view.words(41).startswith("t 41: V(s) 41.5, importance 0.500, reward 1.00")
    assert "exploratory: chance chose" in view.words(45)


def test_each_lane_is_named_and_can_be_hidden(view):
    for name in ("value", "reward", "surprise", "importance", "actions", "marks"):
        lane = view.findChild(object, f"step.timeline.lane.{name}")
        assert lane.accessibleName()
        assert not lane.isHidden()
        view.findChild(object, f"act.plot.timeline.lane.{name}").trigger()
        assert lane.isHidden()
    assert view.canvas.posOf(3).y() > 0  # the overview is left


def test_the_others_are_drawn_anew_in_the_room_that_a_lane_leaves(view, qtbot):
    value, surprise = (it for it in view.canvas.lanes if it.name in LEFT_AND_STAYING)
    view.canvas.grab()
    before = value.height()
    surprise.hide()
    qtbot.waitUntil(lambda: value.height() > before)
    view.canvas.grab()
    drawn = value._kept
    assert drawn.height() / drawn.devicePixelRatio() == value.height()


def test_exploratory_actions_are_marked(view):
    lane = view.findChild(object, "step.timeline.lane.actions")
    np.testing.assert_array_equal(lane.explored, judged(137)["explored"])
    assert "exploratory" in view.plot.legend()


def test_a_long_episode_is_drawn_whole(context, client, qtbot):
    teach(client, steps=20_000)
    view = show(qtbot, TimelineView(context), 700, 360)
    context.cursor.show_episode("training", 9)
    for _ in range(4):
        context.pulse.beat()
    assert not view.grab().isNull()
    qtbot.mouseClick(view.canvas, LEFT, pos=view.canvas.posOf(12_345))
    assert context.cursor.t == pytest.approx(12_345, abs=20)


def test_without_numbers_the_lanes_are_empty_and_nothing_warns(context, client, qtbot):
    teach(client, steps=9)
    client.answers["judge_episode"] = lambda arguments: {
        "actions": np.zeros(9, np.int64),
        "rewards": np.zeros(9),
    }
    view = show(qtbot, TimelineView(context), 700, 360)
    context.cursor.show_episode("training", 9)
    for _ in range(4):
        context.pulse.beat()
    assert not view.grab().isNull()
    assert view.words(3).startswith("t 3: V(s) –")


def test_where_marks_have_no_room_the_telling_ones_stay(view, qtbot):
    lane = view.findChild(object, "step.timeline.lane.marks")
    lane.marks = ["?"] * 138
    lane.marks[50], lane.marks[51], lane.marks[137] = "!", "??", "T"
    shown = lane.shown()
    assert shown[:2] == [137, 51]
    assert 50 not in shown
    assert len(shown) < 60


def test_the_film_strip_is_asked_for_once_at_rest_and_gives_way(
    view, context, client, qtbot
):
    lane = view.canvas.lanes[0]
    qtbot.waitUntil(lambda: bool(strips(client)), timeout=REST_MS)
    wanted = strips(client)[-1].arguments
    assert wanted["every"] > 1
    assert 0 < wanted["max_size"] <= 200
    context.pulse.beat()
    assert lane.steps == list(range(0, 138, wanted["every"]))
    asked = len(strips(client))
    context.cursor.show_checkpoint(100)  # whoever judges, the pictures are these
    for _ in range(3):
        context.pulse.beat()
    assert lane.steps
    del client.answers["frames"]
    view.canvas.show_range(20, 60)
    context.pulse.beat()
    qtbot.waitUntil(lambda: len(strips(client)) > asked, timeout=REST_MS)
    context.cursor.seek(50)
    assert strips(client)[-1].id in {it.id for it in client.of(Cancel)}


def test_the_film_strip_comes_while_the_cursor_moves_by_itself(
    view, context, client, qtbot
):
    lane, before = view.canvas.lanes[0], len(strips(client))
    context.cursor.set_mode("following")
    context.cursor.place(episode=5, t=0)

    def there():
        context.cursor.place(t=context.cursor.t + 1)
        context.pulse.beat()
        return bool(lane.steps)

    qtbot.waitUntil(there, timeout=REST_MS)
    assert strips(client)[-1].arguments["episode"] == 5
    assert len(strips(client)) <= before + 2  # not anew with every step


def test_back_from_a_short_look_elsewhere_the_film_strip_is_there(
    view, context, client, qtbot
):
    lane, first = view.canvas.lanes[0], context.cursor.position.episode
    qtbot.waitUntil(lambda: context.pulse.beat() or bool(lane.steps), timeout=REST_MS)
    for episode in (first + 1, first):
        context.cursor.show_episode("training", episode)
        qtbot.waitUntil(
            lambda episode=episode: (
                context.pulse.beat() or context.episode.data.key[3] == episode
            )
        )
        context.pulse.beat()
    assert len(strips(client)) == 1
    assert lane.steps


def strips(client):
    return [it for it in client.questions("frames") if it.arguments.get("every", 1) > 1]


def test_an_environment_that_cannot_be_drawn_says_so_in_the_strip(
    view, context, client, qtbot
):
    client.answers["frames"] = lambda arguments: "It cannot be drawn."
    context.cursor.show_episode("training", 5)
    for _ in range(3):
        context.pulse.beat()
    qtbot.waitUntil(
        lambda: (context.pulse.beat(), view.canvas.lanes[0].sentence)[1] != "",
        timeout=REST_MS,
    )
    assert view.canvas.lanes[0].sentence == "It cannot be drawn."


@pytest.fixture
def noted(view, context, client, qtbot):
    """Bookmarks at 20 and 90, in a session of its own."""
    client.answers["views"] = lambda _: {
        "views": {
            "notes": {
                "bookmarks": [
                    {"id": f"b{t}", "kind": "training", "episode": 4, "t": t, "text": s}
                    for t, s in ((20, "about to fall"), (50, HOSTILE), (90, ""))
                ]
            }
        }
    }
    client.play(SessionStatus(uuid="s1", name="run"))
    context.pulse.beat()
    context.cursor.show_episode("training", 4)

    def with_pictures():
        context.pulse.beat()
        return context.episode.frame(50) is not None

    qtbot.waitUntil(with_pictures)
    return view


def test_a_click_near_a_flag_seeks_the_marked_step(noted, context, qtbot):
    lane = noted.findChild(object, "step.timeline.lane.notes")
    middle = lane.geometry().center().y()
    at = QPoint(round(noted.canvas.scale.x(20)) + 5, middle)
    qtbot.mouseClick(noted.canvas, LEFT, pos=at)
    assert context.cursor.t == 20
    assert "bookmark: about to fall" in noted.words(20)
    assert noted.words(90).endswith("bookmark")
    noted.canvas.hovered.emit(50)
    assert QToolTip.text().startswith("<qt>")
    assert "&lt;img src=/x&gt;\\u202e" in QToolTip.text()
    assert QToolTip.text().count("<img ") == 1  # the picture of the step itself
    assert '<img src="data:image/png;base64,' in QToolTip.text()
    away = QPoint(round(noted.canvas.scale.x(70)), middle)
    qtbot.mouseClick(noted.canvas, LEFT, pos=away)
    assert context.cursor.t == 70


def test_shift_and_a_drag_keep_a_loop_that_is_shown_and_undone(noted, context):
    canvas, shift = noted.canvas, Qt.KeyboardModifier.ShiftModifier
    before = noted.grab().toImage()
    drag(canvas, canvas.posOf(30), canvas.posOf(60), shift)
    assert canvas.scale.loop == (30, 60)
    assert [(it.first, it.last) for it in context.notes.kept.loops] == [(30, 60)]
    context.pulse.beat()
    assert noted.grab().toImage() != before
    drag(canvas, canvas.posOf(40), canvas.posOf(40), shift)
    assert (canvas.scale.loop, context.notes.kept.loops) == (None, [])
