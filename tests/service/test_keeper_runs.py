"""A run is handed on with a replay that is too large for a message, exactly."""

import os
from dataclasses import replace

import pytest

from engine.contract.arrays import state_hash
from engine.contract.codec import decode, encode
from engine.contract.messages import Rows
from engine.contract.options import configuration_from_flat
from engine.environments import describe
from engine.service import disk_guard
from engine.service.keeper_runs import (
    check_place,
    fresh_run,
    point_to_go_on,
    run_from,
)
from engine.service.loop_state import checkpoint_of, restored_state
from engine.service.replay_files import whole_replay
from engine.sessions import LiveStore, SessionProblem, replay_spool
from engine.training import TrainingLoop

OPTIONS = {
    "replay.storage": "disk",
    "replay.capacity": 150,
    "agent.learning_starts": 20,
    "agent.batch_size": 8,
    "network.hidden": "8",
    "training.steps": 400,
    "training.compile": "never",
}
CONFIGURATION = configuration_from_flat(OPTIONS)
CARD = describe(CONFIGURATION.environment)


@pytest.fixture
def store(tmp_path):
    store = LiveStore.create(tmp_path / "run.h5", CONFIGURATION.to_json(), CARD)
    yield store
    store.close()


def kept(loop, store, number):
    """Everything so far is in the store, and a checkpoint."""
    drained = loop.drain()
    rows = Rows("trainer", number, loop.step, drained.scalars, replay=drained.replay)
    store.append(rows)
    store.write_checkpoint(checkpoint_of(loop, "periodic", number))


def test_a_run_with_its_frames_in_a_file_goes_on_exactly(store, monkeypatch):
    monkeypatch.setattr(replay_spool, "LARGEST_IN_MEMORY", 1000)
    loop = TrainingLoop(CONFIGURATION, replay_folder=store.folder)
    loop.advance(steps=260)
    kept(loop, store, 0)
    loop.advance(steps=100)
    wanted = state_hash(loop.state())
    loop.close()

    message = run_from(
        store, "uuid", point_to_go_on(store, 0, lost=False), until=0, paused=False
    )
    assert set(message.replay_files) == {"observation", "action"}
    message = decode(encode(message))
    again = TrainingLoop(CONFIGURATION, replay_folder=store.folder)
    with whole_replay(message) as replay:
        again.restore(restored_state(message.arrays, message.values), replay)
    assert not any(os.path.exists(it) for it in message.replay_files.values())
    again.advance(steps=100)
    assert state_hash(again.state()) == wanted
    again.close()


def test_what_a_crash_leaves_of_the_files_goes_when_the_store_is_opened(
    store, monkeypatch
):
    monkeypatch.setattr(replay_spool, "LARGEST_IN_MEMORY", 2000)
    dead = store.folder / f".replay-of-a-crash.{2**22 + 1}.part"
    monkeypatch.setattr(replay_spool, "_place", lambda folder: dead)
    loop = TrainingLoop(CONFIGURATION, replay_folder=store.folder)
    loop.advance(steps=260)
    kept(loop, store, 0)
    loop.close()
    store.resume_point()
    assert dead.exists()
    store.close()
    LiveStore.open(store.path).close()
    assert not dead.exists()


def test_where_nothing_is_left_to_do_no_file_stays(store, monkeypatch):
    monkeypatch.setattr(replay_spool, "LARGEST_IN_MEMORY", 1000)
    spent = CONFIGURATION.with_options({"training.steps": 260})
    loop = TrainingLoop(spent, replay_folder=store.folder)
    loop.advance(steps=260)
    kept(loop, store, 0)
    loop.close()
    before = set(store.folder.iterdir())
    with pytest.raises(SessionProblem, match="budget of 260 steps"):
        point_to_go_on(store, 0, lost=False)
    assert set(store.folder.iterdir()) == before
    # One whose engine was lost has to end.
    assert point_to_go_on(store, 0, lost=True).step == 260


def test_a_fresh_run_knows_where_its_file_goes(store):
    assert fresh_run(store, "uuid", paused=True).folder == str(store.folder)


def test_a_replay_without_room_on_the_disk_is_refused_before_anything_is_made(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(disk_guard, "free_bytes", lambda folder: 1_500_000_000)
    path = tmp_path / "new" / "run.h5"
    large = CONFIGURATION.with_options({"replay.capacity": 10_000_000})
    card = replace(CARD, shape=(84,)).to_dict()
    with pytest.raises(SessionProblem, match=r"set replay\.capacity to 1,488,095 or"):
        check_place(large.to_json(), card, path)
    in_memory = large.with_options({"replay.storage": "memory"})
    check_place(in_memory.to_json(), card, path)
    check_place(CONFIGURATION.to_json(), CARD.to_dict(), path)
