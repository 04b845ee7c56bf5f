"""Several memories read and changed in one go: each as it would be by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contract.arrays import state_hash
from engine.contract.catalogue import EnvironmentCard
from engine.contract.options import configuration_from_flat
from engine.replay import Memory
from engine.replay.side_by_side import MemoriesSideBySide

CARD = EnvironmentCard("", observation="vector", shape=(1,), actions=2)
SEEDS = (3, 4, 8)
BATCH = 8


def configuration(kind, priority):
    options = {"replay.kind": kind, "replay.capacity": 100, "agent.batch_size": BATCH}
    return configuration_from_flat(options | {"replay.priority": priority})


class Pair:
    """Memories side by side, and the same ones alone."""

    def __init__(self, kind, priority):
        self.options = kind, priority
        of = configuration(kind, priority)
        self.joint = [Memory(of, CARD, seed) for seed in SEEDS]
        self.alone = [Memory(of, CARD, seed) for seed in SEEDS]
        self.both = MemoriesSideBySide(self.joint)
        for memory in (*self.joint, *self.alone):
            memory.begin(0, np.zeros(1, np.float32))

    def append(self, end):
        for memories in (self.joint, self.alone):
            for number, memory in enumerate(memories):
                # One goes on where the others end: their changes differ in number.
                ended = end and number != 1
                seen = np.array([number], np.float32)
                memory.append(0, 1, 2.0, ended, False, seen)
                if ended:
                    memory.begin(0, seen)

    def append_many(self, apart):
        """A third of the ring; episodes of this length."""
        for step in range(33):
            self.append(step % apart == 0)

    def configure(self, kind, priority):
        for memory in (*self.joint, *self.alone):
            memory.configure(configuration(kind, priority))

    def learn(self, error):
        batch = self.both.sample(BATCH, 0.9, 0.7, 1, greedy_only=False)
        each = [it.sample(BATCH, 0.9, 0.7) for it in self.alone]
        slots = np.stack([it.slots for it in each])
        assert batch.slots.reshape(slots.shape).tolist() == slots.tolist()
        if batch.weight is not None:
            weights = np.concatenate([it.weight for it in each])
            assert batch.weight.tolist() == weights.tolist()
        errors = np.arange(slots.size, dtype=np.float32).reshape(slots.shape) - error
        self.both.learned(slots, errors)
        for memory, mine, it in zip(self.alone, slots, errors, strict=True):
            memory.learned(mine, it)


CONFIGURE = st.sampled_from(
    [("prioritized", "proportional"), ("prioritized", "rank"), ("uniform", "rank")]
)
STEPS = st.one_of(
    st.tuples(st.just("append"), st.booleans()),
    st.tuples(st.just("append_many"), st.integers(2, 9)),
    st.tuples(st.just("learn"), st.integers(0, 30)),
    st.tuples(st.just("configure"), CONFIGURE),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=60), CONFIGURE)
def test_each_memory_is_what_it_would_be_alone(steps, first):
    pair = Pair(*first)
    pair.append(False)
    for what, value in [*steps, ("learn", 1)]:
        if what == "configure":
            pair.configure(*value)
        else:
            getattr(pair, what)(value)
    for joint, alone in zip(pair.joint, pair.alone, strict=True):
        assert state_hash(joint.state()) == state_hash(alone.state())


def test_one_without_anything_to_draw_stops_all():
    pair = Pair("prioritized", "proportional")
    assert pair.both.sample(BATCH, 0.9, 0.7, 1, greedy_only=False) is None
    pair.append(False)
    pair.both.sample(BATCH, 0.9, 0.7, 1, greedy_only=False)
    memory = pair.joint[2]
    memory.priorities.tree.fill(np.zeros(memory.streams.slots), 0.6)
    with pytest.raises(ValueError, match="nothing can be drawn"):
        pair.both.sample(BATCH, 0.9, 0.7, 1, greedy_only=False)
