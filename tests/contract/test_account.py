"""What was always timed, and what the steps stand for that were taken apart."""

import pytest

from engine.contract.account import OTHER, STAGES, UNWATCHED, Spent, Stopwatch


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_stopwatch_sums_up_what_each_stage_took():
    clock = Clock()
    watch = Stopwatch(clock)
    watch.lap("act")  # nothing counts before it goes
    clock.now = 5.0
    watch.go()
    clock.now = 6.0
    watch.lap("act")
    clock.now = 6.5
    watch.rest("update")
    clock.now = 9.0
    watch.lap("act")
    assert watch.spent == {"act": 1.0, "update": 0.5}


def test_what_is_not_always_timed_is_shared_out_as_in_the_steps_taken_apart():
    spent = Spent(10.0, {"waiting": 2.0}, {"act": 0.3, "update": 0.1}, steps=4)
    assert spent.stages() == pytest.approx({"waiting": 2.0, "act": 6.0, "update": 2.0})


def test_without_a_step_taken_apart_nothing_is_claimed_about_stages():
    assert Spent(3.0, {"waiting": 1.0}).stages() == {"waiting": 1.0, OTHER: 2.0}
    assert Spent().stages() == {}


def test_of_two_moments_only_what_lies_between_counts():
    earlier = Spent(4.0, {"waiting": 1.0}, {"act": 0.2}, 3)
    later = Spent(9.0, {"waiting": 1.5}, {"act": 0.5, "update": 0.1}, 5)
    found = later.since(earlier)
    assert (found.whole, found.steps) == (5.0, 2)
    assert found.exact == {"waiting": 0.5}
    assert found.sampled == pytest.approx({"act": 0.3, "update": 0.1})


def test_every_stage_is_explained():
    assert all(len(meaning) > 10 for meaning in STAGES.values())
    UNWATCHED.lap("act")
