"""A run that is cut anywhere and restored is the run that was never cut."""

import json

import numpy as np
import pytest

from engine.contract.arrays import join, split, state_hash
from engine.training import TrainingProblem


def joined(logs):
    """All rows of the replay log so far, as the keeper hands them back."""
    return {name: np.concatenate([it[name] for it in logs]) for name in logs[0]}


def through_a_file(state):
    """A state as it comes back: read-only arrays, and the rest through JSON."""
    arrays, values = split(state)
    for array in arrays.values():
        array.flags.writeable = False
    return join(arrays, json.loads(json.dumps(values)))


def rows_of(scalars):
    """Everything that was measured, but the time of day."""
    if scalars is None:
        return []
    series = [scalars.names[it] for it in scalars.columns["series"]]
    names = ("step", "value", "update", "episode")
    columns = (scalars.columns[it].tolist() for it in names)
    return list(zip(series, *columns, strict=True))


def interrupted(make, options, seed):
    """Run to the end with restarts at random steps; the loop, rows, and records."""
    rng = np.random.default_rng(seed)
    loop, logs, rows, records = make(**options), [], [], []
    while not loop.finished:
        loop.advance(steps=int(rng.integers(1, 250)))
        drained = loop.drain()
        logs.append(drained.replay)
        rows += rows_of(drained.scalars)
        records += drained.episodes
        restored = make(**options)
        restored.restore(through_a_file(loop.state()), joined(logs))
        loop = restored
    return loop, rows, records


CASES = [
    {"replay__kind": kind, "target_network__kind": target}
    for kind in ("none", "uniform", "prioritized")
    for target in ("none", "periodic", "polyak")
] + [
    {"training__environments": 3, "agent__n_step": 3, "agent__updates_per_step": 0.3},
    {"environment__frame_stack": 3, "replay__kind": "prioritized"},
    {"environment__id": "FrozenLake-v1", "agent__dueling": "mean"},
    {"environment__id": "Acrobot-v1", "agent__dueling": "max"},
    {"recording__level": "scalars", "network__activation": "silu"},
    {"replay__kind": "none", "training__environments": 2, "agent__n_step": 4},
    {"exploration__kind": "noisy", "agent__bootstrap": "trust_region"},
    {"exploration__kind": "bootstrapped", "exploration__bonus": 0.1},
]


@pytest.mark.parametrize("options", CASES, ids=str)
def test_a_cut_run_is_the_straight_run_to_the_bit(make, options):
    options = {"training__steps": 500, "agent__double": False, **options}
    straight = make(**options)
    straight.advance()
    drained = straight.drain()
    loop, rows, records = interrupted(make, options, seed=1)
    assert state_hash(loop.state()) == state_hash(straight.state())
    assert rows == rows_of(drained.scalars)
    assert len(records) == len(drained.episodes)
    for one, two in zip(records, drained.episodes, strict=True):
        np.testing.assert_equal(one, two)


MORE_SEEDS = [pytest.param(it, marks=pytest.mark.long) for it in range(3, 10)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [*range(3), *MORE_SEEDS])
@pytest.mark.parametrize(
    "environment", ["CartPole-v1", "MountainCar-v0", "LunarLander-v3"]
)
def test_ten_random_patterns_of_cuts(make, environment, seed):
    options = {
        "environment__id": environment,
        "replay__kind": "prioritized",
        "agent__n_step": 2,
        "training__seed": seed,
    }
    straight = make(**options)
    straight.advance()
    loop, _, _ = interrupted(make, options, seed)
    assert state_hash(loop.state()) == state_hash(straight.state())


LEFT_OUT = [
    "agent/online/head.weight",
    "agent/target/head.weight",
    "agent/optimizer/mean",
    "agent/optimizer/square",
    "agent/optimizer/steps",
    "agent/actor/explorer/generator/state",
    "agent/updates",
    "agent/memory/generator/state",
    "agent/memory/priorities/raw",
    "agent/memory/priorities/largest",
    "agent/memory/streams/head_observation",
    "step",
    "started",
    "credit",
]


@pytest.mark.parametrize("path", LEFT_OUT)
def test_each_part_of_the_state_matters(make, path):
    """Put the value of a fresh loop in its place: the run must end differently."""
    options = {
        "replay__kind": "prioritized",
        "agent__updates_per_step": 0.7,
        "training__steps": 400,
    }
    straight = make(**options)
    straight.advance(steps=203)
    log = straight.drain().replay
    state, fresh = straight.state(), make(**options).state()
    straight.advance()
    (arrays, values), (new_arrays, new_values) = split(state), split(fresh)
    for leaves, new_leaves in ((arrays, new_arrays), (values, new_values)):
        if path in leaves:
            changed = new_leaves[path]
            same_shape = np.shape(changed) == np.shape(leaves[path])
            leaves[path] = changed if same_shape else np.ones_like(leaves[path])
    loop = make(**options)
    loop.restore(join(arrays, values), log)
    loop.advance()
    assert state_hash(loop.state()) != state_hash(straight.state())


def test_options_that_were_changed_live_come_back(make):
    loop = make()
    loop.set_option("agent.learning_rate", 5e-3)
    loop.set_option("replay.kind", "prioritized")
    loop.advance(steps=200)
    log, other = loop.drain().replay, make()
    other.restore(loop.state(), log)
    assert other.configuration == loop.configuration
    for it in (loop, other):
        it.advance()
    assert state_hash(other.state()) == state_hash(loop.state())


def test_without_the_replay_it_goes_on_with_an_empty_memory_and_says_so(make):
    loop = make()
    loop.advance(steps=300)
    other = make()
    other.restore(loop.state(), {})
    assert other.step == 300
    assert len(other.agent.memory) == 0
    (event,) = other.drain().events
    assert "replay memory" in event.text
    other.advance()
    assert other.finished
    assert len(other.agent.memory) > 200


def test_an_environment_that_does_not_repeat_itself_is_noticed(make):
    options = {
        "environment__id": "RLLabTest/Misbehaving-v0",
        "environment__kwargs": {"fault": "forgetful"},
    }
    loop = make(**options)
    loop.advance(steps=30)
    with pytest.raises(TrainingProblem, match="does not repeat itself"):
        make(**options).restore(loop.state(), loop.drain().replay)


def test_a_replay_that_lacks_rows_is_refused(make):
    loop = make()
    loop.advance(steps=200)
    log = {name: it[:-3] for name, it in loop.drain().replay.items()}
    with pytest.raises(TrainingProblem, match="lacks 3 of its slots"):
        make().restore(loop.state(), log)


def test_a_state_of_another_network_is_refused(make):
    loop = make(network__hidden="8")
    state = loop.state()
    with pytest.raises(TrainingProblem, match="cannot be continued"):
        make().restore(state, {})
