"""Branches: what they restore, what they cost, what came of them."""

import numpy as np
import pytest
from test_judging import longest
from theatre import Theatre, tiny, trained

from engine.contract.branches import compare
from engine.contract.messages import Answer, Ask, Cancel, JobProgress
from engine.contract.notes import Branch, Rollout
from engine.environments import LabEnvironment, ReplayMismatch, make
from engine.stage.archive import network_arrays
from engine.stage.minds import Mind
from engine.stage.questions.branch import how_restored
from engine.stage.replays import Replay
from engine.stage.world import World


def branch_of(answer, **more) -> Branch:
    """The answer as the window keeps it."""
    arms = {
        name: [
            Rollout(it["actions"], it["rewards"], [], it["terminated"], it["truncated"])
            for it in answer[name]
        ]
        for name in ("rollouts", "main")
    }
    fixed = {"id": "a", "name": "A", "kind": "training", "episode": 0, "t": 0}
    given = {name: answer[name] for name in ("discount", "exactness", "why")}
    given |= {"checkpoint": answer["checkpoint_step"], "action": 0}
    return Branch(**{**fixed, **given, **arms, **more})


def test_a_branch_with_the_recorded_actions_is_the_recording(theatre):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    record = theatre.source.episode("training", episode)
    t = len(record["actions"]) // 2
    rest = record["actions"][t:].tolist()
    found = theatre.result(
        "branch", kind="training", episode=episode, t=t, forced=rest, horizon=1
    )
    (rollout,) = found["rollouts"]
    assert rollout["actions"] == rest
    assert rollout["rewards"] == record["rewards"][t:].tolist()
    assert (rollout["terminated"], rollout["truncated"]) == (
        bool(record["terminations"][-1]),
        bool(record["truncations"][-1]),
    )
    assert found["exactness"] == "exact"
    assert f"each of the {t + 1} observations" in found["why"]
    comparison = compare(branch_of(found))
    assert (comparison.discounted.mean, comparison.discounted.half) == (0.0, None)


def test_the_branch_is_what_a_person_would_get_by_playing_it(theatre):
    """The policy is that of the checkpoint, and the world is CartPole's own."""
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    record = theatre.source.episode("training", episode)
    found = theatre.result(
        "branch", kind="training", episode=episode, t=7, forced=[1], main=[0]
    )
    step = found["checkpoint_step"]
    mind = Mind(tiny(), make(tiny().environment).card)
    mind.load(step, network_arrays(theatre.source.checkpoint(step).arrays))
    for first, arm in ((1, "rollouts"), (0, "main")):
        world = make(tiny().environment)
        seen = world.reset(int(record["seed"]))
        for action in record["actions"][:7]:
            seen = world.step(int(action))[0]
        actions, values = [], []
        for k in range(200):
            chosen, q = mind.greedy(seen[None])
            values.append(q[0].max())
            actions.append(first if k == 0 else int(chosen[0]))
            seen, _, terminated, truncated, _ = world.step(actions[-1])
            if terminated or truncated:
                break
        assert found[arm][0]["actions"] == actions
        np.testing.assert_allclose(found[arm][0]["value"], values, rtol=1e-5)
        q0 = found["q"][0]
    assert found["predicted"] == pytest.approx(q0[1] - q0[0])


def test_what_does_not_depend_on_chance_is_made_once(theatre):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    asked = {"kind": "training", "episode": episode, "t": 3, "forced": [0]}
    found = theatre.result("branch", **asked, main=[1], count=20)
    assert len(found["rollouts"]) == len(found["main"]) == 1
    assert "all rollouts are equal" in found["chance"]


def test_where_chance_may_be_out_of_sight_the_answer_says_so(theatre, monkeypatch):
    monkeypatch.setattr(World, "shows_chance", False)
    theatre.open(tiny(), live=False)
    asked = {"kind": "training", "episode": longest(theatre), "t": 3, "forced": [0]}
    found = theatre.result("branch", **asked, main=[1], count=20)
    assert len(found["rollouts"]) == 1
    assert found["chance"].startswith("As far as can be seen")


def test_a_policy_that_explores_does_so_alike_in_both_arms(theatre):
    halves = tiny(exploration__decay_steps=100_000, exploration__epsilon=0.5)
    theatre.open(halves, live=False)
    asked = {"kind": "training", "episode": longest(theatre), "t": 3, "forced": [0]}
    found = theatre.result("branch", **asked, main=[0], count=4, explore=True)
    assert "random actions" in found["policy"]
    ours, theirs = ([it["actions"] for it in found[a]] for a in ("rollouts", "main"))
    assert ours == theirs
    assert len({tuple(it) for it in ours}) > 1
    explored = [it["explored"] for it in found["rollouts"]]
    rest = [[k for k in it["explored"] if k] for it in found["main"]]
    assert explored == rest, "the first of the other arm is as it was recorded"
    assert any(explored)
    assert any(len(ks) < len(it) - 1 for ks, it in zip(explored, ours, strict=True))
    for number, rollout in enumerate(found["rollouts"]):
        names = ("actions", "rewards", "explored")
        held = theatre.result(
            "hold_branch",
            **{name: it for name, it in asked.items() if name != "forced"},
            **{name: rollout[name] for name in names},
            number=number,
            checkpoint=found["checkpoint_step"],
            tried=[0],
        )
        about = {"kind": "branch", "episode": held["episode"]}
        step = found["checkpoint_step"]
        judged = theatre.result("judge_episode", **about, checkpoint_step=step)
        marked = np.flatnonzero(judged["explored"][3:]).tolist()
        assert marked == rollout["explored"]
        by_network = judged["liking"][3:-1].argmax(axis=1)
        greedy = [k for k in range(1, len(rollout["actions"])) if k not in marked]
        assert all(by_network[k] == rollout["actions"][k] for k in greedy)


def test_chance_that_an_environment_keeps_to_itself_is_not_drawn_anew(
    theatre, monkeypatch
):
    monkeypatch.setattr(World, "chance", None)
    theatre.open(tiny(), live=False)
    asked = {"kind": "training", "episode": longest(theatre), "t": 3, "forced": [0]}
    found = theatre.result("branch", **asked, main=[1], count=20)
    assert len(found["rollouts"]) == 1
    assert "cannot be drawn anew" in found["chance"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"t": 10_000}, "has no action at step"),
        ({"forced": [2]}, "has the actions 0 to 1"),
        ({"count": 0}, "number of rollouts"),
        ({"horizon": 0}, "1 to 2,000 steps"),
        ({"main": [0, 1]}, "the same number of actions"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(theatre, change, words):
    theatre.open(tiny(), live=False)
    asked = {"kind": "training", "episode": 0, "t": 0, "forced": [0], **change}
    assert words in theatre.ask("branch", **asked).error


def test_an_environment_that_fails_is_told_in_a_sentence(theatre, monkeypatch):
    theatre.open(tiny(), live=False)
    episode, step = longest(theatre), LabEnvironment.step

    def fails(self, action):
        if self.steps == 9:
            raise OverflowError("too far")
        return step(self, action)

    monkeypatch.setattr(LabEnvironment, "step", fails)
    asked = {"kind": "training", "episode": episode, "t": 7, "forced": [0]}
    error = theatre.ask("branch", **asked, main=[1]).error
    assert "failed in step(): OverflowError: too far" in error


def test_a_branch_that_nobody_waits_for_is_given_up(theatre, monkeypatch):
    theatre.open(tiny(exploration__decay_steps=100_000), live=False)
    closed, close = [], Replay.close
    monkeypatch.setattr(Replay, "close", lambda it: closed.append(close(it)))
    words = {"kind": "training", "episode": longest(theatre), "t": 9, "forced": [0]}
    words |= {"main": [1], "count": 100, "explore": True}
    theatre.tell(Ask(77, "branch", words))
    theatre.run(lambda: theatre.of(JobProgress))
    before = len(closed)
    theatre.tell(Cancel(77))
    assert theatre.of(JobProgress)[-1].text == "cancelled"
    assert len(closed) > before
    assert not [it for it in theatre.of(Answer) if it.id == 77]


def test_a_held_branch_is_an_episode_like_any_other(theatre, tmp_path):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    record = theatre.source.episode("training", episode)
    found = theatre.result(
        "branch", kind="training", episode=episode, t=7, forced=[1], main=[0]
    )
    (rollout,) = found["rollouts"]
    asked = {"kind": "training", "episode": episode, "t": 7}
    asked |= {name: rollout[name] for name in ("actions", "rewards")}
    held = theatre.result(
        "hold_branch", **asked, human=[0], checkpoint=found["checkpoint_step"]
    )
    assert held["exact"]
    assert held["steps"] == 7 + len(rollout["actions"])
    tried = theatre.result("hold_branch", **asked, checkpoint=0, tried=[0])["episode"]
    assert tried != held["episode"]
    judged = theatre.result("judge_episode", kind="branch", episode=tried)
    assert np.flatnonzero(judged["forced"]).tolist() == [7]
    where = {"kind": "branch", "episode": held["episode"]}
    judged = theatre.result("judge_episode", **where)
    assert judged["exact"]
    assert judged["actions"].tolist() == [
        *record["actions"][:7].tolist(),
        *rollout["actions"],
    ]
    assert np.flatnonzero(judged["human"]).tolist() == [7]
    assert not judged["forced"].any(), "a person chose that action"
    assert judged["recorded"].tolist() == [True] * 8 + [False] * len(rollout["actions"])
    np.testing.assert_allclose(
        judged["value"][8:-1], rollout["value"][1:], rtol=1e-4, atol=1e-6
    )
    main = theatre.result("frames", kind="training", episode=episode, first=6, last=7)
    ours = theatre.result("frames", **where, first=6, last=8)
    np.testing.assert_array_equal(ours["frames"][:2], main["frames"])
    assert ours["exact"]
    path = str(tmp_path / "b.gif")
    film = theatre.result("record", **where, path=path, panels="q", first=6, last=9)
    assert film["frames"] == 4


def test_a_branch_that_brings_other_rewards_says_so(theatre):
    theatre.open(tiny(), live=False)
    asked = {"kind": "training", "episode": longest(theatre), "t": 2}
    held = theatre.result("hold_branch", **asked, actions=[0, 1], rewards=[1.0, 5.0])
    assert not held["exact"]
    assert "does not bring the rewards" in held["note"]
    error = theatre.ask("judge_episode", kind="branch", episode=12345).error
    assert "let go of" in error
    for wrong in ([], [0, 2], [-1]):
        error = theatre.ask("hold_branch", **asked, actions=wrong, rewards=[]).error
        assert "each has to be one of 0 to 1" in error


def test_playing_by_hand_is_playing_in_the_world(theatre):
    theatre.open(tiny(), live=False)
    episode = longest(theatre)
    asked = {"kind": "training", "episode": episode, "t": 5}
    branch = theatre.result("branch", **asked, forced=[1, 0, 1], horizon=1)
    begun = theatre.result("play_by_hand", **asked)
    assert begun["rewards"] == []
    assert np.isnan(begun["td_error"])
    frames = theatre.result("frames", kind="training", episode=episode, first=5, last=5)
    np.testing.assert_array_equal(begun["frame"], frames["frames"][0])
    for count in (1, 2, 3):
        found = theatre.result("play_by_hand", **asked, actions=[1, 0, 1][:count])
    assert found["rewards"] == branch["rollouts"][0]["rewards"]
    np.testing.assert_allclose(found["q"].shape, (2,))
    # Asked from nothing, it is the same: the kept environment changes no number.
    theatre.result("play_by_hand", **asked, actions=[0])
    again = theatre.result("play_by_hand", **asked, actions=[1, 0, 1])
    np.testing.assert_array_equal(again["observation"], found["observation"])
    np.testing.assert_allclose(again["q"], found["q"], rtol=1e-5)
    assert again["td_error"] == pytest.approx(found["td_error"], rel=1e-4)


def test_the_difference_is_what_was_worked_out_by_hand(tmp_path):
    """Up the left corridor to the small reward in four steps, or staying there."""
    configuration = tiny(environment__id="RLLab/Corridor-v0", training__steps=100)
    store = trained(tmp_path / "c.h5", configuration)
    theatre = Theatre(store)
    theatre.open(configuration, live=False)
    found = theatre.result(
        "branch",
        kind="training",
        episode=0,
        t=0,
        forced=[0, 0, 0, 0],
        main=[0, 0, 0, 4],
        horizon=1,
    )
    (up,), (stay,) = found["rollouts"], found["main"]
    assert up["rewards"] == [0.0, 0.0, 0.0, 0.1]
    assert up["terminated"]
    assert stay["rewards"] == [0.0, 0.0, 0.0, 0.0]
    comparison = compare(branch_of(found))
    assert comparison.discounted.mean == pytest.approx(0.99**3 * 0.1)
    assert (comparison.undiscounted.mean, comparison.cut) == (pytest.approx(0.1), 1)
    theatre.stage.close()
    store.close()


def test_what_cannot_be_verified_is_called_approximate_and_no_seed_is_refused():
    record = {"seed": 7, "actions": np.zeros(5, np.int64)}
    exactness, why = how_restored(record, 3)
    assert exactness == "approximate"
    assert "could be verified" in why
    replay = Replay(tiny().environment, {**record, "seed": -1})
    with pytest.raises(ReplayMismatch, match="names no seed"):
        replay.go_on()
    replay.close()


@pytest.fixture(scope="module")
def slippery(tmp_path_factory):
    """A world in which chance has its say, and a network that remembers."""
    configuration = tiny(
        environment__id="FrozenLake-v1",
        network__recurrent="gru",
        replay__kind="sequence",
        training__steps=150,
    )
    store = trained(tmp_path_factory.mktemp("slippery") / "s.h5", configuration)
    yield configuration, store
    store.close()


def test_rollouts_share_their_random_numbers_and_remember(slippery):
    configuration, store = slippery
    theatre = Theatre(store)
    theatre.open(configuration, live=False)
    episode = longest(theatre)
    record = theatre.source.episode("training", episode)
    t = len(record["actions"]) // 2
    asked = {"kind": "training", "episode": episode, "t": t, "count": 5}
    same = theatre.result("branch", **asked, forced=[2], main=[2])
    assert same["rollouts"][0]["actions"] == same["main"][0]["actions"]
    comparison = compare(branch_of(same))
    assert comparison.discounted.pairs == 5
    assert comparison.discounted.mean == 0.0
    found = theatre.result("branch", **asked, forced=[0], main=[2])
    for one, other in zip(found["main"], same["main"], strict=True):
        assert one["actions"] == other["actions"]
    assert "same random numbers" in found["chance"]
    assert len({tuple(it["actions"]) for it in found["rollouts"]}) > 1
    by_hand = found["rollouts"][0]["actions"][:1]
    hand = theatre.result(
        "play_by_hand",
        kind="training",
        episode=episode,
        t=t,
        actions=by_hand,
        checkpoint=found["checkpoint_step"],
    )
    for number, rollout in enumerate(found["rollouts"]):
        held = theatre.result(
            "hold_branch",
            kind="training",
            episode=episode,
            t=t,
            actions=rollout["actions"],
            rewards=rollout["rewards"],
            number=number,
            checkpoint=found["checkpoint_step"],
        )
        assert held["exact"], held["note"]
        judged = theatre.result("judge_episode", kind="branch", episode=held["episode"])
        if not number:
            np.testing.assert_allclose(hand["q"], judged["q"][t + 1], rtol=1e-3)
        np.testing.assert_allclose(
            judged["value"][t + 1 : -1], rollout["value"][1:], rtol=1e-3, atol=1e-5
        )
    theatre.stage.close()
