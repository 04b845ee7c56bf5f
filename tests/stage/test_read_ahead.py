"""Episodes of a file are at hand before somebody jumps there."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from theatre import Theatre, tiny

from engine.contract.messages import Ask
from engine.stage import archive, read_ahead


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(read_ahead, "AFTER_S", 0.0)


def asked(theatre):
    """What the keeper has been asked since the last call, and how often."""
    found = Counter(it.question for it, to in theatre.sent if type(it) is Ask)
    theatre.sent.clear()
    return found


def brought(theatre):
    """Numbers of training episodes in the order in which they were asked for."""
    asks = [it for it in theatre.of(Ask) if it.question == "some_episodes"]
    named = [sorted(map(tuple, it.arguments["wanted"])) for it in asks]
    return [[number for kind, number in it if kind == "training"] for it in named]


def recorded(theatre):
    table = theatre.source.episodes()
    keys = zip(table["kind"], table["episode"].tolist(), strict=True)
    return [key for key, there in zip(keys, table["recorded"], strict=True) if there]


def rest(theatre):
    """Until nothing is read any more."""
    jobs = theatre.stage._jobs
    theatre.run(lambda: not any(it.owner == read_ahead.OWNER for it in jobs._jobs))


def test_whoever_jumps_in_a_file_finds_every_episode_there(theatre):
    theatre.open(tiny(), live=False)
    before = theatre.result("judge_episode", kind="training", episode=3)
    rest(theatre)
    assert asked(theatre)["episode"] == 1
    for kind, number in recorded(theatre):
        theatre.result("judge_episode", kind=kind, episode=number)
    told = asked(theatre)
    assert not told["episode"]
    assert not told["some_episodes"]
    again = theatre.result("judge_episode", kind="training", episode=3)
    np.testing.assert_array_equal(before["q"], again["q"])


def test_the_nearest_come_first_and_few_at_a_time(theatre):
    theatre.open(tiny(), live=False)
    theatre.result("judge_episode", kind="training", episode=3)
    rest(theatre)
    order = brought(theatre)
    assert order[0] in ([2], [2, 4], [4])  # the one that is looked at is there
    assert max(map(len, order)) <= read_ahead.AT_ONCE
    distance = [max(abs(it - 3) for it in turn) for turn in order if turn]
    assert distance == sorted(distance)


def test_beside_a_run_nothing_is_read_ahead(theatre):
    theatre.open(tiny(), live=True)
    theatre.result("judge_episode", kind="training", episode=3)
    rest(theatre)
    assert not asked(theatre)["some_episodes"]


def test_a_run_that_begins_ends_it(theatre, monkeypatch):
    monkeypatch.setattr(read_ahead, "AFTER_S", 0.05)
    theatre.open(tiny(), live=False)
    theatre.result("judge_episode", kind="training", episode=3)
    theatre.open(tiny(), live=True)
    rest(theatre)
    assert not asked(theatre)["some_episodes"]


def test_it_ends_where_the_room_is_full(theatre, monkeypatch):
    monkeypatch.setattr(archive, "READ_AHEAD_BYTES", 3_000)
    theatre.open(tiny(), live=False)
    theatre.result("judge_episode", kind="training", episode=3)
    rest(theatre)
    assert 1 <= asked(theatre)["some_episodes"] < len(recorded(theatre)) / 2
    theatre.result("judge_episode", kind="training", episode=0)
    rest(theatre)  # it was full before
    assert not asked(theatre)["some_episodes"]


def test_a_keeper_that_cannot_answer_is_not_asked_on_and_on(store):
    theatre = Theatre(store)
    try:
        theatre.open(tiny(), live=False)
        theatre.result("judge_episode", kind="training", episode=3)
        theatre.source = None
        rest(theatre)
        assert asked(theatre)["episodes"] <= 1
    finally:
        theatre.stage.close()
