"""Counting states, and exploring by counts and by temperature."""

import math

import numpy as np
import pytest
from by_hand import make, spread

from engine.agents import counts
from engine.agents.counts import DensityCounter, KeyCounter, RandomHash, make_counter
from engine.contract.options import configuration_from_flat


def counter(kind, features=3, columns=2, seed=0):
    options = configuration_from_flat({"exploration.counts": kind})
    return make_counter(options, features, columns, seed)


def observations(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 3)).astype(np.float32)


# ----------------------------------------------------------------- counting


@pytest.mark.parametrize("kind", ["table", "hash"])
def test_what_was_seen_is_counted_by_its_label(kind):
    found, seen = counter(kind), observations(4)
    for index, label in [(0, 0), (0, 0), (0, 1), (2, 1)]:
        found.visit(seen[index], label)
    assert found.counts(seen).tolist() == [[2, 1], [0, 0], [0, 1], [0, 0]]


@pytest.mark.parametrize("kind", ["table", "hash", "density"])
def test_counts_go_out_and_in_whole(kind):
    found, other, seen = counter(kind), counter(kind), observations(300)
    for index, observation in enumerate(seen):
        found.visit(observation, index % 2)
    other.restore(found.state())
    assert np.array_equal(found.counts(seen), other.counts(seen))
    for it in (found, other):
        it.visit(seen[0], 1)
        it.visit(observations(1, seed=9)[0], 0)
    assert np.array_equal(found.counts(seen), other.counts(seen))
    assert found.counts(seen).sum() > 0


def test_a_table_tells_every_difference_and_a_hash_none_of_the_small_ones():
    table, hashed = counter("table"), counter("hash")
    seen = observations(1)[0]
    close = seen + np.float32(1e-6)
    for it in (table, hashed):
        it.visit(seen, 0)
    assert table.counts(close[None])[0].tolist() == [0, 0]
    assert hashed.counts(close[None])[0].tolist() == [1, 0]
    assert hashed.counts(-seen[None])[0].tolist() == [0, 0]


def test_the_hash_is_the_signs_of_projections_that_follow_from_the_seed():
    seen = observations(5)
    keys = RandomHash(3, seed=4).keys(seen)
    assert keys == RandomHash(3, seed=4).keys(seen)
    assert keys != RandomHash(3, seed=5).keys(seen)
    hashing = RandomHash(3, seed=4)
    for key, observation in zip(keys, seen, strict=True):
        bits = [
            int(observation @ hashing._directions[:, bit] + hashing._offsets[bit] > 0)
            for bit in range(32)
        ]
        assert np.unpackbits(np.frombuffer(key, np.uint8)).tolist() == bits


def test_bytes_are_counted_between_zero_and_one():
    """Images are scaled before they are projected; equal ones are the same key."""
    counted = KeyCounter(1, RandomHash(4, seed=0))
    image = np.array([[0, 255], [128, 3]], np.uint8)
    counted.visit(image, 0)
    assert counted.counts(image[None])[0].tolist() == [1]


def test_pseudo_counts_are_the_visits_of_a_state_that_is_always_the_same():
    """One bin in each dimension: N = 1/(ρ'/ρ - 1) is worked out with 16 bins."""
    density = DensityCounter(2, 1)
    seen = np.zeros((1, 2))
    assert density.counts(seen).tolist() == [[0]]
    for visits in range(1, 50):
        density.visit(seen[0], 0)
        before = ((visits + 0.5) / (visits + 8)) ** 2
        after = ((visits + 1.5) / (visits + 9)) ** 2
        expected = 1 / (after / before - 1)
        assert density.counts(seen)[0, 0] == pytest.approx(expected)
    counts = [density.counts(np.full((1, 2), x))[0, 0] for x in (0.0, 100.0)]
    assert counts[0] > 10
    assert counts[1] < 1


def test_pseudo_counts_grow_with_visits_and_generalise_by_elements():
    density = DensityCounter(2, 1)
    for _ in range(20):
        density.visit(np.array([5.0, -5.0]), 0)
    never = density.counts(np.array([[-5.0, 5.0]]))[0, 0]
    half = density.counts(np.array([[5.0, 5.0]]))[0, 0]
    often = density.counts(np.array([[5.0, -5.0]]))[0, 0]
    assert never < half < often


# -------------------------------------------------------------------- the bonus


def test_the_bonus_is_its_scale_by_the_root_of_the_visits():
    agent = make(exploration__bonus=0.5, exploration__counts="table")
    agent.begin(0, np.zeros(3, np.float32))
    first, second = observations(2)
    for state in (first, first, second, first):
        agent.remember(0, 0, 1.0, False, False, state)
    rewards = agent.memory.streams.reward[:4]
    visits = np.array([1, 2, 1, 3])
    assert rewards == pytest.approx(1 + 0.5 / np.sqrt(visits))
    met = agent.familiarity(np.stack([first, second]))
    assert met["visits"].tolist() == [3, 1]
    assert met["bonus"] == pytest.approx(0.5 / np.sqrt([3, 1]))
    told = agent.learn(0).extras["bonus"]
    assert told == pytest.approx((0.5 / np.sqrt(visits)).mean())


@pytest.mark.parametrize("kind", ["table", "hash"])
def test_states_beyond_what_is_counted_earn_what_a_new_one_does(kind, monkeypatch):
    monkeypatch.setattr(counts, "MOST_KEYS", 2)
    agent = make(exploration__bonus=0.5, exploration__counts=kind)
    explorer = agent._actor.explorer
    for state in (*-10.0 * np.eye(3), *10.0 * np.eye(3)):
        assert explorer.bonus(state.astype(np.float32)) <= 0.5
    assert explorer.bonus(np.full(3, 7.0, np.float32)) == 0.5


@pytest.mark.parametrize("kind", ["table", "hash", "density"])
def test_counts_survive_a_restart_while_the_bonus_is_switched_off(kind):
    agent = make(exploration__counts=kind)
    agent.set_option("exploration.bonus", 0.5)
    agent.begin(0, np.zeros(3, np.float32))
    for state in observations(20):
        agent.remember(0, 0, 1.0, False, False, state)
    agent.set_option("exploration.bonus", 0.0)
    resumed = make(exploration__counts=kind)
    resumed.restore(agent.state(), agent.memory.drain_log())
    for it in (agent, resumed):
        it.set_option("exploration.bonus", 0.5)
    for state in observations(20):
        assert agent.familiarity(state[None])["visits"] > 0
        bonus = agent._actor.explorer.bonus(state)
        assert 0 < bonus == resumed._actor.explorer.bonus(state)


def test_an_agent_that_counts_can_go_back_to_before_it_did():
    agent = make()
    agent.begin(0, np.zeros(3, np.float32))
    before, plain = agent.state(), agent.configuration
    agent.set_option("exploration.bonus", 0.5)
    agent.remember(0, 0, 1.0, False, False, observations(1)[0])
    agent.configure(plain)
    agent.restore(before)
    assert agent.familiarity(observations(1)) == {}


def test_of_a_stack_of_frames_the_newest_is_looked_up():
    agent = make(
        exploration__bonus=0.5, exploration__counts="table", environment__frame_stack=3
    )
    single = observations(2)[:, :1]  # a third of what the network sees
    agent.begin(0, single[0])
    for _ in range(4):
        agent.remember(0, 0, 1.0, False, False, single[1])
    stack = np.concatenate([single[0], single[0], single[1]])
    assert agent.familiarity(stack[None])["visits"].tolist() == [4]


def test_with_ucb_the_trials_of_all_actions_are_visits():
    agent = make(exploration__kind="ucb", exploration__counts="table")
    agent.begin(0, observations(1)[0])
    for _ in range(5):
        agent.act(observations(1), "explore", 10_000)
    assert agent.familiarity(observations(1))["visits"].tolist() == [5]
    assert "bonus" not in agent.familiarity(observations(1))


def test_with_ucb_what_is_tried_before_learning_starts_counts_too():
    agent = make(
        exploration__kind="ucb",
        exploration__counts="table",
        exploration__ucb_scale=100.0,
    )
    states, tried = observations(2), np.zeros(3)
    for _ in range(60):
        decision = agent.act(states[:1], "explore", 0, epsilon=1.0)
        tried[decision.actions[0]] += 1
    assert tried.min() > 0
    assert agent.familiarity(states)["visits"].tolist() == [60, 0]
    # The action tried least is the one that the bound now prefers.
    seldom = agent.act(states[:1], "explore", 10_000).actions[0]
    assert tried[seldom] == tried.min()


def test_keys_of_pictures_stay_small():
    table = counter("table", features=1000)
    seen = np.random.default_rng(0).random((5, 1000))
    for picture in seen:
        table.visit(picture, 0)
    assert table.state()["keys"].nbytes <= 5 * 16
    assert table.counts(seen)[:, 0].tolist() == [1] * 5
    assert table.counts(seen + 1e-9)[:, 0].tolist() == [0] * 5


# ------------------------------------------------- exploring by counts: UCB


def test_ucb_takes_the_action_that_the_bound_names():
    """Every choice against q + c √(ln t / n), with counts kept by the test."""
    agent = make(
        exploration__kind="ucb",
        exploration__counts="table",
        exploration__ucb_scale=1.5,
    )
    spread(agent)
    states, tried = observations(3), np.zeros((3, 3))
    q = agent.insight(states)["q"].astype(np.float64)
    rng = np.random.default_rng(0)
    for _ in range(300):
        state = int(rng.integers(3))
        counts, total = tried[state], tried[state].sum()
        bounds = np.full(3, np.inf)
        known = counts > 0
        log = math.log(max(1, total))
        bounds[known] = q[state, known] + 1.5 * np.sqrt(log / counts[known])
        decision = agent.act(states[state][None], "explore", 0)
        assert decision.actions[0] == bounds.argmax()
        assert decision.explored[0] == (bounds.argmax() != q[state].argmax())
        tried[state, bounds.argmax()] += 1
    assert (tried >= 1).all()


def test_parallel_environments_do_not_change_what_ucb_chooses():
    """The trials of one state do not count for another one beside it."""
    options = {
        "exploration__kind": "ucb",
        "exploration__counts": "table",
        "exploration__ucb_scale": 3.0,
    }
    alone = make(**options)
    beside = make(training__environments=2, **options)
    for agent in (alone, beside):
        spread(agent)
    seldom, often = observations(2)
    for _ in range(500):
        beside.act(often[None], "explore", 0)
    chosen = []
    for _ in range(40):
        action = int(alone.act(seldom[None], "explore", 0).actions[0])
        both = beside.act(np.stack([seldom, often]), "explore", 0).actions
        chosen.append((action, int(both[0])))
    assert [a for a, _ in chosen] == [b for _, b in chosen]


# ------------------------------------------ exploring by temperature: Boltzmann


def test_boltzmann_draws_each_action_as_often_as_its_probability():
    agent = make(
        exploration__kind="boltzmann",
        exploration__temperature=0.6,
        training__environments=1,
    )
    spread(agent)
    state, draws = observations(1), 20_000
    q = agent.insight(state)["q"][0].astype(np.float64)
    odds = np.exp(q / 0.6)
    probs = odds / odds.sum()
    decision = agent.act(np.repeat(state, draws, 0), "explore", 0)
    share = np.bincount(decision.actions, minlength=3) / draws
    assert (np.abs(share - probs) < 5 * np.sqrt(probs * (1 - probs) / draws)).all()
    assert decision.behaviour == pytest.approx(probs[decision.actions], rel=1e-5)
    assert decision.explored.tolist() == (decision.actions != q.argmax()).tolist()
    assert probs.min() > 0.01


def test_the_behaviour_of_epsilon_greedy_is_its_probability():
    agent = make(exploration__epsilon=0.3, agent__n_step_correction="retrace")
    spread(agent)
    decision = agent.act(observations(2000), "explore", 0)
    greedy = decision.actions == decision.q.argmax(1)
    assert decision.behaviour[greedy] == pytest.approx(0.8)
    assert decision.behaviour[~greedy] == pytest.approx(0.1)
    assert (~greedy).mean() == pytest.approx(0.2, abs=0.05)
