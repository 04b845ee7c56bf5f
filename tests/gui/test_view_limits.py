"""From where on a step is remarkable, and what is said about it."""

import numpy as np
import pytest
from pictures import judged

from rllab_gui.views.episode_model import episode_from
from rllab_gui.views.limits import MOST_EPISODES, SessionLimits, Values, limits_of


def values(*importance):
    wide = np.asarray(importance, float)
    return Values(wide / 10, wide, wide - wide.mean())


def test_limits_are_percentiles_of_all_episodes_that_were_judged_alike():
    known = SessionLimits()
    rng = np.random.default_rng(0)
    first, second, other = (values(*rng.normal(size=200) ** 2) for _ in range(3))
    known.with_episode(("s", -1, "training", 1), first, counts=True)
    known.with_episode(("s", 500, "training", 1), other, counts=True)
    found = known.with_episode(("s", -1, "training", 2), second, counts=True)
    both = np.concatenate([first.importance, second.importance])
    assert found.importance == pytest.approx(np.percentile(both, 95))
    td = np.concatenate([first.td_error, second.td_error])
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(td, [2, 98])))
    assert (found.episodes, found.steps) == (2, 400)
    again = known.with_episode(("s", -1, "training", 2), second, counts=True)
    assert again == found  # an episode counts once
    branch = known.with_episode(("s", -1, "branch", 9), other, counts=False)
    assert branch == found  # what was never recorded does not count
    fresh = known.with_episode(("s2", -1, "training", 2), second, counts=True)
    assert (fresh.episodes, fresh.steps) == (1, 200)


def test_limits_are_the_same_as_computed_anew_however_episodes_come_and_go():
    known, rng = SessionLimits(), np.random.default_rng(1)
    held = {}
    for _ in range(3 * MOST_EPISODES):
        number = int(rng.integers(2 * MOST_EPISODES))
        # Few different numbers, so that many are equal, and some that are none.
        some = rng.choice([0.0, 0.5, 1.0, 2.0, np.nan], size=int(rng.integers(9)))
        it = Values(some / 10, some, -some)
        held.pop(number, None)
        held[number] = it
        for _ in range(len(held) - MOST_EPISODES):
            held.pop(next(iter(held)))
        found = known.with_episode(("s", 5, "training", number), it, counts=True)
        together = [np.concatenate(part) for part in zip(*held.values(), strict=True)]
        gap, importance, td_error = (part[np.isfinite(part)] for part in together)
        wanted = [[gap, 5], [importance, 95], [td_error, 2], [td_error, 98]]
        expected = [np.percentile(*it) if len(it[0]) else np.nan for it in wanted]
        got = [found.gap, found.importance, found.low, found.high]
        np.testing.assert_allclose(got, expected, atol=1e-12)
        assert found.episodes == len(held)


def test_a_long_look_round_is_bounded():
    known = SessionLimits()
    for number in range(MOST_EPISODES + 20):
        found = known.with_episode(
            ("s", -1, "training", number), values(*range(10_000)), counts=True
        )
    assert found.episodes == MOST_EPISODES
    assert found.steps <= 500 * MOST_EPISODES
    assert found.importance == pytest.approx(9_500, rel=0.01)


def test_nothing_known_marks_nothing_and_warns_of_nothing():
    nothing = Values(np.empty(0), np.empty(0), np.empty(0))
    assert np.isnan(limits_of(nothing).importance)
    blank = Values(np.full(3, np.nan), np.full(3, np.nan), np.full(3, np.nan))
    assert np.isnan(limits_of(blank).high)


def test_a_mark_says_its_number_and_what_it_was_computed_over():
    answer = judged(100)
    answer["td_error"] = np.zeros(100)
    answer["td_error"][7] = -4.0
    shown = episode_from(("s", -1, "training", 4), answer)
    words = shown.mark_words(7)
    assert words.startswith("worse than expected: δ is below ")
    assert words.endswith("of 1 episode of this session judged so far (100 steps)")
    assert shown.mark_words(100) == ""
