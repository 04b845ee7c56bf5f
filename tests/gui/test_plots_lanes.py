"""Lanes: nothing remarkable gets lost between pixels."""

import numpy as np
import pytest

from rllab_gui.plots.bars import Bars
from rllab_gui.plots.lane_kinds import LineLane, RibbonLane, apart, envelope, largest_of
from rllab_gui.plots.lanes import TimeScale
from rllab_gui.plots.picture import enlargement


def test_few_steps_are_drawn_as_they_are():
    values = np.array([3.0, 1.0, 2.0])
    steps, shown = envelope(values, 0, 3, 100)
    np.testing.assert_array_equal(steps, [0, 1, 2])
    np.testing.assert_array_equal(shown, values)


def test_many_steps_keep_their_extremes_and_their_place():
    values = np.zeros(100_000)
    values[77_777], values[10] = 5.0, -3.0
    steps, shown = envelope(values, 0, len(values), 800)
    assert len(shown) < 3_000
    assert (shown.max(), shown.min()) == (5.0, -3.0)
    assert abs(steps[shown.argmax()] - 77_777) <= 125
    assert np.all(np.diff(steps) >= 0)


def test_only_the_visible_part_is_used():
    values = np.arange(1000.0)
    steps, shown = envelope(values, 400, 410, 100)
    np.testing.assert_array_equal(shown, np.arange(400.0, 410.0))
    np.testing.assert_array_equal(steps, shown)


def test_of_each_stretch_the_largest_is_kept_and_nan_is_not():
    sizes = np.array([1.0, 9.0, np.nan, 2.0, 0.5, 0.4])
    np.testing.assert_array_equal(largest_of(sizes, 3), [1, 3, 4])


def test_ends_of_a_scale_have_the_digits_that_tell_them_apart(qapp, theme):
    lane = LineLane("value", "value", theme, TimeScale(0, 2, 60, 200))
    lane.resize(200, 60)
    lane.set_values(np.array([-0.03187, -0.03191]))
    assert lane.ends() == ("−0.03187", "−0.03191")
    lane.set_values(np.array([0.0, 4.78e7]))
    assert lane.ends() == ("4.78e7", "0.00")
    lane.set_values(np.full(3, np.nan))
    assert lane.ends() == ("", "")
    assert not lane.grab().isNull()


def test_dice_that_would_meet_are_strokes():
    places = np.array([0.0, 30.0, 35.0, 60.0, 70.0])
    assert apart(places, 10.0).tolist() == [True, False, False, True, True]
    assert apart(np.array([5.0]), 10.0).tolist() == [True]
    assert apart(np.empty(0), 10.0).tolist() == []


def test_actions_too_many_to_be_told_apart_are_shares(qapp, theme):
    lane = RibbonLane("actions", "actions", theme, TimeScale(0, 400, 0, 400))
    lane.resize(400, 30)
    lane.set_values(np.tile([0, 0, 0, 1], 100))
    assert lane._is_dense(0, 400)
    shares = lane._shares(0, 400)
    high = {action: sum(it.height() for it in shares[action]) for action in shares}
    assert high[0] == pytest.approx(3 * high[1], rel=0.1)
    assert shares[0][0].bottom() == pytest.approx(lane.inside().bottom())
    assert shares[1][0].bottom() == pytest.approx(shares[0][0].top())
    lane.scale.last = 20
    assert not lane._is_dense(0, 20)
    assert not lane.grab().isNull()


def test_steps_and_pixels_are_each_others_inverse():
    scale = TimeScale(first=100, last=300, left=50, right=450)
    assert scale.x(100) == 50
    assert scale.x(300) == 450
    assert scale.t(scale.x(217)) == pytest.approx(217)
    assert scale.seen(1000) == (99, 302)
    assert scale.seen(200) == (99, 200)


@pytest.mark.parametrize(
    ("size", "room", "factor"),
    [
        ((84, 84), (500, 300), 3.0),  # 3.57 times would fit: whole, sharp
        ((160, 210), (640, 1000), 4.0),
        ((600, 400), (300, 300), 0.5),  # smaller than itself: to fit
        ((600, 400), (1100, 1100), pytest.approx(1100 / 600)),  # 1 would waste it
        ((600, 400), (700, 700), 1.0),
    ],
)
def test_pictures_are_enlarged_by_whole_factors_where_that_fills_the_room(
    size, room, factor
):
    assert enlargement(*size, *room) == factor


def test_bars_know_the_greedy_action_and_whether_there_is_a_value_head():
    bars = Bars(names=("a", "b"), q=np.array([1.0, 3.0]), value_head=2.0)
    assert bars.best == 1
    assert bars.dueling
    assert Bars().best == -1
    assert not Bars().dueling
