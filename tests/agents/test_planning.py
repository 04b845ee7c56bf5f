"""Models of an environment, the sweeping queue, and what planning is worth."""

import numpy as np
import pytest
import torch

from engine.agents import build_agent
from engine.agents.models import Steps, TableModel
from engine.agents.network_model import NetworkModel
from engine.agents.planning import made_up
from engine.agents.sweeping import SweepQueue
from engine.contract.arrays import state_hash
from engine.contract.catalogue import EnvironmentCard, check_combination
from engine.contract.options import ConfigurationError, configuration_from_flat
from engine.environments import describe


def filled(remembers="counts"):
    """State 0, action 1: three times to 2 for 1, once to 1 and the end for 5."""
    table = TableModel(4, 2, remembers)
    for reward, terminated, then in [(0, 0, 2), (2, 0, 2), (5, 1, 1), (1, 0, 2)]:
        table.observe(0, 1, float(reward), bool(terminated), then)
    return table


class TestTable:
    def test_it_gives_every_outcome_its_share_and_its_mean_reward(self):
        steps, chances, owner = filled().everything([1])
        assert chances.tolist() == [0.75, 0.25]
        assert owner.tolist() == [0, 0]
        assert steps.reward.tolist() == [1.0, 5.0]
        assert steps.ends.tolist() == [0.0, 1.0]
        assert steps.next_observation.argmax(1).tolist() == [2, 1]
        assert steps.observation.argmax(1).tolist() == [0, 0]
        assert steps.action.tolist() == [1, 1]

    def test_it_draws_outcomes_as_often_as_they_came(self):
        steps = filled().imagine(np.random.default_rng(0), 4000)
        assert steps.ends.mean() == pytest.approx(0.25, abs=0.03)

    def test_the_last_outcome_replaces_earlier_ones_and_their_way_back(self):
        table = filled("last")
        steps, chances, _ = table.everything([1])
        assert (steps.reward.tolist(), chances.tolist()) == ([1.0], [1.0])
        assert table.leading_to(2) == [1]
        assert table.leading_to(1) == []

    def test_it_tells_what_it_did_not_expect(self):
        table = TableModel(4, 2, "counts")
        steps = [(0, 1, 2), (0, 1, 2), (0, 1, 3), (0, 0, 2)]
        expected = [table.observe(s, a, 0.0, False, then)[1] for s, a, then in steps]
        assert expected == [False, True, False, False]

    def test_it_comes_back_from_its_state(self):
        table, other = filled(), TableModel(4, 2, "counts")
        other.restore(table.state())
        assert state_hash(other.state()) == state_hash(table.state())
        rngs = [np.random.default_rng(1) for _ in range(2)]
        one, two = (
            it.imagine(r, 9) for it, r in zip((table, other), rngs, strict=True)
        )
        np.testing.assert_equal(one, two)
        assert other.leading_to(1) == table.leading_to(1) == [1]


class TestQueue:
    def test_it_hands_out_the_highest_first_and_each_pair_once(self):
        queue = SweepQueue()
        for pair, priority in [(3, 1.0), (1, 5.0), (2, 2.0), (3, 9.0), (1, 0.5)]:
            queue.put(pair, priority)
        queue.remove(2)
        assert queue.take(5) == [3, 1]
        assert len(queue) == 0

    def test_it_agrees_with_sorting_after_any_operations(self):
        rng, queue, truth = np.random.default_rng(0), SweepQueue(), {}
        for _ in range(2000):
            pair, priority = int(rng.integers(30)), float(rng.integers(1, 9))
            if rng.random() < 0.2:
                best = sorted(truth, key=lambda it: (-truth[it], it))[:2]
                assert queue.take(2) == best
                truth = {key: it for key, it in truth.items() if key not in best}
            else:
                queue.put(pair, priority)
                truth[pair] = priority
        other = SweepQueue()
        other.restore(queue.state())
        assert other.take(99) == queue.take(99)


def linear_world(rng, count):
    """Observation moves by an action-dependent vector; ends where x₀ is above 1."""
    observation = rng.standard_normal((count, 3)).astype(np.float32)
    action = rng.integers(0, 2, count)
    move = np.where(action[:, None] == 1, [[0.1, 0, -5]], [[0, 0.02, 5]])
    following = (observation + move).astype(np.float32)
    ends = (observation[:, 0] > 1).astype(np.float32)
    return Steps(observation, action, following[:, 0].copy(), ends, following)


class TestNetwork:
    def test_it_learns_changes_rewards_and_ends_of_any_size(self):
        rng = np.random.default_rng(0)
        model = NetworkModel(3, 2, 32, 5, torch.device("cpu"))
        for _ in range(200):
            model.observe(linear_world(rng, 1))
        for _ in range(1500):
            model.learn(linear_world(rng, 32), 3e-3)
        real = linear_world(rng, 200)
        said = model.imagine(real.observation, real.action)
        assert said.reward == pytest.approx(real.reward, abs=0.15)
        moved = said.next_observation - real.observation
        assert moved == pytest.approx(real.next_observation - real.observation, abs=0.3)
        assert np.mean((said.ends > 0.5) == (real.ends > 0.5)) > 0.95

    def test_its_error_is_one_where_it_knows_the_mean_only(self):
        rng = np.random.default_rng(0)
        model = NetworkModel(3, 2, 8, 5, torch.device("cpu"))
        with torch.no_grad():
            model._values.zero_()
        errors = [model.observe(linear_world(rng, 1)) for _ in range(3000)]
        assert np.mean(errors[100:]) == pytest.approx(1.0, abs=0.2)


def test_made_up_steps_bootstrap_as_much_as_they_go_on():
    steps = linear_world(np.random.default_rng(0), 3)._replace(
        ends=np.array([0, 0.25, 1], np.float32)
    )
    batch = made_up(steps, 0.8)
    assert batch.discount.tolist() == pytest.approx([0.8, 0.6, 0.0])
    assert batch.slots.tolist() == [-1, -1, -1]


REFUSED = [
    ({"environment.id": "CartPole-v1"}, "planning.model", "come back"),
    (
        {"planning.kind": "sweeping", "environment.id": "CartPole-v1"},
        "planning.kind",
        "",
    ),
    ({"planning.model": "network", "replay.kind": "none"}, "planning.model", "replay"),
    ({"replay.kind": "sequence"}, "planning.kind", "pieces"),
    ({"agent.estimator": "sarsa"}, "planning.kind", "next action"),
    ({"exploration.kind": "bootstrapped"}, "planning.kind", "alike"),
    ({"environment.frame_stack": 2}, "planning.kind", "stack"),
]


@pytest.mark.parametrize(("options", "key", "words"), REFUSED, ids=str)
def test_what_cannot_be_planned_with_is_refused_with_a_sentence(options, key, words):
    flat = {"environment.id": "FrozenLake-v1", "planning.kind": "dyna", **options}
    configuration = configuration_from_flat(flat)
    with pytest.raises(ConfigurationError) as caught:
        check_combination(configuration, describe(configuration.environment))
    assert words in caught.value.complaints[key]


def test_images_are_predicted_by_no_model():
    card = EnvironmentCard("Pictures", "image", (8, 8, 1), "uint8", actions=3)
    flat = {"planning.kind": "dyna", "planning.model": "network"}
    with pytest.raises(ConfigurationError, match="Pictures shows images"):
        check_combination(configuration_from_flat(flat), card)


def test_players_make_no_model():
    configuration = configuration_from_flat(
        {"environment.id": "FrozenLake-v1", "planning.kind": "dyna"}
    )
    agent = build_agent(configuration, describe(configuration.environment))
    agent.act(np.eye(16, dtype=np.float32)[:1])
    assert "_planning" not in agent.__dict__
