"""On a table every method ends where dynamic programming says it ends.

The agent sees, again and again, each state and action with each of its consequences,
weighted by how likely they are: what it converges to is the fixed point of the method
alone, without chance or exploration. Its network is linear on one-hot states, so it can
represent every table.
"""

import gymnasium
import numpy as np
import pytest
from tiny_worlds import RandomMap

from engine.agents import build_agent
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat
from engine.environments.worlds.cliff import Cliff
from engine.environments.worlds.grid_world import GridWorld
from engine.environments.worlds.tabular import TabularMDP, greedy_policy
from engine.replay import Batch

EPSILON, TEMPERATURE = 0.1, 0.5
ESTIMATORS = ("q_learning", "sarsa", "expected_sarsa", "soft")


def frozen_lake():
    """FrozenLake out of gymnasium's own table."""
    table = gymnasium.make("FrozenLake-v1").unwrapped.P
    transition, reward = np.zeros((16, 4, 16)), np.zeros((16, 4))
    over = np.zeros(16, bool)
    for state, actions in table.items():
        for action, outcomes in actions.items():
            for probability, following, paid, ended in outcomes:
                transition[state, action, following] += probability
                reward[state, action] += probability * paid
                over[following] |= ended
    return TabularMDP(transition, reward, over)


WORLDS = {
    "GridWorld": lambda: GridWorld(layout="garden").model(),
    "FrozenLake": frozen_lake,
    "Cliff": lambda: Cliff().model(),
}
DISCOUNTS = {"GridWorld": 0.95, "FrozenLake": 0.95, "Cliff": 0.9}


def soft_iteration(model, discount):
    """Q of soft value iteration: V is the log-sum-exp of Q, in units of τ."""
    q = np.zeros_like(model.reward)
    for _ in range(5000):
        top = q.max(1)
        soft = TEMPERATURE * np.log(np.exp((q - top[:, None]) / TEMPERATURE).sum(1))
        value = np.where(model.terminated, 0.0, top + soft)
        q = model.reward + discount * (model.transition @ value)
    return q


def exact(model, estimator, discount):
    """Q that the estimator ends at, [S, A], by dynamic programming."""
    if estimator == "soft":
        return soft_iteration(model, discount)
    epsilon = 0.0 if estimator == "q_learning" else EPSILON
    return model.solve(discount, epsilon).q_values


class Sweeps:
    """An agent that sees all of a world at each update."""

    def __init__(self, model, estimator, discount, updates, **options):
        flat = {
            "agent.estimator": estimator,
            "agent.discount": discount,
            "agent.double": False,
            "agent.learning_rate_final": 0.01,
            "agent.learning_starts": 0,
            "agent.gradient_clip": 0.0,
            "agent.loss": "squared",
            "agent.temperature": TEMPERATURE,
            "exploration.schedule": "constant",
            "exploration.epsilon": EPSILON,
            "network.hidden": "",
            "target_network.kind": "none",
            "training.steps": updates,
            **options,
        }
        self.model, self.updates = model, updates
        states, actions = model.reward.shape
        card = EnvironmentCard("T", "onehot", (states,), actions=actions)
        self.agent = build_agent(configuration_from_flat(flat), card, seed=0)
        self.states = np.eye(states, dtype=np.float32)
        chances = np.where(model.terminated[:, None, None], 0.0, model.transition)
        self.state, self.action, self.following = np.nonzero(chances)
        self.chance = chances[self.state, self.action, self.following]
        self.estimator, self.discount = estimator, discount

    def q(self):
        return self.agent.insight(self.states)["q"]

    def batch(self):
        """Every transition; with SARSA once for each action that may come next."""
        state, action, after, chance = (
            self.state,
            self.action,
            self.following,
            self.chance,
        )
        following = np.full(len(state), -1)
        if self.estimator == "sarsa":
            count = self.model.reward.shape[1]
            q = self.q()
            policy = np.full_like(q, EPSILON / count)
            policy[np.arange(len(q)), q.argmax(1)] += 1 - EPSILON
            following = np.tile(np.arange(count), len(state))
            state, action, after, chance = (
                np.repeat(it, count) for it in (state, action, after, chance)
            )
            chance = chance * policy[after, following]
        ended = self.model.terminated[after]
        return Batch(
            slots=np.full(len(state), -1),
            observation=self.states[state],
            action=action,
            reward=self.model.reward[state, action].astype(np.float32),
            discount=np.where(ended, 0.0, self.discount).astype(np.float32),
            next_observation=self.states[after],
            next_action=following,
            weight=chance.astype(np.float32),
        )

    def run(self):
        """Q-values of all states that are no end, after all updates."""
        batch = self.batch()
        for step in range(self.updates):
            batch = self.batch() if self.estimator == "sarsa" else batch
            self.agent.learn_from(batch, step)
        return self.q()[~self.model.terminated]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("world", WORLDS)
def test_a_linear_network_on_states_ends_at_the_fixed_point(world, estimator):
    model, discount = WORLDS[world](), DISCOUNTS[world]
    expected = exact(model, estimator, discount)[~model.terminated]
    scale = np.abs(expected).max()
    # Adam moves each weight by about its rate: it has to fit the size of the values.
    rate = {"agent.learning_rate": min(1.0, 0.01 * scale)}
    found = Sweeps(model, estimator, discount, 3000, **rate).run()
    assert found == pytest.approx(expected, abs=0.003 * scale)


HEADS = {
    "c51": {"head.atoms": 21, "head.value_min": -4.0, "head.value_max": 6.0},
    "qr": {"head.atoms": 24, "head.kappa": 0.01},
    "mmd": {"head.atoms": 8, "head.bandwidths": "1,4,16"},
}


def random_map():
    """The fixed random map of the tests of the loop, with an end of its own."""
    world = RandomMap()
    states, actions = world.reward.shape
    transition = np.zeros((states + 1, actions, states + 1))
    for at in np.ndindex(states, actions):
        following = states if world.ends[at] else world.next_state[at]
        transition[(*at, following)] = 1.0
    transition[states, :, states] = 1.0
    reward = np.concatenate([world.reward, np.zeros((1, actions))])
    return TabularMDP(transition, reward, np.arange(states + 1) == states)


def distance(head, estimator, updates=1200, **options):
    """Largest distance from dynamic programming, on the random map."""
    model = random_map()
    settings = {"head.kind": head, "agent.learning_rate": 0.05, **HEADS[head]}
    sweeps = Sweeps(model, estimator, 0.8, updates, **settings | options)
    expected = exact(model, estimator, 0.8)[~model.terminated]
    return float(np.abs(sweeps.run() - expected).max())


@pytest.mark.parametrize("head", HEADS)
def test_the_means_of_every_head_end_there_as_well(head):
    """The map has no chance in it and the best action is one: no mixture."""
    assert distance(head, "q_learning") < 0.01


@pytest.mark.parametrize(
    "estimator",
    [pytest.param("sarsa", marks=pytest.mark.long), *ESTIMATORS[2:]],
)
@pytest.mark.parametrize(
    ("head", "close"),
    [
        ("c51", 0.01),
        # Each quantile is the middle of its share: the mean of a mixture is off by at
        # most its width (6) / 2N for each step, 0.6 here; what is left is a tenth.
        ("qr", 0.06),
        # Eight particles cannot hold the share of 1/30 that a random action has.
        ("mmd", 0.12),
    ],
)
def test_the_means_of_mixtures_end_there_as_well(head, close, estimator):
    assert distance(head, estimator) < close


def test_more_quantiles_come_closer_to_the_mean_of_a_mixture():
    few, many = (distance("qr", "expected_sarsa", **{"head.atoms": n}) for n in (6, 24))
    assert many < few / 2


def test_q_learning_finds_the_edge_of_the_cliff_and_sarsa_the_way_that_pays():
    """Sutton and Barto's example 6.6: what both ways earn is known exactly.

    Greedily 13 and 15 steps; while exploring with ε = 0.1, the way of SARSA earns
    the most that any way can, -20.71, and the edge less than twice as much.
    """
    cliff = Cliff()
    model, start = cliff.model(), 36
    best = cliff.soft_optimum(EPSILON).values[start]
    assert best == pytest.approx(-20.71, abs=0.01)
    for estimator, way in (("q_learning", -13), ("sarsa", -15)):
        rate = {"agent.learning_rate": 0.3}
        sweeps = Sweeps(model, estimator, 0.98, 4000, **rate)
        sweeps.run()
        greedy = greedy_policy(sweeps.q())
        exploring = greedy_policy(sweeps.q(), EPSILON)
        assert model.evaluate(greedy, 1.0).values[start] == pytest.approx(way)
        earned = model.evaluate(exploring, 1.0).values[start]
        if estimator == "sarsa":
            assert earned == pytest.approx(best, abs=0.3)
        else:
            assert earned < 2 * best
