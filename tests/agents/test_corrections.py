"""n-step corrections, the trust region: what an update leaves out, and how much."""

import math

import numpy as np
import pytest
import torch
from by_hand import ACTIONS, LINEAR, LinearByHand, draw_batch, make, spread

from engine.agents.trust_region import Spread, trusted

GAMMA, N = 0.9, 4
STEPS = {"agent__n_step": N, "replay__kind": "none", "agent__batch_size": 64}


def play(agent, *, steps=12, epsilon=0.0, end="truncated", best=False, seed=0):
    """One episode; ε, and whether only the target network's best actions are taken."""
    rng = np.random.default_rng(seed)
    seen = rng.standard_normal((steps + 1, 3)).astype(np.float32)
    episode = {
        "seen": seen,
        "actions": [],
        "rewards": [],
        "behaviour": [],
        "explored": [],
    }
    agent.begin(0, seen[0])
    for t in range(steps):
        decision = agent.act(seen[t][None], "explore", 0, epsilon=epsilon)
        last = t == steps - 1
        reward = rng.standard_normal()
        action, explored = int(decision.actions[0]), bool(decision.explored[0])
        agent.remember(
            0,
            action,
            reward,
            last and end == "terminated",
            last and end == "truncated",
            seen[t + 1],
            explored,
        )
        episode["actions"].append(action)
        episode["rewards"].append(reward)
        episode["behaviour"] += decision.behaviour.tolist()  # none without Retrace
        episode["explored"].append(explored)
    return episode


def values(agent, episode, network):
    """Q-values of all observations, float64 [T + 1, A]."""
    hand = LinearByHand(agent.configuration, agent.weights())
    return (
        hand.numbers(getattr(hand, network), episode["seen"]).detach().numpy()[..., 0]
    )


def learned_errors(agent):
    """TD errors of the whole episode, in the order of its steps."""
    return agent.learn(0).td_error


def n_step_errors(agent, episode, end, *, cut=None):
    """Double Q-learning over up to N real rewards, by definition."""
    online, target = (values(agent, episode, it) for it in ("online", "target"))
    steps, errors = len(episode["actions"]), []
    for t in range(steps):
        total, factor, k = 0.0, 1.0, t
        while True:
            total += factor * episode["rewards"][k]
            factor *= GAMMA
            k += 1
            if k == steps or k == t + N or (cut is not None and cut[k]):
                break
        if k < steps or end == "truncated":
            total += factor * target[k, online[k].argmax()]
        errors.append(total - online[t, episode["actions"][t]])
    return errors


@pytest.mark.parametrize("end", ["truncated", "terminated"])
@pytest.mark.parametrize("correction", ["none", "retrace", "greedy"])
def test_without_exploration_every_correction_is_the_n_step_return(correction, end):
    """All of them agree while the policy that learns is the one that acts."""
    agent = make(agent__n_step_correction=correction, target_network__tau=1.0, **STEPS)
    agent.load_weights(
        {
            name: values
            for network in ("online", "target")
            for name, values in {
                f"{network}/head.weight": np.eye(3, dtype=np.float32) * 2,
                f"{network}/head.bias": np.zeros(3, np.float32),
            }.items()
        }
    )
    episode = play(agent, end=end)
    expected = n_step_errors(agent, episode, end)
    if correction == "retrace":
        # Retrace sums its errors up to the window's end: Q's own cancel out.
        assert len(expected) == 12
    assert learned_errors(agent) == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("end", ["truncated", "terminated"])
def test_a_greedy_window_ends_before_the_first_random_action(end):
    agent = make(agent__n_step_correction="greedy", **STEPS)
    spread(agent)
    episode = play(agent, epsilon=0.5, end=end)
    assert 0 < sum(episode["explored"][1:]) < 11
    cut = [*episode["explored"], False]
    expected = n_step_errors(agent, episode, end, cut=cut)
    plain = n_step_errors(agent, episode, end)
    assert expected != pytest.approx(plain)
    assert learned_errors(agent) == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("end", ["truncated", "terminated"])
@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("trace", [0.0, 0.6, 1.0])
@pytest.mark.parametrize(
    "options",
    [
        {"agent__estimator": "q_learning"},
        {"agent__estimator": "expected_sarsa"},
        {"agent__estimator": "soft"},
        {
            "agent__estimator": "sarsa",
            "exploration__kind": "boltzmann",
            "exploration__temperature": 0.8,
        },
    ],
    ids=lambda it: it["agent__estimator"],
)
def test_retrace_is_its_recursion_by_definition(options, double, trace, end):
    """Written backwards over the steps, as Munos et al. (2016) do."""
    agent = make(
        agent__n_step_correction="retrace",
        agent__double=double,
        agent__trace_decay=trace,
        **STEPS,
        **options,
    )
    spread(agent)
    # Two episodes, so that a window must not run on into the next one.
    played = [play(agent, epsilon=None, end=end, seed=it) for it in range(2)]
    expected = [it for of in played for it in retrace_errors(agent, of, end)]
    assert learned_errors(agent) == pytest.approx(expected, rel=1e-3, abs=1e-5)


def retrace_errors(agent, episode, end):
    """TD errors of all steps; each target is built from its last step backwards."""
    options = agent.configuration.agent
    online, target = (values(agent, episode, it) for it in ("online", "target"))
    chooser = online if options.double else target
    policy = np.array([_policy(agent, row) for row in chooser])
    bonus = np.zeros_like(policy)
    if options.estimator == "soft":
        bonus = -options.temperature * np.log(policy)
    value = (policy * (target + bonus)).sum(1)
    steps, errors = 12, []
    for t in range(steps):
        goal = None
        for k in reversed(range(t, min(t + N, steps))):
            over = k + 1 == steps and end == "terminated"
            follow = 0.0 if over else GAMMA * value[k + 1]
            if goal is not None:
                taken = episode["actions"][k + 1]
                likely = policy[k + 1, taken] / episode["behaviour"][k + 1]
                correction = goal - target[k + 1, taken]
                follow += GAMMA * options.trace_decay * min(1.0, likely) * correction
            goal = episode["rewards"][k] + follow
        errors.append(goal - online[t, episode["actions"][t]])
    return errors


def _policy(agent, q):
    options = agent.configuration
    if options.agent.estimator == "soft":
        odds = np.exp((q - q.max()) / options.agent.temperature)
        return odds / odds.sum()
    if options.exploration.kind == "boltzmann":
        odds = np.exp((q - q.max()) / options.exploration.temperature)
        return odds / odds.sum()
    greedy = np.eye(ACTIONS)[q.argmax()]
    if options.agent.estimator == "q_learning":
        return greedy
    epsilon = LINEAR["exploration.epsilon"]
    return (1 - epsilon) * greedy + epsilon / ACTIONS


def test_retrace_of_a_greedy_policy_cuts_where_it_would_not_have_acted_so():
    """Behind such an action nothing counts: the target is the shorter return."""
    agent = make(
        agent__n_step_correction="retrace",
        agent__double=False,
        target_network__kind="none",
        **STEPS,
    )
    spread(agent)
    episode = play(agent, epsilon=1.0, steps=40)
    q = values(agent, episode, "online")
    cut = [a != q[t].argmax() for t, a in enumerate(episode["actions"])]
    target, errors = q, []
    for t in range(40):
        goal, factor, k = 0.0, 1.0, t
        while True:
            goal += factor * episode["rewards"][k]
            factor *= GAMMA
            k += 1
            if k in (40, t + N) or cut[k]:
                break
        errors.append(goal + factor * target[k].max() - q[t, episode["actions"][t]])
    assert any(cut[1:])
    assert learned_errors(agent) == pytest.approx(errors, rel=1e-3, abs=1e-4)


# ------------------------------------------------------------- the trust region


TRUST = {
    "agent__bootstrap": "trust_region",
    "agent__double": False,
    "agent__trust_width": 1.0,
    "agent__loss": "squared",
    "agent__gradient_clip": 0.0,
}


def trusting(**options):
    """Online values are (0, 3, -3) everywhere, those of the target network 0."""
    agent = make(**TRUST, **options)
    weights = {k: np.zeros_like(v) for k, v in agent.weights().items()}
    weights["online/head.bias"][:] = (0.0, 3.0, -3.0)
    agent.load_weights(weights)
    return agent


def test_samples_that_would_leave_the_trust_region_give_no_gradient():
    """By hand: terminated, so that the target is the reward.

    TD errors (1, -5, 2, 5, -2, 0) have σ = 3.13; the width is one σ, and no value is
    farther than 3 away: nothing is masked. With errors of a tenth σ is 0.313 and the
    values ±3 are outside: those go whose error has the sign of their distance.
    """
    value = np.array([0.0, 3.0, 3.0, -3.0, -3.0, 3.0])
    error = np.array([1.0, -5.0, 2.0, 5.0, -2.0, 0.0])
    for scale, kept in ((1.0, [1, 1, 1, 1, 1, 1]), (0.1, [1, 1, 0, 1, 0, 0])):
        agent = trusting()
        batch = draw_batch(6)._replace(
            action=np.array([0, 1, 1, 2, 2, 1]),
            reward=(value + scale * error).astype(np.float32),
            discount=np.zeros(6, np.float32),
        )
        assert (scale * error).std() == pytest.approx(3.13 * scale, rel=0.01)
        update = agent.learn_from(batch, 0)
        assert update.td_error == pytest.approx(scale * error, abs=1e-5)
        assert update.extras["masked"] == pytest.approx(1 - sum(kept) / 6)
        counted = np.array(kept) * scale * error
        assert update.loss == pytest.approx((counted * scale * error).sum() / 12)
        slope = np.zeros((6, 3))
        slope[np.arange(6), batch.action] = -counted / 6
        found = agent.online.head.weight.grad.numpy()
        assert found == pytest.approx(slope.T @ batch.observation, abs=1e-5)


def test_the_region_can_be_measured_in_the_spread_of_the_values():
    """σ of (0, 3, 3, -3, -3, 3) is 2.63: at a width of 1 values of 3 are outside."""
    value = np.array([0.0, 3.0, 3.0, -3.0, -3.0, 3.0])
    error = np.array([10.0, 10.0, -10.0, 10.0, -10.0, -10.0])
    for width, masked in ((1.0, 2), (1.2, 0)):
        agent = trusting(agent__trust_scale="q")
        agent.set_option("agent.trust_width", width)
        batch = draw_batch(6)._replace(
            action=np.array([0, 1, 1, 2, 2, 1]),
            reward=(value + error).astype(np.float32),
            discount=np.zeros(6, np.float32),
        )
        assert agent.learn_from(batch, 0).extras["masked"] == pytest.approx(masked / 6)


def test_a_trusting_update_bootstraps_on_the_online_network():
    agent = trusting()
    batch = draw_batch(4)._replace(
        action=np.zeros(4, np.int64),
        reward=np.zeros(4, np.float32),
        discount=np.full(4, 0.5, np.float32),
    )
    assert agent.learn_from(batch, 0).td_error == pytest.approx(np.full(4, 1.5))


def test_the_scale_is_the_largest_of_now_before_and_the_least():
    agent = trusting()
    region, options = agent.learner.trust, agent.configuration

    def sigma(width):
        zeros, target = torch.zeros(2), torch.tensor([-width, width])
        spread = Spread(region.square, region.weights)
        ones = torch.ones(2)
        region.square = trusted(options, spread, zeros, zeros, target, ones)[1]
        sigma = math.sqrt(region.square / region.weights)
        region.moved()
        return sigma

    assert sigma(2.0) == pytest.approx(2.0)
    running = math.sqrt((0.99 * 4 + 1.0) * 0.01 / (1 - 0.99**2))
    assert sigma(1.0) == pytest.approx(running)


@pytest.mark.parametrize("rows", [0, 2])
def test_without_any_spread_the_region_has_its_least_width(rows):
    options = trusting().configuration.with_options({"agent.trust_width": 1.0})
    away, target = torch.tensor([0.009, 0.011])[:rows], torch.ones(rows)
    zeros, none = torch.zeros(rows), torch.zeros(rows)
    spread = Spread(torch.zeros(()), 0.01)
    keep, square = trusted(options, spread, away, zeros, target, none)
    assert square == 0
    # What goes on away from the target network is kept out beyond 0.01.
    assert keep.tolist() == [True, False][:rows]
    assert trusted(options, spread, away, zeros, -target, none)[0].all()


def test_padded_steps_of_sequences_do_not_move_the_scale_of_the_region():
    """Episodes of one step in pieces of four: three of four steps are no steps."""
    agent = make(
        **TRUST,
        network__recurrent="gru",
        network__hidden="4",
        replay__kind="sequence",
        replay__sequence_length=4,
    )
    for episode in range(8):
        agent.begin(0, np.full(3, episode, np.float32))
        agent.act(np.full((1, 3), episode, np.float32), "explore", 0)
        agent.remember(0, 0, 100.0, True, False, np.zeros(3, np.float32))
    batch = agent.memory.sample(8, 0.9, 1.0)
    assert batch.sequences.valid.mean() == 0.25
    update = agent.learn_from(batch, 0)
    spread = update.td_error.astype(np.float64).std()
    assert math.sqrt(agent.learner.trust.square / 0.01) == pytest.approx(
        spread, rel=1e-4
    )
