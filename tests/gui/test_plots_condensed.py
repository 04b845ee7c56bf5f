"""A condensed series shows the same line, in as few points as a screen can show."""

import numpy as np
import pytest

from rllab_gui.plots.condensed import MOST_GROUPS, MOST_RAW, Condensed
from rllab_gui.plots.numbers import smoothed

MOST_POINTS = 4 * MOST_GROUPS


def series(count, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(size=count)
    values[rng.integers(0, count, 5)] = np.nan
    return np.arange(count, dtype=float), values


def in_parts(x, y, factor, seed=1):
    """Taken in as rows arrive: a few at a time."""
    found, rng, at = Condensed(), np.random.default_rng(seed), 0
    while at < len(x):
        at = min(len(x), at + int(rng.integers(1, 3_000)))
        found.take(x[:at], y[:at], factor)
    return found


def test_few_rows_are_shown_as_they_are():
    x, y = series(MOST_RAW)
    found = in_parts(x, y, 0.9)
    np.testing.assert_array_equal(found.x, x)
    np.testing.assert_array_equal(found.y, y)
    np.testing.assert_allclose(found.mean, smoothed(y, 0.9), rtol=1e-9)


@pytest.mark.parametrize("count", [5_000, 17_001, 60_000, 200_003])
@pytest.mark.parametrize("factor", [0.0, 0.9, 0.99])
def test_the_average_is_that_of_all_rows(count, factor):
    x, y = series(count)
    found = in_parts(x, y, factor)
    whole = smoothed(y, factor)[found.mean_x.astype(int)]
    np.testing.assert_allclose(found.mean, whole, rtol=1e-9)


@pytest.mark.parametrize("count", [5_000, 60_000, 200_003])
def test_no_peak_is_lost_and_the_points_are_few_and_in_order(count):
    x, y = series(count)
    found = in_parts(x, y, 0.9)
    assert np.nanmax(found.y) == np.nanmax(y)
    assert np.nanmin(found.y) == np.nanmin(y)
    assert len(found.x) <= MOST_POINTS + count // MOST_GROUPS
    assert np.all(np.diff(found.x) > 0)
    np.testing.assert_array_equal(y[found.x.astype(int)], found.y)
    assert found.x[-1] == x[-1]


def test_the_resolution_is_even_over_the_whole_run():
    x, y = series(200_000)
    found = in_parts(x, y, 0.9)
    first, second = np.histogram(found.x, bins=2)[0]
    assert 0.8 < first / second < 1.25


def test_old_rows_are_not_looked_at_again():
    x, y = series(50_000)
    found = in_parts(x, y, 0.9)
    y[1:10_000] = 1e9
    found.take(np.append(x, 50_000.0), np.append(y, 1.0), 0.9)
    assert np.nanmax(found.y) < 1e9


@pytest.mark.parametrize("change", ["shorter", "clock", "factor"])
def test_another_series_is_begun_anew(change):
    x, y = series(30_000)
    found = in_parts(x, y, 0.9)
    x, y, factor = {
        "shorter": (x[:9_000], y[:9_000], 0.9),
        "clock": (x / 60.0 + 1.0, y, 0.9),
        "factor": (x, y, 0.5),
    }[change]
    found.take(x, y, factor)
    fresh = Condensed()
    fresh.take(x, y, factor)
    np.testing.assert_array_equal(found.x, fresh.x)
    np.testing.assert_array_equal(found.mean, fresh.mean)
