"""In every bundled environment a branch with the recorded actions is the recording."""

import numpy as np
import pytest
from suitable import suitable_ids
from theatre import tiny

from engine.contract.options import Configuration
from engine.environments import describe, make, observation_crc
from engine.stage.branching import Line, Policy, Root, continue_job
from engine.stage.episodes import Weights
from engine.stage.jobs import finish
from engine.stage.minds import Mind

SUITABLE = suitable_ids()
STEPS = 40


def recorded(configuration: Configuration, seed: int) -> dict:
    """An episode of random actions, as the trainer records it."""
    world = make(configuration.environment)
    rng = np.random.default_rng(seed)
    crc, actions, rewards = [observation_crc(world.reset(seed))], [], []
    ended = truncated = False
    while len(actions) < STEPS and not (ended or truncated):
        actions.append(int(rng.integers(world.card.actions)))
        seen, _, ended, truncated, reward = world.step(actions[-1])
        crc.append(observation_crc(seen))
        rewards.append(reward)
    world.close()
    return {
        "seed": seed,
        "actions": np.array(actions),
        "rewards": rewards,
        "observation_crc": np.array(crc, np.uint32),
        "ended": (ended, truncated),
    }


@pytest.mark.slow
@pytest.mark.parametrize("id", SUITABLE)
def test_it_is_the_recording_bit_by_bit(id):
    configuration = tiny(environment__id=id)
    mind = Mind(configuration, describe(configuration.environment))
    policy = Policy(mind, Weights(0, mind.agent.weights()))
    record = recorded(configuration, 3)
    steps = len(record["actions"])
    for t in {0, steps // 2, steps - 1}:
        rest = tuple(record["actions"][t:].tolist())
        root = Root(configuration.environment, record, t)
        lines = [Line(rest), Line(rest)]
        both = finish(continue_job(root, lines, policy, steps - t, lambda it: None))
        for run in both:
            assert tuple(run.actions) == rest
            assert run.rewards == record["rewards"][t:]
            assert (run.terminated, run.truncated) == record["ended"]
