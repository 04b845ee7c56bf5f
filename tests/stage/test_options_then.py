"""A moment is judged by the options of then, not by those of the start."""

from __future__ import annotations

import json
from contextlib import closing

import numpy as np
import pytest
from theatre import Theatre, tiny, trained

from engine.contract.messages import Ask, Event, SetOption
from engine.sessions import SessionProblem
from engine.stage.archive import Session
from engine.stage.questions import record_side_by_side
from engine.stage.questions.judge_episode import last_step
from engine.stage.stage import Stage
from engine.training import TrainingLoop

CHANGED_AT = 200
BEFORE, AFTER = 0.9, 0.25
START = tiny(agent__discount=BEFORE, agent__double=True, training__steps=400)


class ChangingLoop(TrainingLoop):
    """One whose discount is changed half-way, as by a person."""

    def advance(self, steps: int) -> None:
        """Go on, with another discount from a certain step on."""
        if self.step == CHANGED_AT:
            self.set_option("agent.discount", AFTER)
        super().advance(steps=steps)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("changed") / "run.h5"
    with (
        closing(ChangingLoop(START)) as loop,
        closing(trained(path, START, loop)) as it,
    ):
        yield it


@pytest.fixture
def theatre(store):
    theatre = Theatre(store)
    theatre.open(START, live=True)
    yield theatre
    theatre.stage.close()


@pytest.fixture(scope="module")
def episodes(store):
    """One that ended before the change, and one that began after it."""
    table = store.episodes()
    first = np.asarray(table["step0"])
    length = np.asarray(table["length"])
    training = np.array([it == "training" for it in table["kind"]])
    number = np.asarray(table["episode"])
    early = number[training & (first + length < CHANGED_AT)][-1]
    late = number[training & (first > CHANGED_AT)][0]
    return int(early), int(late)


def judged(theatre: Theatre, episode: int, checkpoint_step: int = -1):
    about = {"kind": "training", "episode": episode, "checkpoint_step": checkpoint_step}
    return theatre.result("judge_episode", **about)


def double_dqn(found, discount: float) -> np.ndarray:
    """TD errors by hand, where the target network is the recorded one: Q alone."""
    q, actions = np.asarray(found["q"], np.float64), np.asarray(found["actions"])
    following = np.where(found["terminations"], 0.0, q[1:].max(axis=1))
    target = np.asarray(found["rewards"], np.float64) + discount * following
    return target - q[np.arange(len(actions)), actions]


def test_an_episode_as_recorded_has_the_errors_of_its_own_discount(theatre, episodes):
    for episode, discount in zip(episodes, (BEFORE, AFTER), strict=True):
        found = judged(theatre, episode)
        assert np.asarray(found["recorded"])[:-1].all()
        error = np.asarray(found["td_error"])[:-1]
        assert error == pytest.approx(double_dqn(found, discount)[:-1], abs=1e-4)


def test_an_episode_in_which_it_was_switched_is_judged_by_most_of_its_steps(
    theatre, store
):
    table = store.episodes()
    first, length = np.asarray(table["step0"]), np.asarray(table["length"])
    training = np.array([it == "training" for it in table["kind"]])
    within = training & (first < CHANGED_AT) & (first + length > CHANGED_AT)
    (row,) = np.flatnonzero(within)
    found = judged(theatre, int(table["episode"][row]))
    before = CHANGED_AT - first[row]
    earlier = before > length[row] - before
    wanted = BEFORE if earlier else AFTER
    error = np.asarray(found["td_error"])[:-1]
    assert error == pytest.approx(double_dqn(found, wanted)[:-1], abs=1e-4)
    assert f"switched, after training step {CHANGED_AT}:" in found["note"]
    assert f"options {'before' if earlier else 'after'} it." in found["note"]


def test_who_learned_by_other_options_does_not_judge(theatre, episodes, store):
    """The checkpoint before the switch is nearer, but of another discount."""
    table = store.episodes()
    row = list(zip(table["kind"], table["episode"], strict=True)).index(
        ("training", episodes[1])
    )
    end = int(table["step0"][row] + table["length"][row])
    assert end - CHANGED_AT < CHANGED_AT + 100 - end
    assert "switched" not in judged(theatre, episodes[1])["note"]
    about = {"kind": "training", "episode": episodes[1], "t": 1}
    found = theatre.result("explain_update", **about, checkpoint_step=-1)
    assert found["checkpoint_step"] == CHANGED_AT + 100


def test_a_checkpoint_judges_by_the_options_that_it_had(theatre, episodes):
    early, late = episodes
    for episode in (early, late):
        for step in (100, 400):
            wanted = BEFORE if step < CHANGED_AT else AFTER
            found = judged(theatre, episode, step)
            assert found["options_step"] == step
            row = theatre.result(
                "explain_update",
                kind="training",
                episode=episode,
                t=1,
                checkpoint_step=step,
            )
            assert row["discount"] == wanted
            assert row["rows"][0]["discount"] == pytest.approx(wanted)
            error = row["rows"][0]["td_error"]
            assert found["td_error"][1] == pytest.approx(error, abs=1e-5)


def test_a_change_counts_from_the_next_step_on(theatre, episodes):
    """The checkpoint of a pause did not have what is switched then."""
    late = episodes[1]
    found = judged(theatre, late, CHANGED_AT)
    about = {"kind": "training", "episode": late, "t": 1}
    for at, wanted in ((CHANGED_AT, BEFORE), (CHANGED_AT + 100, AFTER)):
        said = theatre.result("explain_update", **about, checkpoint_step=at)
        assert said["discount"] == wanted
    data = {"key": "agent.discount", "old": AFTER, "new": 0.75}
    theatre.tell(Event("option", 150, "", 2e9, data), "trainer")  # told late
    after = judged(theatre, late, CHANGED_AT)["td_error"]
    assert np.abs(np.subtract(after, found["td_error"])).max() > 1e-3
    said = theatre.result("explain_update", **about, checkpoint_step=CHANGED_AT)
    assert said["discount"] == 0.75


def test_what_depends_on_the_discount_is_told_anew(theatre, episodes):
    """Neighbours and playing by hand keep what they have found out."""
    about = {"kind": "training", "episode": episodes[1], "t": 2}
    returns, errors = {}, {}
    for step, discount in ((100, BEFORE), (400, AFTER), (100, BEFORE)):
        rows = theatre.result("neighbours", **about, checkpoint_step=step)
        told = [it for it in rows["observation"] if "discount" in it]
        assert told
        assert {it["discount"] for it in told} == {discount}
        returns.setdefault(step, [it["return_to_go"] for it in told])
        hand = theatre.result("play_by_hand", **about, checkpoint=step, actions=[0])
        errors.setdefault(step, float(hand["td_error"]))
        assert returns[step] == [it["return_to_go"] for it in told]
    assert returns[100] != returns[400]
    assert errors[100] != errors[400]


def test_where_events_cannot_be_read_the_options_of_the_start_judge(
    store, episodes, monkeypatch
):
    def broken():
        raise SessionProblem("Its events are not a list.")

    monkeypatch.setattr(store, "events", broken)
    theatre = Theatre(store)
    theatre.open(START, live=False)
    late = judged(theatre, episodes[1], 400)
    assert len(late["td_error"])
    monkeypatch.undo()
    again = judged(theatre, episodes[1], 400)
    assert np.abs(np.subtract(again["td_error"], late["td_error"])).max() > 1e-3
    theatre.stage.close()


def test_steps_of_several_environments_count_for_each(theatre):
    together = START.with_options({"training.environments": 4})
    record = {"kind": "training", "step0": 100, "actions": [0] * 10}
    session = Session("u", "", together, live=True)
    assert last_step(record, session) == 140


def test_the_keeper_is_asked_once(theatre, episodes):
    for episode in episodes:
        judged(theatre, episode)
    assert [it.question for it in theatre.of(Ask)].count("events") == 1


def test_the_shown_agent_takes_the_risk_that_is_set_while_it_learns(played):
    run = played.run(head__kind="c51")
    with run.on_stage(live=True) as theatre:
        theatre.look()
        stage: Stage = theatre.stage
        theatre.run(lambda: stage._show.mind)
        seen = np.zeros((1, 4), np.float32)
        first = stage._show.mind.insight(seen)
        assert first["preference"] == pytest.approx(first["q"])
        for key, value in (("head.risk", "cvar"), ("head.risk_level", 0.1)):
            theatre.tell(SetOption(key, json.dumps(value)), "supervisor")
        then = stage._show.mind.insight(seen)
        assert np.all(then["preference"] < then["q"])
        assert stage._evaluator.configuration.head.risk == "cvar"


# ------------------------------------------- risk and priorities, switched half-way

ALPHA_BEFORE, ALPHA_AFTER = 0.9, 0.1
RISKY = START.with_options(
    {
        "head.kind": "c51",
        "head.value_min": 0.0,
        "head.value_max": 100.0,
        "replay.kind": "prioritized",
        "replay.alpha": ALPHA_BEFORE,
    }
)
SWITCHED = {"replay.alpha": ALPHA_AFTER, "head.risk": "cvar", "head.risk_level": 0.1}


class SwitchingLoop(TrainingLoop):
    """One in which the risk and the use of priorities are switched half-way."""

    def advance(self, steps: int) -> None:
        """Go on, with other options from a certain step on."""
        if self.step == CHANGED_AT:
            for key, value in SWITCHED.items():
                self.set_option(key, value)
        super().advance(steps=steps)


@pytest.fixture(scope="module")
def switched(tmp_path_factory):
    path = tmp_path_factory.mktemp("switched") / "run.h5"
    with (
        closing(SwitchingLoop(RISKY)) as loop,
        closing(trained(path, RISKY, loop)) as it,
    ):
        yield it


@pytest.fixture
def risky(switched):
    theatre = Theatre(switched)
    theatre.open(RISKY, live=False)
    yield theatre
    theatre.stage.close()


@pytest.mark.parametrize(("step", "alpha"), [(100, ALPHA_BEFORE), (400, ALPHA_AFTER)])
def test_a_replay_memory_is_drawn_from_by_the_exponent_of_then(risky, step, alpha):
    found = risky.result("replay_contents", checkpoint_step=step)
    weights = np.asarray(found["priority"], np.float64) ** alpha
    assert np.ptp(found["priority"]) > 0.1
    assert found["probability"] == pytest.approx(weights / weights.sum(), rel=1e-5)
    rows = zip(found["episode"], found["t"], found["probability"], strict=True)
    episode, t, probability = list(rows)[5]
    about = {"kind": "training", "episode": int(episode), "t": int(t)}
    one = risky.result("remembered", **about, checkpoint_step=step)
    assert one["checkpoint_step"] == step
    assert one["probability"] == pytest.approx(probability, rel=1e-5)


def cautious(mind) -> bool:
    """Whether it prefers what is worst least, or else the highest mean."""
    found = mind.insight(np.zeros((1, 4), np.float32))
    if found["preference"] == pytest.approx(found["q"]):
        return False
    assert np.all(found["preference"] < found["q"])
    return True


def test_a_checkpoint_is_shown_with_the_risk_that_it_took(risky):
    risky.look()
    show = risky.stage._show
    risky.run(lambda: show.mind)
    for step in (100, 400, 100):
        risky.result("show_checkpoint", step=step)
        assert cautious(show.mind) is (step > CHANGED_AT)


def test_side_by_side_each_checkpoint_takes_its_own_risk(risky, tmp_path, monkeypatch):
    seen = {}
    play = record_side_by_side.continue_job

    def watched(root, lines, policy, *how):
        seen[policy.weights.step] = cautious(policy.mind)
        return play(root, lines, policy, *how)

    monkeypatch.setattr(record_side_by_side, "continue_job", watched)
    given = {"kind": "training", "episode": 0, "path": str(tmp_path / "both.gif")}
    risky.result("record_side_by_side", **given, checkpoints=[100, 400])
    assert seen == {100: False, 400: True}
