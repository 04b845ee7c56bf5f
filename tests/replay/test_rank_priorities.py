"""Rank-based priorities against a naive list, under random operations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat
from engine.replay import Memory, priorities

CARD = EnvironmentCard("", observation="vector", shape=(1,), actions=2)
LENGTH = 100


def make(**options):
    flat = {
        "replay.kind": "prioritized",
        "replay.priority": "rank",
        "replay.capacity": LENGTH,
        "agent.batch_size": 8,
    }
    flat |= {key.replace("__", "."): value for key, value in options.items()}
    return Memory(configuration_from_flat(flat), CARD, 0)


def settle(memory):
    """Sort now: the ranks are then those of all slots."""
    memory.priorities._sort()
    memory.priorities._fill()


def append(memory, ends):
    for end in ends:
        observation = np.zeros(1, np.float32)
        memory.append(0, 0, 0.0, end == "t", end == "c", observation)
        if end in ("t", "c"):
            memory.begin(0, observation)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_probabilities_are_those_of_the_ranks_by_brute_force(alpha):
    memory = make(replay__alpha=alpha)
    memory.begin(0, np.zeros(1, np.float32))
    append(memory, ["", "t", "", "", "c"] * 6)
    slots = np.flatnonzero(memory.streams.sampleable)
    errors = np.random.default_rng(0).permutation(len(slots)) - 10.0
    errors[3] = 1e6
    memory.learned(slots, errors)
    settle(memory)
    size = np.abs(errors)
    # By definition: one more than how many are larger; equal ones by their slot.
    rank = np.array(
        [
            1
            + sum(
                other > mine or (other == mine and slot > here)
                for other, slot in zip(size, slots, strict=True)
            )
            for mine, here in zip(size, slots, strict=True)
        ]
    )
    assert sorted(rank) == list(range(1, len(slots) + 1))
    expected = (1 / rank) ** alpha
    found = memory.priorities.probabilities(slots)
    assert found == pytest.approx(expected / expected.sum())
    assert found.sum() == pytest.approx(1)


def test_draws_come_as_often_as_the_probabilities_say():
    memory = make(replay__alpha=1.0)
    memory.begin(0, np.zeros(1, np.float32))
    append(memory, [""] * 20)
    memory.learned(np.arange(20), np.arange(20.0))
    settle(memory)
    counts, batches = np.zeros(20), 2000
    for _ in range(batches):
        counts += np.bincount(memory.sample(16, 0.9, 1.0).slots, minlength=20)
    expected = 1 / np.arange(20, 0, -1)
    expected /= expected.sum()
    share, draws = counts / counts.sum(), 16 * batches
    sigma = np.sqrt(expected * (1 - expected) / draws)
    assert (np.abs(share - expected) < 5 * sigma).all()


def test_a_huge_error_counts_no_more_than_the_first_rank():
    memory = make(replay__alpha=1.0)
    memory.begin(0, np.zeros(1, np.float32))
    append(memory, [""] * 3)
    for largest in (10.0, 1e9):
        memory.learned(np.arange(3), np.array([largest, 2.0, 1.0]))
        settle(memory)
        found = memory.priorities.probabilities(np.arange(3))
        assert found == pytest.approx(np.array([6, 3, 2]) / 11)


class NaiveRanks:
    """What the memory promises, as a list that is searched from end to end."""

    def __init__(self, alpha):
        self.alpha, self.raw, self.largest = alpha, {}, 1.0
        self.snapshot, self.base = [], {}

    def rank(self, slot):
        above = sum(it > self.raw[slot] for it in self.snapshot)
        self.base[slot] = 1 / (above + 1)

    def new(self, slot):
        self.raw[slot] = self.largest
        self.rank(slot)

    def gone(self, slot):
        self.raw.pop(slot, None)
        self.base.pop(slot, None)

    def learned(self, slots, priorities):
        # Of a slot that was drawn twice the last one counts.
        self.raw.update(zip(slots, priorities, strict=True))
        self.largest = max(self.largest, max(priorities))
        for slot in slots:
            self.rank(slot)

    def sort(self):
        self.snapshot = list(self.raw.values())
        order = sorted(self.raw, key=lambda it: (self.raw[it], it), reverse=True)
        self.base = {slot: 1 / (place + 1) for place, slot in enumerate(order)}

    def probabilities(self):
        weights = {slot: base**self.alpha for slot, base in self.base.items()}
        total = sum(weights.values())
        return {slot: weight / total for slot, weight in weights.items()}


OPERATIONS = st.one_of(
    st.tuples(st.just("append"), st.lists(st.sampled_from(["", "", "", "t", "c"]))),
    st.tuples(
        st.just("learned"),
        st.lists(st.tuples(st.integers(0, 10_000), st.floats(-9, 9)), min_size=1),
    ),
    st.tuples(st.just("sort"), st.none()),
    st.tuples(st.just("draw"), st.integers(1, 8)),
    st.tuples(st.just("alpha"), st.sampled_from([0.0, 0.4, 1.0])),
    st.tuples(st.just("restart"), st.none()),
)


class Pair:
    """A memory and the list that it has to agree with."""

    def __init__(self):
        self.memory, self.naive, self.log = make(replay__alpha=0.7), NaiveRanks(0.7), []
        self.memory.begin(0, np.zeros(1, np.float32))

    def append(self, ends):
        for end in ends:
            append(self.memory, [end])
            streams = self.memory.streams
            alive = set(np.flatnonzero(streams.sampleable).tolist())
            for slot in set(self.naive.raw) - alive:
                self.naive.gone(slot)
            written = streams._written[0] - (2 if end else 1)
            self.naive.new(written % LENGTH)

    def learned(self, pairs):
        alive = sorted(self.naive.raw)
        slots = [alive[number % len(alive)] for number, _ in pairs]
        errors = np.array([error for _, error in pairs])
        self.memory.learned(np.array(slots), errors)
        self.naive.learned(slots, [abs(float(it)) + 1e-3 for it in errors])

    def sort(self, _):
        self.memory.priorities.follow()
        settle(self.memory)
        self.naive.sort()

    def draw(self, count):
        batch, probs = self.memory.sample(count, 0.9, 0.5), self.naive.probabilities()
        weights = [(len(probs) * probs[it]) ** -0.5 for it in batch.slots.tolist()]
        assert batch.weight == pytest.approx(np.array(weights) / max(weights))

    def alpha(self, alpha):
        self.memory.priorities.use(alpha, by_rank=True)
        self.naive.alpha = alpha

    def restart(self, _):
        self.log.append(self.memory.drain_log())
        rows = {k: np.concatenate([it[k] for it in self.log]) for k in self.log[0]}
        state = self.memory.state()
        self.memory = make(replay__alpha=self.naive.alpha)
        self.memory.restore(state, rows)

    def check(self):
        slots = sorted(self.naive.raw)
        if slots:
            expected = self.naive.probabilities()
            found = self.memory.priorities.probabilities(np.array(slots))
            assert found == pytest.approx([expected[it] for it in slots])
        assert self.memory.priorities.largest == pytest.approx(self.naive.largest)


@settings(max_examples=60, deadline=None)
@given(st.lists(OPERATIONS, max_size=40), st.integers(0, 120))
def test_random_operations_agree_with_a_naive_list(operations, before):
    pair = Pair()
    pair.append([""] * before)
    for kind, what in operations:
        if pair.naive.raw or kind in ("append", "alpha"):
            getattr(pair, kind)(what)
        pair.check()


def test_what_came_in_before_the_exponent_changed_can_be_drawn():
    memory = make()
    memory.begin(0, np.zeros(1, np.float32))
    append(memory, [""] * 4)
    memory.sample(4, 0.9, 0.5)
    append(memory, [""] * 4)
    memory.priorities.use(1.0, by_rank=True)
    assert (memory.priorities.probabilities(np.arange(8)) > 0).all()


def test_what_came_in_while_drawing_uniformly_can_be_drawn_afterwards():
    memory = make()
    memory.begin(0, np.zeros(1, np.float32))
    append(memory, [""] * 4)
    memory.priorities.rest()
    append(memory, [""] * 4)
    memory.streams.changed.clear()
    memory.priorities.use(1.0, by_rank=True)
    assert (memory.priorities.probabilities(np.arange(8)) > 0).all()


def test_ranks_are_found_anew_after_as_many_changes_as_there_are_slots(monkeypatch):
    monkeypatch.setattr(priorities, "LEAST_CHANGES", 10)
    memory = make(replay__alpha=1.0)
    memory.begin(0, np.zeros(1, np.float32))
    append(memory, [""] * 20)
    for _ in range(2):
        memory.learned(np.arange(20), np.arange(20.0))
    expected = 1 / np.arange(20, 0, -1)
    found = memory.priorities.probabilities(np.arange(20))
    assert found == pytest.approx(expected / expected.sum())
