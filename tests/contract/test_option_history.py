"""What the options of a run were at each step, from what was told of their changes."""

from __future__ import annotations

import itertools

from engine.contract.messages import Event
from engine.contract.options import Configuration, OptionHistory

START = Configuration().with_options({"agent.discount": 0.9, "agent.double": False})


def change(step: int, key: str, value: object, wall_time: float = 0.0) -> Event:
    return Event("option", step, "", wall_time, {"key": key, "old": 0, "new": value})


CHANGES = (
    change(10, "agent.discount", 0.8, 1.0),
    change(10, "agent.discount", 0.7, 2.0),
    change(10, "agent.discount", 0.8, 3.0),
    change(20, "agent.double", True, 4.0),
)


def test_each_step_has_the_options_with_which_it_was_made() -> None:
    history = OptionHistory(START, CHANGES)
    steps = (10, 11)
    found = [(history.at(it).agent.discount, history.count(it)) for it in steps]
    assert found == [(0.9, 0), (0.8, 3)]
    assert [history.at(it).agent.double for it in (20, 21, None)] == [False, True, True]


def test_the_order_in_which_it_is_told_makes_no_difference() -> None:
    for told in itertools.permutations((*CHANGES, CHANGES[1])):
        history = OptionHistory(START)
        for event in told:
            history.at()
            history.note(event)
        assert history.count() == 4
        assert history.at(11).agent.discount == 0.8
        assert history.at(10) == START


def test_what_comes_after_a_cut_counts_no_more() -> None:
    history = OptionHistory(START, CHANGES)
    assert history.at().agent.double
    history.cut(15)
    assert not history.at().agent.double
    history.note(change(17, "agent.discount", 0.5, 5.0))
    assert history.at(30).agent.discount == 0.5


def test_other_events_and_what_is_refused_are_left_out() -> None:
    history = OptionHistory(
        START,
        [
            Event("state", 5, "Paused.", 0.0),
            Event("option", 5, "", 0.0, {"key": "agent.discount"}),
            change(6, "agent.discount", 7.0),
            change(7, "agent.speed", 1),
            change(7, "environment.id", "Acrobot-v1"),
            change(7, "network.hidden", [8, 8, 8]),
            change(7, "agent.double", 1.0),
            change(7, "agent.loss", ["squared"]),
            change(8, "agent.discount", 0.5),
        ],
    )
    assert history.at(8) == START
    assert history.at(9).agent.discount == 0.5


def test_a_slider_that_was_dragged_for_long_costs_little():
    """Each moment is put together at once, not change by change."""
    many = [change(k, "agent.discount", k / 1e5, k) for k in range(5_000)]
    history = OptionHistory(START, many)
    assert history.at(4_001).agent.discount == 0.04
    assert len(history._known) == 2
    again = OptionHistory(START, [change(9, "agent.discount", 0.5, 1.0)] * 20_000)
    assert again.count() == 1


def test_an_episode_is_judged_by_the_options_of_most_of_its_steps() -> None:
    history = OptionHistory(START)
    assert history.mostly(100, 180) == 180
    history.note(change(150, "agent.discount", 0.5))
    history.note(change(160, "exploration.epsilon_final", 0.2))  # judges nothing
    history.note(change(300, "agent.double", True))
    assert history.mostly(20, 160) == 150
    assert history.mostly(140, 170) == 170
    assert history.mostly(149, 151) == 151  # as many on both sides: the later ones
    assert history.mostly(150, 190) == 190  # even its first step has the new one
    assert history.mostly(140, 330) == 300
    assert history.switches(151, 150) == history.switches(151, 300) == []
    assert history.switches(150, 301) == [150, 300]
