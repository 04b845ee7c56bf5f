"""The learning curve: exact data, calm axes, a click that looks there."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.exceptions import TimeoutError as NoSignal
from showing import show, wheel

from engine.contract.messages import (
    EpisodeFinished,
    EvaluationFinished,
    Event,
    Scalars,
    SessionStatus,
    TrainerStatus,
)
from rllab_gui.plots.numbers import smoothed
from rllab_gui.views.curve import CurveView


def returns(values, first_step=0, first_episode=0):
    """Rows of the series ``return``: one episode each, a step for each reward."""
    values = np.asarray(values, float)
    steps = first_step + np.cumsum(values).astype(np.int64)
    rows = {
        "series": np.zeros(len(values), np.int16),
        "step": steps,
        "value": values,
        "wall_time": 1000.0 + steps / 50,
        "update": steps // 2,
        "episode": first_episode + np.arange(len(values)),
    }
    return Scalars(["return"], rows)


def evaluation(step, values):
    return EvaluationFinished(
        step, step // 2, np.array(values, float), np.ones(len(values))
    )


@pytest.fixture
def view(context, qtbot):
    return show(qtbot, CurveView(context))


@pytest.fixture
def play(context, client):
    def at_once(*messages):
        client.play(*messages)
        context.pulse.beat()

    return at_once


def test_before_the_first_episode_a_counter_lives(view, play):
    play(TrainerStatus("running", step=37))
    title = "First point after the first finished episode (now t = 37)."
    assert view.emptiness()[0] == title
    assert view.empty.findChild(object, "empty.title").text() == title
    play(TrainerStatus("running", step=38))
    assert "t = 38" in view.empty.findChild(object, "empty.title").text()


def test_the_model_is_what_was_sent(view, play):
    play(returns([10, 20, 30, 25]), evaluation(40, [50, 60, 100]))
    model = view.model()
    np.testing.assert_array_equal(model["raw"], [10, 20, 30, 25])
    np.testing.assert_array_equal(model["x"], [10, 30, 60, 85])
    np.testing.assert_allclose(model["smoothed"], smoothed([10, 20, 30, 25], 0.9))
    assert model["evaluation_x"].tolist() == [40]
    assert model["evaluation_mean"].tolist() == [70]
    assert model["evaluation_low"].tolist() == [50]
    assert model["evaluation_high"].tolist() == [100]


@pytest.mark.parametrize(
    ("clock", "expected", "evaluated"),
    [
        ("step", [10, 30, 60, 85], 45),
        ("episode", [0, 1, 2, 3], 1.5),
        ("update", [5, 15, 30, 42], 22.5),
        ("wall_time", [0, 20 / 3000, 50 / 3000, 75 / 3000], 35 / 3000),
    ],
)
def test_the_horizontal_axis_has_four_clocks(
    view, play, context, clock, expected, evaluated
):
    play(returns([10, 20, 30, 25]), evaluation(45, [70]))
    box = view._box
    box.setCurrentIndex(box.findData(clock))
    context.pulse.beat()
    np.testing.assert_allclose(view.model()["x"], expected, atol=1e-12)
    assert view.model()["evaluation_x"][0] == pytest.approx(evaluated)


def test_the_legend_says_smoothing_seeds_and_who_explored(view, play):
    play(returns([10, 20]), evaluation(25, [70, 80]))
    legend = view.plot.legend().replace("&nbsp;", " ")
    assert "EMA 0.9, de-biased" in legend
    assert "n = 1 seed" in legend
    assert "undiscounted" in legend
    assert "training episode, exploring, raw" in legend
    assert "greedy evaluation: mean, lowest to highest of 2" in legend


def test_raw_only_is_said_to_be_raw(view, play, context):
    play(returns([10, 20]))
    view.plot.set_smoothing(0.0)
    context.pulse.beat()
    np.testing.assert_array_equal(view.model()["smoothed"], [10, 20])
    assert "EMA" not in view.plot.legend()
    assert "raw, not smoothed" in view.plot.caption()


def test_ten_thousand_episodes_move_the_axis_at_most_five_times(view, play, context):
    rng = np.random.default_rng(0)
    level = 20 + 480 / (1 + np.exp(-(np.arange(10_000) - 2500) / 600))
    values = np.clip(level * rng.lognormal(0, 0.35, 10_000), 8, 500).round()
    tall = []
    view.plot.rangeMoved.connect(lambda: tall.append(view.plot.shown_range()[1]))
    for first in range(0, 10_000, 50):
        block = returns(values[first : first + 50], int(values[:first].sum()), first)
        play(block)
    changes = sum(one != other for one, other in pairwise(tall))
    assert 1 <= changes <= 5
    assert len(view.model()["raw"]) == 10_000


def test_after_a_zoom_data_move_neither_axis_nor_cursor(view, play, context):
    play(returns([10, 20, 30]))
    wheel(view.plot.canvas.viewport(), modifiers=Qt.KeyboardModifier.ControlModifier)
    assert view.axisMode == "manual"
    held, position = view.plot.shown_range(), context.cursor.position
    play(returns(np.full(500, 400.0), 60, 3), evaluation(9_000, [500]))
    assert view.plot.shown_range() == held
    assert context.cursor.position == position
    view.plot.set_auto(True)
    assert view.plot.shown_range() != held


def click(qtbot, view, x, y):
    at = view.plot.pixel_of(x, y)
    qtbot.mouseClick(view.plot.canvas.viewport(), Qt.MouseButton.LeftButton, pos=at)


def test_a_click_looks_at_the_nearest_episode(view, play, context, qtbot):
    play(returns(np.full(40, 50.0)))
    with qtbot.waitSignal(context.cursor.changed):
        click(qtbot, view, 1002, 20)  # episode 19 ended at step 1000
    position = context.cursor.position
    assert (position.kind, position.episode) == ("training", 19)
    context.pulse.beat()
    assert view.plot.cursor_x() == 1000
    assert context.cursor.mode == "paused"


def test_evaluations_of_another_session_take_the_place_of_the_old_ones(
    view, play, context
):
    play(returns([10, 20]), evaluation(25, [70, 80]), evaluation(30, [10]))
    for shown in ([evaluation(25, [1, 3])], [], [evaluation(25, [5])]):
        context.store.evaluations[:] = shown
        view.refresh()
        play()
        means = [float(it.returns.mean()) for it in shown]
        assert view.model()["evaluation_mean"].tolist() == means
        assert len(view._marks._diamonds.points()) == len(shown)


def test_evaluations_that_come_late_stand_at_their_step(view, play, context):
    play(*[evaluation(step, [1.0]) for step in (400, 200, 300)])
    assert [it.step for it in context.store.evaluations] == [200, 300, 400]
    assert list(view._marks.x) == [200, 300, 400]


def test_a_click_on_an_evaluation_looks_at_its_checkpoint(view, play, context, qtbot):
    play(
        returns(np.full(40, 50.0)),
        EpisodeFinished("evaluation", 7, 1500, 750, 80, 80.0, True, 1),
        evaluation(1500, [80.0]),
    )
    with qtbot.waitSignal(context.cursor.changed):
        click(qtbot, view, 1500, 80)
    position = context.cursor.position
    assert position.checkpoint == 1500
    assert (position.kind, position.episode) == ("evaluation", 7)


def test_an_evaluation_of_the_past_is_looked_up(view, play, context, client, qtbot):
    client.answers["episodes"] = lambda arguments: {
        "kind": ["training", "evaluation", "evaluation"],
        "episode": np.array([3, 11, 12]),
        "step": np.array([1500, 1400, 1500]),
    }
    play(returns(np.full(40, 50.0)), evaluation(1500, [80.0]))
    click(qtbot, view, 1500, 80)
    context.pulse.beat()
    position = context.cursor.position
    assert (position.kind, position.episode) == ("evaluation", 12)


def test_pointing_tells_and_does_not_seek(view, play, context, qtbot):
    play(returns(np.full(40, 50.0)))
    with pytest.raises(NoSignal), qtbot.waitSignal(context.cursor.changed, timeout=50):
        view.plot.pointed.emit(1002.0, 20.0)
    assert view._words_at(1002.0, 20.0).startswith("episode 19, step 1,000\nreturn 50")


def test_a_changed_option_is_a_tick_on_every_clock(view, play, context):
    change = Event("option", 30, "learning rate 0.001 → 0.0003", 1e9, {})
    play(returns([10, 20, 30]), change, Event("checkpoint", 40, "sealed", 1e9))
    assert [(m.x, m.text) for m in view.plot.markers.markers] == [
        (30.0, "step 30: learning rate 0.001 → 0.0003")
    ]
    view._box.setCurrentIndex(view._box.findData("episode"))
    context.pulse.beat()
    assert [m.x for m in view.plot.markers.markers] == [1.0]


def test_another_session_starts_a_new_curve(view, play, context):
    play(returns(np.full(2_000, 400.0)))
    view.plot.zoom_to((0, 1), (0, 1))
    play(SessionStatus(name="other", uuid="u2", live=True))
    assert view.axisMode == "auto"
    play(returns([10, 20]))
    np.testing.assert_array_equal(view.model()["raw"], [10, 20])
    assert view.plot.shown_range()[0] == (0, 50)


def test_the_sentence_gives_the_newest_numbers(view, play):
    play(returns([10, 20]), evaluation(25, [70, 80]))
    assert view.accessibleDescription() == (
        "Return 20.0 in episode 1, moving average 15.3. Greedy evaluation of "
        "checkpoint 25: mean 75.0, 70.0 to 80.0 in 2 episodes."
    )
