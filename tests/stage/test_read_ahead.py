"""Episodes of a file are at hand before somebody jumps there."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from theatre import Theatre, tiny

from engine.contract.messages import Answer, Ask, SessionStatus
from engine.service import keeper_questions
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


def step_into(theatre, *, live=False):
    """Somebody opens the session and looks at an episode; what that one says."""
    theatre.open(tiny(), live=live)
    return theatre.result("judge_episode", kind="training", episode=3)


def recorded(theatre):
    table = theatre.source.episodes()
    keys = zip(table["kind"], table["episode"].tolist(), strict=True)
    return [key for key, there in zip(keys, table["recorded"], strict=True) if there]


def rest(theatre):
    """Until nothing is read any more."""
    jobs = theatre.stage._jobs
    theatre.run(lambda: not any(it.owner == read_ahead.OWNER for it in jobs._jobs))


def test_whoever_jumps_in_a_file_finds_every_episode_there(theatre):
    before = step_into(theatre)
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
    step_into(theatre)
    rest(theatre)
    order = brought(theatre)
    assert order[0] in ([2], [2, 4], [4])  # the one that is looked at is there
    assert max(map(len, order)) <= read_ahead.AT_ONCE
    distance = [max(abs(it - 3) for it in turn) for turn in order if turn]
    assert distance == sorted(distance)


def test_beside_a_run_nothing_is_read_ahead(theatre):
    step_into(theatre, live=True)
    rest(theatre)
    assert not asked(theatre)["some_episodes"]


def test_a_run_that_begins_ends_it(theatre, monkeypatch):
    monkeypatch.setattr(read_ahead, "AFTER_S", 0.05)
    step_into(theatre)
    theatre.open(tiny(), live=True)
    rest(theatre)
    assert not asked(theatre)["some_episodes"]


def test_it_ends_where_the_room_is_full(theatre, monkeypatch):
    monkeypatch.setattr(archive, "READ_AHEAD_BYTES", 15_000)
    step_into(theatre)
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


class Other:
    """A session with the same numbers of episodes, of which each is another one."""

    def __init__(self, source, reward):
        self._source, self._reward = source, reward

    def __getattr__(self, name):
        return getattr(self._source, name)

    def episode(self, *which, **how):
        record = dict(self._source.episode(*which, **how))
        record["rewards"] = np.full_like(record["rewards"], self._reward)
        return record


def test_an_answer_of_another_session_is_kept_under_none(theatre):
    """The keeper has opened another one before it comes to the question."""
    theatre.open(tiny(), live=False)
    first, told = theatre.source, theatre._answer
    wanted = []

    def late(ask, destination):
        if ask.question == "some_episodes" and not wanted:
            wanted.extend(ask.arguments["wanted"])
            theatre.source, theatre.uuid = Other(first, -9.0), "uuid-2"
        return told(ask, destination)

    theatre._answer = late
    theatre.result("judge_episode", kind="training", episode=3)
    theatre.run(lambda: wanted)
    rest(theatre)
    theatre.source = first
    theatre.open(tiny(), live=False)
    for kind, number in wanted:
        found = theatre.result("judge_episode", kind=kind, episode=number)
        assert (found["rewards"] == 1.0).all()


def test_a_jump_to_what_is_under_way_does_not_wait_for_it(theatre):
    theatre.open(tiny(), live=False)
    told, held = theatre._answer, []

    def never(ask, destination):
        if ask.question == "some_episodes":
            held.extend(ask.arguments["wanted"])
            return Answer(10**9, {})  # of nobody
        return told(ask, destination)

    theatre._answer = never
    theatre.result("judge_episode", kind="training", episode=3)
    theatre.run(lambda: held)
    kind, number = held[0]
    found = theatre.result("judge_episode", kind=kind, episode=number)
    assert len(found["rewards"])


def test_what_an_answer_had_no_room_for_is_asked_for_again(theatre, monkeypatch):
    monkeypatch.setattr(keeper_questions, "MOST_S", 0.0)  # one in each answer
    step_into(theatre)
    rest(theatre)
    asked(theatre)
    for kind, number in recorded(theatre):
        theatre.result("judge_episode", kind=kind, episode=number)
    assert asked(theatre)["episode"] <= 1


def test_an_answer_that_brings_nothing_ends_it(theatre, monkeypatch):
    monkeypatch.setattr(keeper_questions, "MOST_BYTES", 0)
    step_into(theatre)
    rest(theatre)
    assert asked(theatre)["some_episodes"] == 1


def test_another_file_finds_room_and_one_opened_again_is_read_again(
    theatre, monkeypatch
):
    monkeypatch.setattr(archive, "READ_AHEAD_BYTES", 15_000)
    counts = []
    for uuid in ("uuid-1", "uuid-2", "uuid-1"):
        text = tiny().to_json()
        status = SessionStatus("s", "/s.h5", uuid, False, configuration=text)
        theatre.tell(status, "supervisor")
        theatre.result("judge_episode", kind="training", episode=3)
        rest(theatre)
        counts.append(asked(theatre)["some_episodes"])
    assert counts[0] == counts[1] == counts[2] > 0


def test_rows_next_to_the_cursor_are_found_however_far_they_are():
    left = np.zeros(10_000, bool)
    left[[3, 9_000, 9_700]] = True
    assert read_ahead._nearest(left, 5_000).tolist() == [9_000, 9_700]
    assert read_ahead._nearest(left, 0).tolist() == [3, 9_000]
    left[:] = False
    assert read_ahead._nearest(left, 4).tolist() == []
    assert read_ahead._nearest(left[:0], 0).tolist() == []
