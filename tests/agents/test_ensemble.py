"""The bootstrapped ensemble: whose data, whose target, whose decision."""

import numpy as np
import pytest
import torch
from by_hand import PARAMETERS, LinearByHand, draw_batch, make, spread

from engine.contract.arrays import state_hash

K = 3
ENSEMBLE = {
    "exploration__kind": "bootstrapped",
    "exploration__members": K,
    "exploration__prior_scale": 2.0,
}


def prior_of(agent, network="online"):
    return getattr(agent, network)._prior[0]


def member_by_hand(agent, member):
    """This member as an agent of its own, its prior added to what it says."""

    class Member(LinearByHand):
        def numbers(self, parameters, observed):
            head = prior_of(agent).head
            prior = [getattr(head, it)[member].double() for it in PARAMETERS]
            with torch.no_grad():
                fixed = super().numbers(prior, observed)
            return super().numbers(parameters, observed) + 2.0 * fixed

    weights = {name: array[member] for name, array in agent.weights().items()}
    return Member(agent.configuration, weights)


@pytest.mark.parametrize("head", ["scalar", "c51", "qr", "mmd"])
@pytest.mark.parametrize("dueling", ["none", "mean"])
def test_each_member_learns_from_its_share_and_its_own_target_network(head, dueling):
    agent = make(head__kind=head, agent__dueling=dueling, **ENSEMBLE)
    spread(agent)
    members = np.random.default_rng(2).random((12, K)) < 0.5
    members[0], members[1] = False, True
    batch = draw_batch(weighted=True)._replace(extras={"members": members})
    # Adam steps do not mix members; clipping would, as it looks at all of them.
    hands = [member_by_hand(agent, it) for it in range(K)]
    agent.set_option("agent.gradient_clip", 0.0)
    for hand in hands:
        hand.options = agent.configuration
    for _ in range(2):
        update = agent.learn_from(batch, 0)
        seen = [
            hand.update(batch, 0.0, share=members[:, it])
            for it, hand in enumerate(hands)
        ]
        assert update.loss == pytest.approx(sum(it["loss"] for it in seen), rel=1e-4)
        errors = np.concatenate([it["error"] for it in seen])
        assert update.td_error == pytest.approx(errors, rel=1e-4, abs=1e-5)
        weights = agent.weights()
        for it, hand in enumerate(hands):
            for name, value in zip(PARAMETERS, hand.online, strict=True):
                found = weights[f"online/head.{name}"][it]
                assert found == pytest.approx(value.detach().numpy(), abs=2e-4)


def test_a_member_that_sees_nothing_learns_nothing():
    agent = make(**ENSEMBLE)
    spread(agent)
    members = np.ones((12, K), bool)
    members[:, 1] = False
    before = agent.weights()["online/head.weight"]
    agent.learn_from(draw_batch()._replace(extras={"members": members}), 0)
    after = agent.weights()["online/head.weight"]
    assert np.array_equal(before[1], after[1])
    assert not np.isclose(before[[0, 2]], after[[0, 2]]).all((1, 2)).any()


def test_priorities_are_the_mean_surprise_of_the_members():
    agent = make(replay__kind="prioritized", **ENSEMBLE)
    agent.begin(0, np.zeros(3, np.float32))
    rng = np.random.default_rng(0)
    for _ in range(12):
        agent.remember(0, 1, 1.0, False, False, rng.standard_normal(3, np.float32))
    batch = agent.memory.sample(12, 0.9, 1.0)
    errors = agent.learn_from(batch, 0).td_error.reshape(K, 12)
    raw = agent.memory.priorities.raw[batch.slots]
    epsilon = agent.configuration.replay.priority_epsilon
    # A slot that is drawn twice has the same errors twice.
    assert raw == pytest.approx(np.abs(errors).mean(0) + epsilon, rel=1e-5)


# ---------------------------------------------------------------- the prior


def test_the_prior_is_fixed_and_follows_from_the_seed():
    agent, again, other = make(3, **ENSEMBLE), make(3, **ENSEMBLE), make(4, **ENSEMBLE)
    first = prior_of(agent).head.weight.clone()
    assert torch.equal(first, prior_of(again).head.weight)
    assert torch.equal(first, prior_of(agent, "target").head.weight)
    assert not torch.equal(first, prior_of(other).head.weight)
    assert not torch.equal(first, agent.online.head.weight)
    assert len({tuple(it.flatten().tolist()) for it in first}) == K
    members = np.ones((12, K), bool)
    for seed in range(5):
        batch = draw_batch(seed=seed)._replace(extras={"members": members})
        agent.learn_from(batch, 0)
    assert torch.equal(first, prior_of(agent).head.weight)
    assert not any("prior" in name for name in agent.weights())


def test_a_restored_agent_of_the_same_seed_says_the_same_with_its_prior():
    agent, again = make(3, **ENSEMBLE), make(3, **ENSEMBLE)
    members = np.ones((12, K), bool)
    agent.learn_from(draw_batch()._replace(extras={"members": members}), 0)
    again.restore(agent.state(), agent.memory.drain_log())
    seen = draw_batch().observation
    assert np.array_equal(agent.act(seen).q, again.act(seen).q)
    assert state_hash(agent.state()) == state_hash(again.state())


# ------------------------------------------------------------- its decisions


def test_one_member_decides_for_a_whole_episode():
    agent = make(**ENSEMBLE, agent__discount=0.9)
    spread(agent)
    rng = np.random.default_rng(0)
    seen = rng.standard_normal((40, 1, 3)).astype(np.float32)
    decided = []
    for _ in range(60):
        agent.begin(0, seen[0, 0])
        actions = [int(agent.act(it, "explore", 0).actions[0]) for it in seen]
        each = agent.insight(seen[:, 0])["member_q"].argmax(2)
        matching = [it for it in range(K) if each[:, it].tolist() == actions]
        assert len(matching) == 1
        decided += matching
    counts = np.bincount(decided, minlength=K)
    # 60 draws of three: each within five standard deviations of 20.
    assert (np.abs(counts - 20) < 5 * np.sqrt(60 * 2 / 9)).all()


def test_parallel_episodes_have_members_of_their_own():
    agent = make(**ENSEMBLE, training__environments=8)
    spread(agent)
    for stream in range(8):
        agent.begin(stream, np.zeros(3, np.float32))
    members = agent._actor.explorer.members.copy()
    assert len(set(members.tolist())) > 1
    seen = np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)
    each = agent.insight(seen)["member_q"].argmax(2)
    actions = agent.act(seen, "explore", 0).actions
    assert actions.tolist() == each[np.arange(8), members].tolist()
    agent.begin(2, np.zeros(3, np.float32))
    others = np.delete(np.arange(8), 2)
    assert np.array_equal(agent._actor.explorer.members[others], members[others])


def test_greedy_decisions_are_those_of_the_mean_of_all_members():
    agent = make(**ENSEMBLE)
    spread(agent)
    seen = np.random.default_rng(0).standard_normal((30, 3)).astype(np.float32)
    insight = agent.insight(seen)
    assert insight["q"] == pytest.approx(insight["member_q"].mean(1), rel=1e-5)
    assert agent.act(seen).actions.tolist() == insight["q"].argmax(1).tolist()


def test_each_member_is_shown_its_share_of_the_transitions():
    agent = make(**ENSEMBLE, exploration__mask_probability=0.25, replay__capacity=5000)
    agent.begin(0, np.zeros(3, np.float32))
    for _ in range(4000):
        agent.remember(0, 0, 0.0, False, False, np.zeros(3, np.float32))
    shown = agent.memory.streams.extras["members"][:4000]
    assert shown.mean(0) == pytest.approx(np.full(K, 0.25), abs=0.035)
    together = shown[:, :1] & shown[:, 1:]
    assert together.mean() == pytest.approx(1 / 16, abs=0.02)


def test_disagreement_is_the_spread_of_the_members():
    agent = make(**ENSEMBLE)
    spread(agent)
    batch = draw_batch()._replace(extras={"members": np.ones((12, K), bool)})
    each = agent.insight(batch.observation)["member_q"]
    update = agent.learn_from(batch, 0)
    assert update.extras["disagreement"] == pytest.approx(each.std(1).mean(), rel=1e-5)
