import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.sessions.thinning import thin_curve, thin_steps

VALUES = st.floats(allow_infinity=False, width=32)


@given(st.lists(VALUES, min_size=1, max_size=300), st.integers(4, 60))
def test_a_thinned_curve_keeps_ends_and_extremes(values, limit):
    curve = np.array(values)
    picked = thin_curve(curve, limit)
    assert len(picked) <= limit or len(curve) <= limit
    assert picked[0] == 0
    assert picked[-1] == len(curve) - 1
    assert np.all(np.diff(picked) > 0)
    if not np.isnan(curve).all():
        assert np.nanmax(curve[picked]) == np.nanmax(curve)
        assert np.nanmin(curve[picked]) == np.nanmin(curve)


def test_zero_asks_for_everything():
    assert thin_curve(np.arange(1000.0), 0).tolist() == list(range(1000))


@given(
    st.lists(st.integers(0, 10_000), min_size=3, max_size=80, unique=True).map(sorted),
    st.integers(3, 40),
    st.data(),
)
def test_thinned_steps_keep_what_is_protected(steps, limit, data):
    protect = set(data.draw(st.lists(st.sampled_from(steps), max_size=3)))
    gone = thin_steps(steps, limit, protect)
    left = set(steps) - set(gone)
    assert protect | {steps[0], steps[-1]} <= left
    assert len(left) == min(len(steps), limit) or len(left) <= len(protect) + 2


def test_thinning_as_they_come_leaves_an_even_spread():
    steps = []
    for step in range(0, 100_000, 100):
        steps.append(step)
        gone = thin_steps(steps, 50, set(steps[-3:]))
        steps = [it for it in steps if it not in gone]
    gaps = np.diff(steps)
    assert len(steps) == 50
    assert gaps.max() <= 4 * np.median(gaps)
