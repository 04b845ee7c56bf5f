"""Axes move seldom, outwards, and in round numbers."""

import numpy as np
import pytest

from rllab_gui.plots.ranges import (
    FINE,
    Exact,
    Fixed,
    GrowingCount,
    GrowingDecades,
    GrowingSpan,
    round_up,
)


def cartpole_returns(count=10_000):
    """Returns as CartPole gives them: from 20 up to 500, with setbacks."""
    rng = np.random.default_rng(3)
    level = 20 + 480 / (1 + np.exp(-(np.arange(count) - 2500) / 600))
    return np.clip(level * rng.lognormal(0, 0.35, count), 8, 500).round()


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (0.3, 0.5), (1, 1), (7, 10), (201, 500), (2000, 2000)],
)
def test_numbers_are_rounded_up_to_one_two_or_five(value, expected):
    assert round_up(value) == pytest.approx(expected)


def test_fine_steps_leave_less_room():
    assert round_up(61, FINE) == pytest.approx(80)


def test_x_grows_in_one_two_five_and_three_times_a_decade():
    axis = GrowingCount()
    ends = [axis.range[1] for step in range(1, 10_001) if axis.include(0, step)]
    assert ends == [20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]


def test_y_changes_at_most_five_times_in_ten_thousand_episodes():
    axis = GrowingSpan(anchor=0.0)
    returns = cartpole_returns()
    changes = sum(axis.include(value, value) for value in returns)
    assert changes <= 5
    assert axis.range[0] <= 0
    assert axis.range[1] >= returns.max()


@pytest.mark.parametrize("anchor", [0.0, None])
def test_y_never_shrinks_and_always_shows_what_was_seen(anchor):
    rng = np.random.default_rng(1)
    axis = GrowingSpan(anchor=anchor)
    low, high = np.inf, -np.inf
    last = None
    for value in rng.normal(0, 1, 500) * rng.lognormal(0, 2, 500):
        axis.include(value, value)
        low, high = min(low, value), max(high, value)
        assert axis.range[0] <= low
        assert axis.range[1] >= high
        if last is not None:
            assert axis.range[0] <= last[0]
            assert axis.range[1] >= last[1]
        last = axis.range


def test_a_plain_axis_leaves_five_percent_free():
    axis = GrowingSpan(anchor=None)
    axis.include(10.0, 20.0)
    assert axis.range == pytest.approx((9.5, 20.5))


def test_an_axis_forgets_when_it_starts_again():
    axis = GrowingSpan()
    axis.include(0, 1000)
    axis.reset()
    axis.include(0, 1)
    assert axis.range == pytest.approx((-0.05, 1.05))


def test_decades_grow_by_whole_ones():
    axis = GrowingDecades()
    assert axis.include(-1.2, 0.4)
    assert axis.range == (-2, 1)
    assert not axis.include(-1.9, 0.9)
    assert axis.include(-2.1, 0.0)
    assert axis.range == (-3, 1)


def test_what_is_not_finite_moves_no_axis():
    for axis in (GrowingSpan(), GrowingDecades(), Exact()):
        before = axis.range
        assert not axis.include(float("nan"), 1.0)
        assert not axis.include(0.0, float("inf"))
        assert axis.range == before


def test_a_fixed_axis_stays_and_an_exact_one_follows():
    fixed, exact = Fixed(0, 1), Exact()
    assert not fixed.include(-5, 5)
    assert fixed.range == (0, 1)
    assert exact.include(3, 8)
    assert exact.range == (3, 8)
    assert exact.include(4, 5)
    assert exact.range == (4, 5)


def test_a_count_ends_at_its_goal_instead_of_the_next_round_number():
    axis = GrowingCount(goal=lambda: 30_000.0)
    axis.include(0, 12_000)
    assert axis.range == (0.0, 20_000.0)
    axis.include(0, 20_001)
    assert axis.range == (0.0, 30_000.0)
    axis.include(0, 30_001)
    assert axis.range == (0.0, 50_000.0)
