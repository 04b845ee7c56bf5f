"""The small computations behind the plots."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor

from rllab_gui.plots.evalbar import EvalBar
from rllab_gui.plots.numbers import (
    LONGEST,
    SMOOTHING_LIMIT,
    count,
    extent,
    fitting,
    log_extent,
    log_with_zero,
    short,
    shortest,
    smoothed,
    tick,
)
from rllab_gui.plots.polygons import polygon


def test_the_average_of_three_values_is_what_the_formula_says():
    # m: 1, 2.8, 4.52 with factor 0.9 and 10, 19 ... by hand:
    # m0 = .1*10 = 1; m1 = .9*1 + .1*20 = 2.9; m2 = .9*2.9 + .1*30 = 5.61
    # de-biased: 1/.1, 2.9/(1-.81), 5.61/(1-.729)
    expected = [10.0, 2.9 / 0.19, 5.61 / 0.271]
    assert smoothed([10.0, 20.0, 30.0], 0.9) == pytest.approx(expected)


def test_a_constant_stays_itself_from_the_first_value_on():
    assert smoothed(np.full(300, 7.0), 0.99) == pytest.approx(np.full(300, 7.0))


@pytest.mark.parametrize("factor", [0.01, 0.5, 0.9, 0.99])
def test_blocks_give_the_same_as_one_value_after_the_other(factor):
    data = np.random.default_rng(0).normal(size=1000) * 100
    data[[0, 5, 77]] = math.nan
    mean = weight = 0.0
    expected = []
    for value in data:
        if math.isfinite(value):
            mean = factor * mean + (1 - factor) * value
            weight = factor * weight + (1 - factor)
        expected.append(mean / weight if weight else math.nan)
    np.testing.assert_allclose(smoothed(data, factor), expected, rtol=1e-12)


def test_no_smoothing_gives_the_data_back():
    data = np.array([3.0, math.nan, 1.0])
    np.testing.assert_array_equal(smoothed(data, 0.0), data)


def test_too_strong_smoothing_is_limited():
    data = np.arange(50.0)
    np.testing.assert_array_equal(smoothed(data, 1.0), smoothed(data, SMOOTHING_LIMIT))


def test_zeros_and_below_sit_at_the_floor_and_nan_stays():
    found = log_with_zero([100.0, 1.0, 0.0, -3.0, math.nan], floor=-4.5)
    np.testing.assert_array_equal(found, [2.0, 0.0, -4.5, -4.5, math.nan])


def test_extents_leave_out_what_is_not_a_number():
    assert extent([math.nan, 2.0, math.inf, -1.0]) == (-1.0, 2.0)
    assert extent([math.nan]) is None
    assert log_extent([0.0, 0.01, 100.0]) == (-2.0, 2.0)
    assert log_extent([0.0, -1.0]) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (61.23, "61.2"),
        (-1.4, "−1.40"),
        (0.0125, "0.0125"),
        (1e-5, "1.00e-5"),
        (12345.0, "12,345"),
        (math.nan, "–"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_are_short_and_have_a_true_minus(value, text):
    assert short(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.50"),
        (-1.5, "−1.5"),
        (8.5e-4, "8.5e-4"),
        (-8.7e-4, "−9e-4"),
        (-123_456.0, "−1e5"),
        (1.94e8, "1.9e8"),
        (-2e-10, "−2e-10"),
        (0.0, "0.0"),
    ],
)
def test_in_the_smallest_places_the_sign_and_the_size_are_kept(value, text):
    assert shortest(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-500.0, "−500"),
        (-12_345.0, "−12,345"),
        (123_456.0, "123,456"),
        (-123_456.0, "−1.23e5"),
        (0.0125, "0.0125"),
        (-4.78e-12, "−5e-12"),
        (math.nan, "–"),
    ],
)
def test_in_a_narrow_column_a_number_is_as_exact_as_it_has_room_for(value, text):
    assert fitting(value) == text


@given(st.floats(-1e99, 1e99))
def test_no_number_is_longer_than_its_narrow_column(value):
    assert len(fitting(value)) <= len(LONGEST)


def test_whole_numbers_and_ticks_have_a_true_minus_and_exponents_do_not():
    assert (count(-1234), tick(-100.0), tick(-2e3)) == ("−1,234", "−100", "−2k")
    assert (tick(1e-7), tick(-2.5e-7)) == ("1e-7", "−2.5e-7")


@given(st.floats(-1e12, 1e12))
def test_the_shortest_form_has_six_characters_at_most(value):
    assert len(shortest(value)) <= 6 or abs(value) < 1e-99


def test_ticks_are_counted_in_thousands_and_millions():
    assert [tick(v) for v in (500, 20_000, 1_500_000)] == ["500", "20k", "1.5M"]


def test_no_points_are_an_empty_polygon():
    assert polygon(np.empty(0), np.empty(0)).isEmpty()
    assert polygon(np.array([1.0, 2.0]), np.array([3.0, 4.0])).at(1) == QPointF(2, 4)


@pytest.mark.parametrize(
    ("height", "room"), [(160, (True, True)), (70, (True, False)), (40, (False, False))]
)
def test_the_value_column_keeps_room_for_itself(qtbot, theme, height, room):
    bar = EvalBar(theme)
    qtbot.addWidget(bar)
    bar.resize(52, theme.px(height))
    bar.set_value(3.0, -1.0, 12.5)
    assert bar._has_room() == room
    column = QColor(theme.colour(0))
    picture = bar.grab().toImage()
    middle = [picture.pixelColor(26, y) for y in range(picture.height())]
    assert column in middle
