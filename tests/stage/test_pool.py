"""States to compare with: judged before they are needed, and not found out twice."""

from collections import Counter

import numpy as np
import pytest
from theatre import tiny

from engine.contract.messages import Ask, SessionStatus
from engine.environments import describe
from engine.service import keeper_questions
from engine.service.keeper_questions import answer
from engine.sessions import SessionProblem
from engine.stage.minds import Mind
from engine.stage.pool import AGAIN_AFTER_S
from engine.stage.posing import Poser, picture_of

STEP = {"kind": "training", "episode": 3, "t": 4, "checkpoint_step": 200}


class Minutes:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lived(played, monkeypatch):
    """A stage of a run that goes on, its clock, and how often minds were asked."""
    run = played.run()
    with run.on_stage(live=True) as theatre:
        theatre.loop = run.loop
        clock, looks = Minutes(), Counter()
        monkeypatch.setattr(theatre.stage._context.pool, "_clock", clock)
        look = Mind.insight

        def counted(self, observations, *rest):
            looks["large" if len(observations) > 1 else "single"] += 1
            return look(self, observations, *rest)

        monkeypatch.setattr(Mind, "insight", counted)
        yield theatre, clock, looks, run


def asked(theatre, whom="keeper"):
    """What the keeper was asked, or the trainer, and how often."""
    questions = [it for it, to in theatre.sent if to == whom and type(it) is Ask]
    theatre.sent.clear()
    return Counter(it.question for it in questions)


def comparable(found):
    """Rows without their pictures, which are arrays."""
    names = ("embedding", "observation")
    return [
        [{k: v for k, v in row.items() if k != "frame"} for row in found[it]]
        for it in names
    ]


def test_old_states_answer_until_the_new_ones_are_judged(lived):
    theatre, clock, looks, run = lived
    first = theatre.result("neighbours", **STEP)
    clock.now += AGAIN_AFTER_S + 1
    looks.clear()
    again = theatre.result("neighbours", **STEP)
    assert comparable(again) == comparable(first)
    theatre.run(lambda: not theatre.stage._jobs._jobs)
    assert looks["large"]  # nobody waited for that
    looks.clear()
    late = theatre.result("neighbours", **STEP)
    assert not looks["large"]
    with run.on_stage(live=True) as fresh:
        fresh.loop = run.loop
        assert comparable(late) == comparable(fresh.result("neighbours", **STEP))


def test_states_whose_judging_failed_are_not_gathered_again(lived, monkeypatch):
    theatre, clock, *_ = lived
    theatre.result("neighbours", **STEP)
    clock.now += AGAIN_AFTER_S + 1
    asked(theatre)
    look = Mind.insight
    with monkeypatch.context() as patch:

        def broken(self, observations, *rest):
            if len(observations) > 1:
                raise MemoryError("no room")
            return look(self, observations, *rest)

        patch.setattr(Mind, "insight", broken)
        for _ in range(3):
            theatre.ask("neighbours", **STEP)
            theatre.run(lambda: not theatre.stage._jobs._jobs)
        assert asked(theatre, "trainer")["sample_states"] == 1
    assert theatre.result("neighbours", **STEP)["embedding"]
    assert not asked(theatre, "trainer")["sample_states"]


def test_the_episodes_of_a_file_are_listed_once_and_those_of_a_run_each_time(lived):
    theatre, _, _, run = lived
    of_what = {"kind": "training", "episode": 3, "checkpoint_step": -1}
    for live, times in ((False, 1), (True, 2), (False, 1)):
        theatre.open(run.configuration, live=live)
        asked(theatre)
        for _ in range(2):
            theatre.result("gaps", **of_what)
        assert asked(theatre)["episodes"] == times


def test_the_keeper_is_asked_once_and_only_values_differ_by_weights(lived):
    theatre, *_ = lived
    theatre.result("judge_episode", kind="training", episode=3)
    asked(theatre)
    first = theatre.result("neighbours", **STEP)
    told = asked(theatre)
    assert told["some_episodes"] == told["episodes"] == 1
    assert not told["episode"]
    other = theatre.result("neighbours", **STEP | {"checkpoint_step": 100})
    assert other["checkpoint_step"] == 100
    by_sight = [it["observation"] for it in (first, other)]
    for old, new in zip(*by_sight, strict=True):
        assert (old["episode"], old["t"]) == (new["episode"], new["t"])
        assert old["return_to_go"] == new["return_to_go"]
        np.testing.assert_array_equal(old["frame"], new["frame"])
    values = [[row["value"] for row in rows] for rows in by_sight]
    assert values[0] != values[1]  # what the weights say is not kept


def test_a_session_that_went_back_is_gathered_anew(lived):
    theatre, *_, run = lived
    theatre.result("neighbours", **STEP)
    asked(theatre)
    pool = theatre.stage._context.pool
    before = pool._states
    text = run.configuration.to_json()
    status = SessionStatus("s", "/s.h5", "uuid-1", True, configuration=text, cuts=1)
    theatre.tell(status, "supervisor")
    theatre.result("neighbours", **STEP)
    assert pool._states is not before
    assert asked(theatre)["some_episodes"] == 1


def test_several_episodes_are_those_that_are_asked_for_one_by_one(store, monkeypatch):
    wanted = [["training", 1], ["training", 10**6], ["training", 0]]
    records = answer(store, "some_episodes", {"wanted": wanted})["records"]
    assert [it["episode"] for it in records] == [1, 0]
    for record in records:
        alone = {"kind": "training", "episode": record["episode"], "frames": False}
        expected = answer(store, "episode", alone)
        assert record.keys() == expected.keys()
        np.testing.assert_array_equal(record["actions"], expected["actions"])
    with pytest.raises(SessionProblem):
        answer(store, "episode", {"kind": "training", "episode": 10**6})
    monkeypatch.setattr(keeper_questions, "MOST_BYTES", 10)
    assert not answer(store, "some_episodes", {"wanted": wanted})["records"]


@pytest.mark.parametrize("id", ["CartPole-v1", "RLLab/GridWorld-v0"])
def test_who_draws_many_draws_what_a_new_one_would(id):
    options = tiny(environment__id=id).environment
    card = describe(options)
    seen = np.zeros((2, *card.shape), np.float32)
    seen[0].flat[0], seen[1].flat[1] = 1.0, 1.0
    poser = Poser(options)
    try:
        for observation in (*seen, *seen):
            alone = picture_of(options, observation)  # and its world is closed
            np.testing.assert_array_equal(poser.picture_of(observation), alone)
    finally:
        poser.close()
