"""The agent's update equals one that was worked out apart from it, in float64."""

import itertools

import numpy as np
import pytest
from by_hand import LinearByHand, draw_batch, make, spread

ESTIMATORS = ("q_learning", "sarsa", "expected_sarsa", "soft")
HEADS = ("scalar", "c51", "qr", "mmd")
DUELING = ("none", "mean", "max")


def assert_same_update(agent, batches, epsilon=0.3):
    """Several updates in a row: moments of Adam and the target network count too."""
    spread(agent)
    expected = LinearByHand(agent.configuration, agent.weights())
    for batch in batches:
        update, hand = agent.learn_from(batch, 0), expected.update(batch, epsilon)
        assert update.loss == pytest.approx(hand["loss"], rel=1e-4, abs=1e-6)
        assert update.gradient_norm == pytest.approx(hand["norm"], rel=1e-3)
        assert update.td_error == pytest.approx(hand["error"], rel=1e-4, abs=1e-5)
        assert update.q == pytest.approx(hand["q"], rel=1e-4, abs=1e-5)
        weights = agent.weights()
        for network in ("online", "target"):
            for name, value in zip(
                ("weight", "bias"), getattr(expected, network), strict=True
            ):
                found = weights[f"{network}/head.{name}"]
                assert found == pytest.approx(value.detach().numpy(), abs=2e-4)


@pytest.mark.parametrize(
    ("estimator", "double", "head", "dueling"),
    list(itertools.product(ESTIMATORS, (False, True), HEADS, DUELING)),
)
def test_updates_are_those_worked_out_by_hand(estimator, double, head, dueling):
    agent = make(
        agent__estimator=estimator,
        agent__double=double,
        agent__dueling=dueling,
        head__kind=head,
    )
    assert_same_update(
        agent, [draw_batch(seed=it, weighted=it == 1) for it in range(3)]
    )


@pytest.mark.parametrize("head", HEADS)
def test_the_conservative_penalty_is_the_one_worked_out_by_hand(head):
    agent = make(agent__conservative=0.5, head__kind=head)
    assert_same_update(agent, [draw_batch(seed=it, weighted=True) for it in range(2)])


@pytest.mark.parametrize("head", HEADS)
def test_a_long_gradient_is_cut_to_its_limit_before_adam_sees_it(head):
    agent = make(agent__gradient_clip=0.05, head__kind=head)
    assert_same_update(agent, [draw_batch(seed=it) for it in range(2)])


@pytest.mark.parametrize("kappa", [0.1, 5.0])
def test_the_threshold_of_the_quantile_loss(kappa):
    agent = make(head__kind="qr", head__kappa=kappa)
    assert_same_update(agent, [draw_batch()])


def test_targets_of_c51_on_the_atoms_and_outside_of_them_lose_nothing():
    """Rewards on atoms, between them and far outside; all of them terminated."""
    agent = make(head__kind="c51")
    batch = draw_batch(8)
    reward = np.array([-2.0, -0.75, 0.5, 1.0, 1.75, 3.0, 1e6, -1e6], np.float32)
    ended = batch._replace(reward=reward, discount=np.zeros(8, np.float32))
    hand = LinearByHand(agent.configuration, agent.weights())
    goals = np.array([hand.project(*it) for it in hand.targets(ended, 0.0)])
    assert goals.sum(1) == pytest.approx(np.ones(8))
    assert goals[:2].round(6).tolist() == [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]]
    assert_same_update(agent, [ended._replace(reward=reward.clip(-9, 9)), ended])


def test_c51_puts_the_losses_into_its_priorities():
    """Kullback-Leibler divergences: 0 where nothing is left to learn."""
    agent = make(head__kind="c51", replay__kind="prioritized")
    spread(agent)
    batch = draw_batch()._replace(slots=np.arange(12))
    agent.memory.begin(0, np.zeros(3, np.float32))
    for _ in range(12):
        agent.memory.append(0, 0, 0.0, False, False, np.zeros(3, np.float32))
    hand = LinearByHand(agent.configuration, agent.weights()).update(batch, 0.3)
    agent.learn_from(batch, 0)
    expected = hand["losses"] + agent.configuration.replay.priority_epsilon
    found = agent.memory.priorities.raw[:12]
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-5)
    assert (hand["losses"] >= 0).all()


def test_sarsa_takes_the_known_action_and_else_the_mean_over_its_policy():
    """Worked out on paper: Q(s', ·) is (1, 2, 4), and ε is 0.3."""
    agent = make(agent__estimator="sarsa", agent__double=False)
    weights = {k: np.zeros_like(v) for k, v in agent.weights().items()}
    weights["target/head.bias"][:] = (1.0, 2.0, 4.0)
    weights["online/head.bias"][:] = (9.0, 0.0, 0.0)
    agent.load_weights(weights)
    batch = draw_batch(4)._replace(
        action=np.array([1, 1, 1, 1]),
        reward=np.full(4, 10.0, np.float32),
        discount=np.array([0.5, 0.5, 0.0, 0.0], np.float32),
        next_action=np.array([1, -1, -1, 2]),
    )
    mean = 0.1 * 1 + 0.1 * 2 + 0.8 * 4
    expected = [10 + 0.5 * 2, 10 + 0.5 * mean, 10, 10]
    assert agent.learn_from(batch, 0).td_error == pytest.approx(expected, rel=1e-6)


def test_soft_values_are_the_log_sum_of_exponentials():
    agent = make(agent__estimator="soft", agent__double=False)
    weights = {k: np.zeros_like(v) for k, v in agent.weights().items()}
    weights["target/head.bias"][:] = (1.0, 2.0, 4.0)
    agent.load_weights(weights)
    batch = draw_batch(2)._replace(
        reward=np.zeros(2, np.float32), discount=np.array([1.0, 0.0], np.float32)
    )
    soft = 0.7 * np.log(np.exp(np.array([1, 2, 4]) / 0.7).sum())
    assert agent.learn_from(batch, 0).td_error == pytest.approx([soft, 0.0], abs=1e-5)
