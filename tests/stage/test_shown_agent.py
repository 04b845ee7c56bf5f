"""The shown agent: at once, at its pace, and each picture of one single step."""

import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest
from theatre import KINDS, Theatre, tiny

from engine.contract.messages import (
    FrameCredit,
    Picture,
    Problem,
    SetViewer,
    ShowAgent,
    Subscribe,
    Weights,
)
from engine.environments import make
from engine.stage.minds import Mind, liking
from engine.stage.player import Player


@pytest.fixture
def alone():
    """A stage without a session."""
    found = Theatre()
    yield found
    found.stage.close()


def pictures(theatre: Theatre) -> list[Picture]:
    return theatre.of(Picture)


def with_network(theatre: Theatre) -> list[Picture]:
    return [it for it in pictures(theatre) if it.checkpoint_step > -2]


def other_weights(configuration) -> dict[str, np.ndarray]:
    """Weights of another seed."""
    other = configuration.with_options({"training.seed": 99})
    card = make(configuration.environment).card
    return Mind(other, card).agent.weights()


def test_a_mind_takes_weights_once_and_holds_none_that_nobody_else_holds(monkeypatch):
    configuration = tiny()
    mind = Mind(configuration, make(configuration.environment).card)
    arrays, taken = other_weights(configuration), []
    load = mind.agent.load_weights
    monkeypatch.setattr(
        mind.agent, "load_weights", lambda it: taken.append(len(it)) or load(it)
    )
    mind.load(100, arrays)
    mind.load(200, dict(arrays))
    assert (mind.step, len(taken)) == (200, 1)
    held = [weakref.ref(it) for it in arrays.values()]
    arrays.clear()
    gc.collect()
    assert [it() for it in held] == [None] * len(held)
    mind.load(300, other_weights(configuration))
    assert len(taken) == 2


def test_weights_that_fail_half_way_leave_none_that_are_taken_for_the_old(monkeypatch):
    configuration = tiny()
    mind = Mind(configuration, make(configuration.environment).card)
    good = other_weights(configuration)
    bad = {name: array + 1 for name, array in good.items()}
    mind.load(100, good)
    last = next(it for it in reversed(bad) if it.startswith("target/"))
    bad[last] = np.full(bad[last].shape, None)  # of the right shape, but no numbers
    with pytest.raises(TypeError):
        mind.load(200, bad)
    mind.load(100, good)
    for name, array in mind.agent.weights().items():
        np.testing.assert_array_equal(array, good[name])


def test_the_first_picture_comes_without_torch():
    code = (
        "import sys\n"
        "from engine.contract.messages import *\n"
        "from engine.contract.options import Configuration\n"
        "from engine.stage.stage import Stage\n"
        "out = []\n"
        "stage = Stage(lambda message, who: out.append(message))\n"
        "stage.on_message(Subscribe(['picture']), 'w')\n"
        "stage.on_message(FrameCredit(1), 'w')\n"
        "stage.on_message(ShowAgent(Configuration().to_json()))\n"
        "before = 'torch' in sys.modules\n"
        "stage.tick()\n"
        "picture = out[0]\n"
        "print(before, picture.checkpoint_step, picture.frame.shape, picture.reason)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split(maxsplit=1)[0] == "False"
    assert done.stdout.strip().endswith("-2 (400, 600, 3) random")


def test_torch_waits_for_the_picture_of_a_window_that_says_later_what_it_wants(alone):
    library = alone.stage._library
    alone.tell(ShowAgent(tiny().to_json()))
    alone.tick()
    assert not library.loading
    alone.look()
    alone.tick()
    assert pictures(alone)
    assert not library.loading
    alone.tick()
    assert library.loading or library.ready


def test_random_then_untrained_then_the_weights_that_come(alone):
    configuration = tiny()
    alone.look()
    alone.tell(ShowAgent(configuration.to_json()))
    alone.run(lambda: pictures(alone))
    assert pictures(alone)[0].q.size == 0
    alone.run(lambda: with_network(alone))
    assert with_network(alone)[0].checkpoint_step == -1
    alone.tell(Weights(1234, 56, other_weights(configuration)), "trainer")
    alone.run(lambda: pictures(alone)[-1].checkpoint_step == 1234)


def test_frame_values_and_action_belong_to_one_step(alone):
    configuration = tiny()
    alone.look()
    alone.tell(ShowAgent(configuration.to_json()))
    alone.run(lambda: len(with_network(alone)) > 12)
    mind = Mind(configuration, make(configuration.environment).card)
    world = make(configuration.environment, render=True)
    world.reset(0)
    for picture in with_network(alone)[1:12]:
        seen = mind.insight(np.array(picture.observation[None]))
        np.testing.assert_allclose(picture.q, seen["q"][0], atol=1e-6)
        np.testing.assert_allclose(picture.advantage, seen["advantage"][0], atol=1e-6)
        assert picture.value_head == pytest.approx(float(seen["value_head"][0]))
        if not picture.ended:
            assert picture.action == int(picture.q.argmax())
        world.unwrapped.state = picture.observation.astype(np.float64)
        different = (world.render() != picture.frame).any(axis=2).mean()
        assert different < 0.001
    world.close()


@pytest.mark.parametrize("kind", KINDS)
def test_every_agent_chooses_by_all_it_has_seen_of_its_episode(kind):
    configuration = tiny(**KINDS[kind])
    player = Player(configuration.environment, 0)
    player.viewer = SetViewer(speed=0.0)
    player.mind = Mind(configuration, player.world.card)
    judge = Mind(configuration, player.world.card)
    seen, actions, ends = [], [-1], 0
    player.advance(0.0)
    for now in range(1, 200):
        player.advance(float(now))
        picture = player.picture()
        if picture.checkpoint_step < -1:
            continue
        if picture.t == 0:
            seen, actions, ends = [], [-1], ends + 1
        if not ends:  # the episode in which the network came
            continue
        seen.append(picture.observation)
        said = judge.insight(np.stack(seen), np.array(actions))
        np.testing.assert_allclose(picture.q, said["q"][-1], rtol=1e-5, atol=1e-5)
        if not picture.ended:
            assert picture.action == liking(said)[-1].argmax()
            actions.append(picture.action)
    assert ends > 2
    player.close()


def test_rewards_count_the_steps_before_the_picture(alone):
    alone.look()
    alone.tell(ShowAgent(tiny().to_json()))
    alone.run(lambda: len(pictures(alone)) > 15)
    assert all(it.reward_sum == it.t for it in pictures(alone))


def test_an_episode_ends_with_a_picture_of_its_end_and_another_begins(alone):
    alone.look()
    alone.tell(SetViewer(speed=20.0))
    alone.tell(ShowAgent(tiny().to_json()))
    ends = alone.run(lambda: [it for it in pictures(alone) if it.ended])
    assert ends[0].ended == "terminated"
    assert ends[0].action == -1
    alone.run(lambda: pictures(alone)[-1].episode > ends[0].episode)
    assert pictures(alone)[-1].t < ends[0].t


def test_epsilon_one_explores_always_and_says_so(alone):
    alone.look()
    alone.tell(SetViewer(epsilon=1.0))
    alone.tell(ShowAgent(tiny().to_json()))
    alone.run(lambda: len(with_network(alone)) > 20)
    after = with_network(alone)[1:]
    assert {it.reason for it in after} == {"explored"}
    assert {it.epsilon for it in after} == {1.0}
    assert {it.action for it in after if not it.ended} == {0, 1}


def test_without_credit_nothing_is_sent(alone):
    alone.paint = False
    alone.look()
    alone.tell(ShowAgent(tiny().to_json()))
    alone.run(lambda: len(pictures(alone)) == 2)
    for _ in range(200):
        alone.tick()
    assert len(pictures(alone)) == 2


def test_nobody_who_looks_costs_nothing(alone):
    alone.tell(ShowAgent(tiny().to_json()))
    for _ in range(50):
        alone.tick()
    assert pictures(alone) == []
    alone.look()
    alone.run(lambda: pictures(alone))
    alone.tell(Subscribe([]))
    count = len(pictures(alone))
    for _ in range(100):
        alone.tick()
    assert len(pictures(alone)) == count


def test_a_frozen_picture_stands_still_and_is_shown_to_newcomers(alone):
    alone.look()
    alone.tell(ShowAgent(tiny().to_json()))
    alone.run(lambda: len(pictures(alone)) > 3)
    alone.tell(SetViewer(playing=False))
    frozen = pictures(alone)[-1]
    alone.sent.clear()
    for _ in range(100):
        alone.tick()
    assert pictures(alone) == []
    alone.tell(Subscribe(["picture"]), "window-2")
    alone.tell(FrameCredit(2), "window-2")
    alone.run(lambda: pictures(alone))
    for _ in range(100):
        alone.tick()
    to_newcomer = [it for it, who in alone.sent if who == "window-2"]
    assert [(it.episode, it.t) for it in to_newcomer] == [(frozen.episode, frozen.t)]


def test_the_pace_follows_speed():
    player = Player(tiny().environment, 0)
    player.advance(100.0)
    assert player.wait_s(100.0) == pytest.approx(1 / 50)
    player.viewer = SetViewer(speed=4.0)
    assert player.wait_s(100.0) == pytest.approx(1 / 200)
    assert player.advance(100.0 + 1 / 200 + 1e-6)
    assert not player.advance(100.0 + 1 / 200 + 2e-6)
    player.viewer = SetViewer(playing=False)
    assert player.wait_s(101.0) == float("inf")
    player.close()


def test_weights_of_another_network_are_left_alone(alone):
    alone.look()
    alone.tell(ShowAgent(tiny().to_json()))
    alone.run(lambda: with_network(alone))
    alone.tell(Weights(5, 1, {"online/nothing": np.zeros(3)}), "trainer")
    count = len(pictures(alone))
    alone.run(lambda: len(pictures(alone)) > count + 3)
    assert pictures(alone)[-1].checkpoint_step == -1


def test_a_reopened_session_is_shown_with_its_newest_weights(theatre):
    theatre.look()
    theatre.open(tiny(), live=False)
    theatre.run(lambda: theatre.of(Picture) and with_network(theatre))
    theatre.run(lambda: pictures(theatre)[-1].checkpoint_step == 300)


def test_a_checkpoint_can_be_shown_and_stays_until_training_is_followed(theatre):
    theatre.look()
    theatre.open(tiny(), live=False)
    theatre.run(lambda: with_network(theatre))
    assert theatre.result("show_checkpoint", step=100) == {"checkpoint_step": 100}
    theatre.run(lambda: pictures(theatre)[-1].checkpoint_step == 100)
    theatre.tell(Weights(999, 1, other_weights(tiny())), "trainer")
    count = len(pictures(theatre))
    theatre.run(lambda: len(pictures(theatre)) > count + 3)
    assert pictures(theatre)[-1].checkpoint_step == 100
    assert theatre.result("show_checkpoint", step=-1) == {"checkpoint_step": 300}


def test_an_environment_that_cannot_be_made_is_one_sentence(alone):
    alone.look()
    unknown = tiny(environment__id="CartPoel-v1")
    alone.tell(ShowAgent(unknown.to_json()))
    problem = alone.of(Problem)[-1]
    assert "There is no environment 'CartPoel-v1'" in problem.what
    assert "CartPole-v1" in problem.what
    alone.tell(ShowAgent(tiny().to_json()))
    assert [type(it).__name__ for it, _ in alone.sent][-1] == "Solved"
    alone.run(lambda: pictures(alone))
