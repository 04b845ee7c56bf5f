"""The blind cliff walk: one memory in hundreds holds the reward.

Schaul et al. (2016), figure 1: ``n`` right decisions in a row, a wrong one ends the
episode with nothing. All 2^n sequences of decisions are remembered once; what counts is
how many updates it takes to learn all values from them.
"""

import itertools

import numpy as np
import pytest

from engine.agents import build_agent
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat

N = 8
GAMMA = 1 - 1 / N
STATES = np.eye(N + 1, dtype=np.float32)


def remembering(seed, **options):
    flat = {
        "agent.discount": GAMMA,
        "agent.double": False,
        "agent.batch_size": 4,
        "agent.learning_rate": 0.25,
        "agent.optimizer": "sgd",
        "agent.loss": "squared",
        "agent.gradient_clip": 0.0,
        "network.hidden": "",
        "replay.capacity": 2000,
        "replay.priority_epsilon": 1e-4,
        "replay.beta": 0.0,
        "replay.beta_final": 0.0,
        "target_network.kind": "none",
        **options,
    }
    card = EnvironmentCard("T", "onehot", (N + 1,), actions=2)
    agent = build_agent(configuration_from_flat(flat), card, seed=seed)
    zeros = {name: np.zeros_like(it) for name, it in agent.weights().items()}
    agent.load_weights(zeros)
    walks = list(itertools.product((0, 1), repeat=N))
    np.random.default_rng(seed).shuffle(walks)
    for walk in walks:
        agent.begin(0, STATES[0])
        for state, action in enumerate(walk):
            goal = action == 1 and state == N - 1
            ended = action == 0 or goal
            agent.remember(0, action, float(goal), ended, False, STATES[state + 1])
            if ended:
                break
    return agent


def updates_needed(seed, **options):
    """Updates until every value is within a tenth of the truth, at most 20 000."""
    agent = remembering(seed, **options)
    truth = np.zeros((N, 2))
    truth[:, 1] = GAMMA ** np.arange(N - 1, -1, -1)
    for update in range(0, 20_000, 50):
        q = agent.insight(STATES[:N])["q"]
        if np.abs(q - truth).max() < 0.1:
            return update
        for _ in range(50):
            agent.learn(0)
    return 20_000


def test_the_memory_holds_one_reward():
    streams = remembering(0).memory.streams
    assert (streams.reward[streams.sampleable] > 0).sum() == 1
    assert streams.sampleable.sum() == 2 ** (N + 1) - 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "priority", ["proportional", pytest.param("rank", marks=pytest.mark.long)]
)
def test_prioritized_replay_needs_fewer_updates_than_uniform(priority):
    kind = {"replay.kind": "prioritized", "replay.priority": priority}
    ours = [updates_needed(seed, **kind) for seed in range(5)]
    uniform = [updates_needed(seed) for seed in range(5)]
    assert max(ours) < 20_000
    assert np.median(ours) < np.median(uniform) / 2
