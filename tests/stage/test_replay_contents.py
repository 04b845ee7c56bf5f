"""The replay table says of each slot what the memory of the run says of it."""

import numpy as np
import pytest

CHANGES = {
    "proportional": {"replay__kind": "prioritized"},
    "rank": {"replay__kind": "prioritized", "replay__priority": "rank"},
    "uniform": {"replay__kind": "uniform"},
    "stacked": {"replay__kind": "prioritized", "environment__frame_stack": 3},
}


@pytest.fixture(scope="module", params=CHANGES)
def run(request, played):
    """A run of two environments whose memory has forgotten the beginning."""
    forgetful = {"replay__capacity": 160, "training__environments": 2}
    found = played.run(**forgetful, **CHANGES[request.param])
    with found.on_stage() as theatre:
        yield theatre, found.loop, found.store


def test_each_row_is_the_slot_of_the_run(run):
    theatre, loop, store = run
    memory = loop.agent.memory
    streams = memory.streams
    slots = np.flatnonzero(streams.sampleable)
    found = theatre.result("replay_contents")
    assert found["checkpoint_step"] == 300
    assert len(found["t"]) == len(memory)
    np.testing.assert_array_equal(found["t"], streams.elapsed[slots])
    np.testing.assert_array_equal(found["environment"], slots // streams.length)
    np.testing.assert_array_equal(found["age"], streams.ages(slots))
    np.testing.assert_array_equal(found["times_sampled"], streams.times_sampled[slots])
    assert found["times_sampled"].sum() > 0
    if found["kind"] == "uniform":
        assert set(found["probability"]) == {1 / len(memory)}
        assert "priority" not in found
    else:
        np.testing.assert_array_equal(found["priority"], memory.priorities.raw[slots])
        chances = memory.priorities.probabilities(slots)
        np.testing.assert_allclose(found["probability"], chances, rtol=1e-6)
    recorded = 0
    for row in range(0, len(slots), 7):
        number, t = int(found["episode"][row]), int(found["t"][row])
        if number >= 0:
            episode = store.episode("training", number)
            assert episode["actions"][t] == streams.action[slots[row]]
            np.testing.assert_allclose(
                episode["rewards"][t], streams.reward[slots[row]]
            )
            recorded += 1
    assert recorded > 5


def test_what_was_there_before_has_its_priority_of_then(run):
    theatre, _, store = run
    steps = [row.step for row in store.checkpoints()]
    found = theatre.result("replay_contents")
    assert found["before_step"] == (steps[-2] if len(steps) > 1 else -1)
    if found["before_step"] < 0 or found["kind"] == "uniform":
        assert "priority_before" not in found
        return
    then = theatre.result("replay_contents", checkpoint_step=found["before_step"])
    key = {
        (int(e), int(t)): p
        for e, t, p in zip(then["episode"], then["t"], then["priority"], strict=True)
    }
    before = found["priority_before"]
    for row in np.flatnonzero(np.isfinite(before))[::5]:
        known = (int(found["episode"][row]), int(found["t"][row]))
        assert key[known] == before[row]


def test_draws_are_counted_as_often_as_they_happened(run):
    _, loop, _ = run
    streams = loop.agent.memory.streams
    before = streams.times_sampled.copy()
    batch = loop.agent.memory.sample(64, 0.99, 0.4)
    counted = streams.times_sampled - before
    streams.times_sampled[:] = before
    assert counted.sum() == 64
    np.testing.assert_array_equal(
        counted, np.bincount(batch.slots, minlength=streams.slots)
    )
