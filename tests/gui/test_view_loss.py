"""Loss and errors: one row each, a place for zeros, shares on their own axis."""

import numpy as np
import pytest
import script
from showing import show

from engine.contract.messages import Event, Scalars, TrainerStatus
from engine.contract.options import Configuration
from rllab_gui.views.loss import LossView

NEXT_ROW = {
    "series": 0,
    "step": 40_001,
    "value": 0.5,
    "wall_time": 400.0,
    "update": 40_001,
    "episode": 4_000,
}


def rows(**series):
    """Rows of several series, a hundred steps apart."""
    columns = {"series": [], "step": [], "value": []}
    for number, values in enumerate(series.values()):
        columns["series"] += [number] * len(values)
        columns["step"] += [100 * (i + 1) for i in range(len(values))]
        columns["value"] += list(values)
    arrays = {
        "series": np.array(columns["series"], np.int16),
        "step": np.array(columns["step"], np.int64),
        "value": np.array(columns["value"], np.float64),
    }
    count = len(arrays["step"])
    arrays |= {
        "wall_time": np.arange(count, dtype=float),
        "update": arrays["step"],
        "episode": arrays["step"] // 10,
    }
    return Scalars(list(series), arrays)


@pytest.fixture
def view(context, qtbot):
    return show(qtbot, LossView(context))


@pytest.fixture
def play(context, client):
    def at_once(*messages):
        client.play(*messages)
        context.pulse.beat()

    return at_once


def test_before_the_first_update_there_is_a_sentence(view, play):
    play(TrainerStatus("running", step=10))
    assert view.emptiness()[0] == "No update yet."
    play(rows(loss=[1.0]))
    assert view.emptiness() is None


def test_the_model_is_what_was_sent(view, play):
    play(rows(loss=[1.0, 0.5, 0.0], td_error=[2.0, 1.0, 0.5], gradient_norm=[9, 8, 7]))
    model = view.model()
    np.testing.assert_array_equal(model["loss"], [1.0, 0.5, 0.0])
    np.testing.assert_array_equal(model["loss_x"], [100, 200, 300])
    np.testing.assert_array_equal(model["td_error"], [2.0, 1.0, 0.5])
    np.testing.assert_array_equal(model["gradient_norm"], [9, 8, 7])
    assert "td_error_max" not in model
    assert "epsilon" not in model


def test_zeros_sit_apart_and_nothing_warns(view, play):
    play(rows(loss=[1.0, 0.0, 0.01]))
    behind, front = view._lines["loss"]
    np.testing.assert_allclose(
        behind.getOriginalDataset()[1], [0.0, view.plot.floor, -2.0], atol=1e-12
    )
    assert view.plot.floor < -2
    assert np.isfinite(front.getOriginalDataset()[1]).all()
    assert not view.grab().isNull()


def test_a_linear_axis_shows_the_values_themselves(view, play, context):
    play(rows(loss=[1.0, 0.0, 0.01]))
    view.plot.header.findChild(object, "plot.loss.log").click()
    context.pulse.beat()
    behind, _ = view._lines["loss"]
    np.testing.assert_array_equal(behind.getOriginalDataset()[1], [1.0, 0.0, 0.01])


def test_a_series_is_chosen_in_the_header(view, play, context):
    play(rows(loss=[1.0], td_error_max=[3.0]))
    button = view.plot.header.findChild(object, "plot.loss.series")
    action = view.findChild(object, "act.plot.loss.series.td_error_max")
    assert action in button.menu().actions()
    action.trigger()
    context.pulse.beat()
    assert view.model()["td_error_max"].tolist() == [3.0]
    view.findChild(object, "act.plot.loss.series.loss").trigger()
    context.pulse.beat()
    assert "loss" not in view.model()


def test_epsilon_and_learning_rate_have_an_axis_of_shares(view, play, context):
    play(rows(loss=[1.0], epsilon=[0.5], learning_rate=[1e-3]))
    assert not view._right_axis.isVisible()
    view.show_series("epsilon", True)
    view.show_series("learning_rate", True)
    context.pulse.beat()
    assert view._right_axis.isVisible()
    assert view._lines["epsilon"][0].getData()[1].tolist() == [0.5]
    assert view._lines["learning_rate"][0].getData()[1].tolist() == [1.0]
    legend = view.plot.legend().replace("&nbsp;", " ")
    assert "learning rate (right axis, 1 = 0.00100)" in legend


def test_changes_are_ticks_here_too(view, play):
    play(rows(loss=[1.0]), Event("option", 100, "β 0.4 → 0.6", 1e9, {}))
    assert [m.text for m in view.plot.markers.markers] == ["step 100: β 0.4 → 0.6"]


def test_what_is_not_a_number_is_left_out(view, play):
    play(rows(loss=[1.0, float("nan"), 2.0]))
    assert not view.grab().isNull()
    assert view.model()["loss_smoothed"][1] == 1.0


def test_the_horizontal_axis_is_chosen_in_the_same_menu(view, play, context):
    play(rows(loss=[1.0, 0.5]))
    view.findChild(object, "act.plot.loss.clock.episode").trigger()
    context.pulse.beat()
    np.testing.assert_array_equal(view.model()["loss_x"], [10, 20])


def test_series_that_judge_a_method_are_shown_by_themselves(view, play, context):
    play(rows(loss=[1.0], masked=[0.25], model_error=[3.0], q_mean=[1.0]))
    play()
    assert view.model()["model_error"].tolist() == [3.0]
    assert view._right_axis.isVisible()
    assert view._lines["masked"][0].getData()[1].tolist() == [0.25]
    legend = view.plot.legend().replace("&nbsp;", " ")
    assert "masked share (right axis, 1 = 1.00)" in legend
    assert "model error" in legend


def test_what_the_agent_expects_can_be_chosen_and_is_explained(view, play, context):
    play(rows(loss=[1.0], q_mean=[5.0], q_max=[9.0]))
    assert "q_mean" not in view.model()
    action = view.findChild(object, "act.plot.loss.series.q_mean")
    assert "V(s) = max_a Q(s,a)" in action.toolTip()
    action.trigger()
    view.findChild(object, "act.plot.loss.series.q_max").trigger()
    context.pulse.beat()
    assert view.model()["q_mean"].tolist() == [5.0]
    assert view.model()["q_max"].tolist() == [9.0]


def test_another_session_begins_without_the_series_of_the_old_one(view, play, context):
    play(rows(loss=[1.0], masked=[0.25], surprise=[3.0]))
    view.show_series("masked", True)
    view.show_series("surprise", True)
    play(script.session(Configuration()))
    assert view.findChild(object, "act.plot.loss.series.surprise") is None
    play(rows(loss=[1.0], surprise=[4.0]))
    view.findChild(object, "act.plot.loss.series.surprise").trigger()
    context.pulse.beat()
    assert view.model()["surprise"].tolist() == [4.0]


def test_a_view_that_is_opened_later_knows_them_as_well(play, context, qtbot):
    play(rows(loss=[1.0], masked=[0.25]))
    view = show(qtbot, LossView(context))
    assert view.findChild(object, "act.plot.loss.series.masked") is not None


def test_a_row_that_moves_no_pixel_waits_for_the_next(view, play, context):
    play(rows(loss=np.linspace(1.0, 0.5, 400)))
    drawn = view.revision
    columns = {name: np.array([value]) for name, value in NEXT_ROW.items()}
    play(Scalars(["loss"], columns))
    assert view.revision == drawn
    columns["step"] = columns["step"] + 2_000
    play(Scalars(["loss"], columns))
    assert view.revision == drawn + 1
    assert len(view.model()["loss"]) == 402
