"""Any sensible combination of options trains, is saved, restored, and goes on.

``RLLAB_COMBINATIONS`` says how many random ones there are: 20 where it is not set, 300
is the full count. All but ten of them are left to those who have the time.
"""

import os
from importlib.util import find_spec

import numpy as np
import pytest

from engine.contract.arrays import join, split, state_hash
from engine.contract.catalogue import check_combination
from engine.contract.options import ConfigurationError, configuration_from_flat
from engine.environments import describe
from engine.training import TrainingLoop

COUNT = int(os.environ.get("RLLAB_COMBINATIONS", "20"))
SOME = min(COUNT, 10)
REST = [pytest.param(it, marks=pytest.mark.long) for it in range(SOME, COUNT)]
STEPS, MORE = 250, 250
ENVIRONMENTS = (
    {"environment.id": "CartPole-v1"},
    {"environment.id": "CartPole-v1", "environment.frame_stack": 3},
    {"environment.id": "FrozenLake-v1"},
    {"environment.id": "RLLab/GridWorld-v0"},
)
IMAGES = (
    {"environment.id": "MinAtar/Breakout-v0", "network.conv": "4x3x2"},
    {
        "environment.id": "MinAtar/Breakout-v0",
        "environment.frame_stack": 2,
        "network.conv": "4x3x2",
    },
)
if find_spec("minatar") is not None:
    ENVIRONMENTS += IMAGES
AXES = {
    "agent.estimator": ("q_learning", "sarsa", "expected_sarsa", "soft"),
    "agent.double": (True, False),
    "agent.dueling": ("none", "mean", "max"),
    "agent.n_step": (1, 3),
    "agent.n_step_correction": ("none", "greedy", "retrace"),
    "agent.bootstrap": ("target", "trust_region"),
    "agent.trust_scale": ("td_error", "q"),
    "agent.conservative": (0.0, 0.5),
    "agent.loss": ("huber", "squared"),
    "agent.optimizer": ("adam", "rmsprop", "sgd"),
    "network.hidden": ("", "16", "12,12"),
    "network.activation": ("relu", "tanh", "silu"),
    "network.recurrent": ("none", "none", "lstm", "gru"),
    "network.previous_action": (True, False),
    "head.kind": ("scalar", "c51", "qr", "mmd"),
    "head.architecture": ("all_actions", "action_input"),
    "head.risk": ("mean", "cvar"),
    "replay.kind": ("none", "uniform", "prioritized", "sequence"),
    "replay.priority": ("proportional", "rank"),
    "replay.stored_state": (True, False),
    "replay.burn_in": (0, 3),
    "target_network.kind": ("none", "periodic", "polyak"),
    "exploration.kind": ("epsilon_greedy", "boltzmann", "ucb", "noisy", "bootstrapped"),
    "exploration.bonus": (0.0, 0.1),
    "exploration.counts": ("table", "hash", "density"),
    "planning.kind": ("none", "none", "dyna", "sweeping"),
    "planning.model": ("table", "network"),
    "planning.remembers": ("last", "counts"),
    "planning.actions": ("random", "policy"),
    "training.environments": (1, 3),
    # What is learned without waiting depends on the computer.
    "training.mode": ("alternate", "alternate", "synchronized"),
    "training.precision": ("float32", "float32", "bf16"),
}
FIXED = {
    "agent.batch_size": 8,
    "agent.learning_starts": 40,
    "agent.updates_per_step": 0.2,
    "exploration.decay_steps": 300,
    "exploration.members": 3,
    "head.atoms": 5,
    "network.recurrent_units": 6,
    "planning.updates": 2,
    "planning.width": 8,
    "recording.level": "scalars",
    "replay.capacity": 400,
    "replay.sequence_length": 5,
    "target_network.period": 10,
    "training.refresh": 30,
    "training.steps": STEPS + MORE,
}


def draw(seed, **more):
    """A random combination, with these options, that nothing speaks against."""
    rng = np.random.default_rng([20261121, seed])
    while True:
        flat = {
            key: choices[rng.integers(len(choices))] for key, choices in AXES.items()
        }
        flat |= FIXED | ENVIRONMENTS[rng.integers(len(ENVIRONMENTS))]
        flat |= {"training.seed": seed, **more}
        configuration = configuration_from_flat(flat)
        try:
            check_combination(configuration, describe(configuration.environment))
        except ConfigurationError:
            continue
        return configuration


@pytest.mark.parametrize("seed", [*range(SOME), *REST])
def test_a_random_combination_trains_and_goes_on_after_a_restart(seed):
    assert_goes_on(draw(seed))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(COUNT))
def test_so_does_one_of_several_seeds_at_once(seed):
    assert_goes_on(draw(seed, **{"training.seeds": 2}))


def assert_goes_on(configuration):
    """It trains, is saved and restored, and goes the same way as without."""
    straight = TrainingLoop(configuration)
    straight.advance(steps=STEPS)
    log = straight.drain().replay
    arrays, values = split(straight.state())
    straight.advance()
    assert straight.update > 20
    resumed = TrainingLoop(configuration)
    resumed.restore(join(arrays, values), log)
    resumed.advance()
    assert state_hash(resumed.state()) == state_hash(straight.state())
    for loop in (straight, resumed):
        loop.close()


def test_the_draws_reach_every_choice():
    flats = [draw(seed).flat() for seed in range(120)]
    for key, choices in AXES.items():
        found = {flat[key] for flat in flats}
        assert {str(it) for it in choices} <= {_text(it) for it in found}, key


def _text(value):
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
