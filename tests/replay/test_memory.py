"""How batches are chosen: each kind of memory, and exchanging them."""

import numpy as np
import pytest
import torch

from engine.contract.arrays import state_hash
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat
from engine.equations.prioritization import importance_weights, sampling_probs
from engine.replay import Memory

CARD = EnvironmentCard("", observation="vector", shape=(1,), actions=2)


def configuration(kind="uniform", **options):
    flat = {"replay.kind": kind, "replay.capacity": 100, "agent.batch_size": 8}
    flat |= {key.replace("__", "."): value for key, value in options.items()}
    return configuration_from_flat(flat)


def make(kind="uniform", seed=0, **options):
    return Memory(configuration(kind, **options), CARD, seed)


def fill(memory, ends, stream=0, first=0):
    """One step per entry; the observation of step ``i`` is ``i``."""
    memory.begin(stream, np.array([first], np.float32))
    for i, end in enumerate(ends, start=first):
        memory.append(
            stream,
            i % 2,
            float(i),
            end == "terminated",
            end == "truncated",
            np.array([i + 1], np.float32),
        )
        if end:
            memory.begin(stream, np.array([i + 1], np.float32))


def frequencies(memory, batches=2_000):
    counts = np.zeros(memory.capacity)
    for _ in range(batches):
        np.add.at(counts, memory.sample(32, 0.9, 0.5).slots, 1)
    return counts / counts.sum(), 32 * batches


def assert_matches(found, expected, draws):
    """Within five standard deviations of independent draws, and zero where zero."""
    sigma = np.sqrt(expected * (1 - expected) / draws)
    assert (np.abs(found - expected) <= 5 * sigma).all()


def test_a_batch_is_made_of_whole_transitions():
    memory = make()
    fill(memory, ["", "", "terminated", "", "truncated"] * 5)
    batch = memory.sample(64, 0.9, 0.5)
    step = batch.observation[:, 0].astype(int)
    assert batch.action.tolist() == (step % 2).tolist()
    assert batch.reward.tolist() == step.tolist()
    assert batch.next_observation[:, 0].tolist() == (step + 1).tolist()
    expected = np.where(step % 5 == 2, 0.0, 0.9)
    assert batch.discount == pytest.approx(expected)
    assert batch.weight is None
    types = [it.dtype.name for it in batch[:7]]
    floats = ["float32", "float32", "float32"]
    assert types == ["int64", "float32", "int64", *floats, "int64"]
    expected = np.where(np.isin(step % 5, (2, 4)), -1, (step + 1) % 2)
    known = batch.slots + 1 < memory.streams.head(0)
    assert batch.next_action[known].tolist() == expected[known].tolist()


@pytest.mark.parametrize("environments", [1, 3])
def test_uniform_draws_each_transition_equally_often(environments):
    memory = make(training__environments=environments)
    for stream in range(environments):
        fill(memory, ["", "terminated", "", "", "truncated"] * (stream + 2), stream)
    found, draws = frequencies(memory)
    expected = memory.streams.sampleable / len(memory)
    assert_matches(found, expected, draws)


def test_uniform_draws_equally_often_when_the_ring_has_wrapped():
    memory = make()
    fill(memory, ["", "", "terminated"] * 100)
    found, draws = frequencies(memory)
    assert_matches(found, memory.streams.sampleable / len(memory), draws)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_prioritized_draws_in_proportion_to_the_power_of_the_priority(alpha):
    memory = make("prioritized", replay__alpha=alpha, replay__priority_epsilon=0.25)
    fill(memory, ["", "", "terminated"] * 10)
    slots = np.flatnonzero(memory.streams.sampleable)
    errors = np.linspace(-3, 3, len(slots)).astype(np.float32)
    memory.learned(slots, errors)
    expected = np.zeros(memory.capacity)
    priority = torch.from_numpy(np.abs(errors).astype(np.float64) + 0.25)
    expected[slots] = sampling_probs(priority, alpha).numpy()
    found, draws = frequencies(memory)
    assert_matches(found, expected, draws)


def test_weights_are_those_of_the_equation():
    memory = make("prioritized", replay__alpha=0.7)
    fill(memory, [""] * 60)
    slots = np.flatnonzero(memory.streams.sampleable)
    memory.learned(slots, np.random.default_rng(0).random(len(slots)))
    batch = memory.sample(16, 0.9, 0.5)
    probs = sampling_probs(
        torch.from_numpy(memory.priorities.raw[memory.streams.sampleable]), 0.7
    )
    drawn = probs[torch.from_numpy(np.searchsorted(slots, batch.slots))]
    expected = importance_weights(drawn, len(memory), 0.5)
    assert batch.weight == pytest.approx(expected.numpy(), rel=1e-6)
    assert batch.weight.max() == 1.0
    assert batch.weight.dtype == np.float32


def test_new_transitions_get_the_largest_priority_seen():
    memory = make("prioritized", replay__priority_epsilon=0.5)
    fill(memory, [""] * 3)
    assert memory.priorities.raw[:3].tolist() == [1.0] * 3
    memory.learned(np.array([0, 1]), np.array([7.0, 0.1], np.float32))
    memory.learned(np.array([0]), np.array([0.0], np.float32))
    fill(memory, [""], first=50)
    slot = np.flatnonzero(memory.streams.observation[:, 0] == 50)
    assert memory.priorities.raw[slot].tolist() == [7.5]


def test_priorities_are_those_of_the_unweighted_error_of_either_sign():
    memory = make("prioritized", replay__priority_epsilon=0.5)
    fill(memory, [""] * 3)
    memory.learned(np.array([1, 2]), np.array([-2.0, 0.25], np.float32))
    assert memory.priorities.raw[1:3].tolist() == [2.5, 0.75]


def test_transitions_that_were_overwritten_are_never_drawn():
    memory = make("prioritized")
    fill(memory, [""] * 60)
    memory.learned(np.arange(60), np.full(60, 1e6))
    memory.sample(8, 0.9, 0.5)
    fill(memory, [""] * 300, first=1000)
    for _ in range(100):
        assert (memory.sample(32, 0.9, 0.5).observation >= 1000).all()


def test_alpha_can_change_while_it_runs():
    memory = make("prioritized", replay__alpha=1.0)
    fill(memory, [""] * 10)
    memory.learned(np.arange(10), np.arange(10) + 0.0)
    memory.configure(configuration("prioritized", replay__alpha=0.0))
    probs = memory.priorities.probabilities(np.arange(10))
    assert probs == pytest.approx(np.full(10, 0.1))


def test_uniform_and_prioritized_can_be_exchanged_and_priorities_are_kept():
    memory = make("prioritized", replay__alpha=1.0, replay__priority_epsilon=1e-9)
    fill(memory, [""] * 4)
    memory.learned(np.arange(4), np.array([1.0, 2.0, 3.0, 4.0]))
    memory.configure(configuration("uniform"))
    assert memory.sample(8, 0.9, 0.5).weight is None
    fill(memory, [""] * 2, first=10)
    memory.configure(configuration("prioritized", replay__alpha=1.0))
    slots = np.flatnonzero(memory.streams.sampleable)
    kept = np.array([1.0, 2.0, 3.0, 4.0, 4.0, 4.0])
    assert memory.priorities.probabilities(slots) == pytest.approx(kept / 18)


def test_prioritized_after_uniform_never_draws_what_was_overwritten_meanwhile():
    memory = make("prioritized")
    fill(memory, [""] * 60)
    memory.configure(configuration("uniform"))
    fill(memory, [""] * 200, first=1000)
    memory.configure(configuration("prioritized"))
    assert (memory.sample(64, 0.9, 0.5).observation >= 1000).all()


def test_nothing_is_drawn_from_an_empty_memory():
    for kind in ("none", "uniform", "prioritized"):
        memory = make(kind)
        memory.begin(0, np.zeros(1, np.float32))
        assert memory.sample(8, 0.9, 0.5) is None


def steps_of(batch):
    return [] if batch is None else batch.observation[:, 0].astype(int).tolist()


def test_without_replay_each_transition_is_handed_out_once_when_complete():
    memory = make("none", agent__n_step=3)
    memory.begin(0, np.zeros(1, np.float32))
    seen = []
    for i in range(7):
        end = i == 4
        memory.append(0, 0, 1.0, end, False, np.array([i + 1], np.float32))
        if end:
            memory.begin(0, np.array([i + 1], np.float32))
        seen.append(steps_of(memory.sample(8, 0.9, 0.5)))
    assert seen == [[], [], [0], [1], [2, 3, 4], [], []]


def test_without_replay_only_the_newest_of_a_backlog_are_learned():
    memory = make("none")
    fill(memory, [""] * 30)
    assert steps_of(memory.sample(4, 0.9, 0.5)) == [26, 27, 28, 29]
    assert memory.sample(4, 0.9, 0.5) is None


def test_without_replay_a_backlog_longer_than_the_ring_keeps_its_newest():
    memory = make("none")
    fill(memory, [""] * 5000)
    steps = steps_of(memory.sample(8192, 0.9, 0.5))
    assert steps == list(range(5000 - len(steps), 5000))
    assert len(steps) > 900


def test_without_replay_a_backlog_of_short_episodes_is_whole():
    """Each of them takes two slots: nothing that waits may be overwritten."""
    memory = make("none", agent__n_step=3, environment__frame_stack=1)
    for i in range(3000):
        memory.begin(0, np.array([i], np.float32))
        memory.append(0, i % 2, float(i), True, False, np.array([-1], np.float32))
    batch = memory.sample(8192, 0.9, 0.5)
    assert steps_of(batch) == list(range(2000, 3000))
    assert batch.reward.tolist() == steps_of(batch)
    assert batch.action.tolist() == [it % 2 for it in steps_of(batch)]


def test_without_replay_slots_stay_where_they_are_when_the_batch_grows():
    small, large = (make("none", agent__batch_size=it) for it in (8, 8192))
    assert small.capacity == large.capacity


def random_run(memory, rng, steps):
    """Write and learn at random; ends with the sum of everything drawn."""
    total = 0.0
    for _ in range(steps):
        stream = int(rng.integers(memory.streams.count))
        end = rng.random() < 0.1
        terminated = bool(end and rng.random() < 0.5)
        memory.append(
            stream,
            0,
            rng.random(),
            terminated,
            bool(end and not terminated),
            rng.random(1).astype(np.float32),
        )
        if end:
            memory.begin(stream, rng.random(1).astype(np.float32))
        batch = memory.sample(8, 0.9, 0.5)
        if batch is not None:
            weight = 1.0 if batch.weight is None else batch.weight
            total += float((batch.reward * weight).sum())
            memory.learned(batch.slots, batch.reward - 0.5)
    return total


@pytest.mark.parametrize("kind", ["none", "uniform", "prioritized"])
@pytest.mark.parametrize(
    ("environments", "n_step", "before"), [(1, 1, 30), (3, 3, 400)]
)
def test_a_restored_memory_goes_on_to_the_bit(kind, environments, n_step, before):
    options = {"training__environments": environments, "agent__n_step": n_step}
    memory = make(kind, **options)
    for stream in range(environments):
        memory.begin(stream, np.zeros(1, np.float32))
    rng = np.random.default_rng(0)
    logs = []
    for _ in range(10):
        random_run(memory, rng, before // 10)
        logs.append(memory.drain_log())
    log = {name: np.concatenate([it[name] for it in logs]) for name in logs[0]}
    other = make(kind, seed=99, **options)
    other.restore(memory.state(), log)
    assert state_hash(other.state()) == state_hash(memory.state())
    totals = [random_run(it, np.random.default_rng(5), 150) for it in (memory, other)]
    assert totals[0] == totals[1]
    assert state_hash(other.state()) == state_hash(memory.state())


def test_taking_a_state_changes_nothing():
    totals = []
    for looks in (False, True):
        memory, rng = make("prioritized"), np.random.default_rng(0)
        memory.begin(0, np.zeros(1, np.float32))
        total = 0.0
        for _ in range(30):
            total += random_run(memory, rng, 5)
            if looks:
                memory.state()
        totals.append(total)
    assert totals[0] == totals[1]


@pytest.mark.parametrize("count", [1, 3, 32])
def test_where_half_of_the_slots_hold_no_step_the_others_are_drawn_equally_often(count):
    memory = make()
    fill(memory, ["terminated"] * 40)
    counts, batches = np.zeros(memory.capacity), 64_000 // count
    for _ in range(batches):
        slots = memory.evenly(count)
        assert len(slots) == count
        np.add.at(counts, slots, 1)
    expected = memory.streams.sampleable / len(memory)
    assert_matches(counts / counts.sum(), expected, count * batches)
