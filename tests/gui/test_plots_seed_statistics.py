"""The middle of several seeds, by hand and by its limits."""

import numpy as np

from rllab_gui.plots.seed_statistics import interval, middle


def test_few_seeds_have_a_mean_and_no_interval():
    values = np.array([[1.0, 2.0], [3.0, 4.0], [8.0, 0.0]])
    np.testing.assert_allclose(middle(values), [4.0, 2.0])
    assert interval(values) is None


def test_the_middle_half_counts_and_its_rim_in_part():
    four = np.array([[100.0], [2.0], [4.0], [-50.0]])
    np.testing.assert_allclose(middle(four), [3.0])
    # Of five, a quarter is one seed and a quarter of the next.
    five = np.array([[0.0], [10.0], [20.0], [30.0], [1000.0]])
    by_hand = (0.75 * 10 + 20 + 0.75 * 30) / 2.5
    np.testing.assert_allclose(middle(five), [by_hand])


def test_an_interval_holds_the_middle_and_is_the_same_each_time():
    values = np.random.default_rng(1).normal(50.0, 10.0, (12, 30))
    low, high = interval(values)
    assert (low <= middle(values)).all()
    assert (middle(values) <= high).all()
    np.testing.assert_array_equal(interval(values), (low, high))
    wide, narrow = np.tile(values, (1, 1)), np.tile(values, (4, 1))
    spans = [np.subtract(*interval(it)[::-1]).mean() for it in (wide, narrow)]
    assert spans[1] < spans[0], "more seeds, a narrower interval"


def test_seeds_that_agree_leave_no_doubt():
    low, high = interval(np.full((6, 3), 7.0))
    np.testing.assert_allclose([low, high], 7.0)
