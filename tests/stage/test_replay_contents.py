"""The replay table says of each slot what the memory of the run says of it."""

import numpy as np
import pytest
from theatre import Theatre, tiny, trained

from engine.training import TrainingLoop


@pytest.fixture(scope="module", params=["proportional", "rank", "uniform", "stacked"])
def run(request, tmp_path_factory):
    """A run of two environments whose memory has forgotten the beginning."""
    uniform = request.param == "uniform"
    changes = {"replay__kind": "uniform" if uniform else "prioritized"}
    if request.param == "rank":
        changes["replay__priority"] = "rank"
    if request.param == "stacked":
        changes["environment__frame_stack"] = 3
    configuration = tiny(replay__capacity=160, training__environments=2, **changes)
    loop = TrainingLoop(configuration)
    path = tmp_path_factory.mktemp("sessions") / "run.h5"
    store = trained(path, configuration, loop)
    theatre = Theatre(store)
    theatre.open(configuration, live=False)
    yield theatre, loop, store
    theatre.stage.close()
    loop.close()
    store.close()


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
    assert counted.sum() == 64
    np.testing.assert_array_equal(
        counted, np.bincount(batch.slots, minlength=streams.slots)
    )
