import json
import subprocess
import sys

import h5py
import numpy as np
import pytest
import session_samples as samples

from engine.sessions import LiveStore, SessionFile, SessionProblem
from engine.sessions.guarded_file import GuardedFile


@pytest.fixture
def store(tmp_path):
    store = LiveStore.create(tmp_path / "run.h5", samples.configuration(), samples.CARD)
    yield samples.run(store)
    store.close()


def same_answers(first, second):
    assert first.configuration() == second.configuration()
    assert first.card() == second.card()
    assert first.series() == second.series()
    for name in first.series():
        one, two = first.history(name), second.history(name)
        assert all(np.array_equal(one[key], two[key]) for key in one)
    assert first.events() == second.events()
    one, two = first.episodes(), second.episodes()
    assert sorted(one) == sorted(two)
    assert all(np.array_equal(one[key], two[key]) for key in one)
    assert first.checkpoints() == second.checkpoints()
    assert len(first.evaluations()) == len(second.evaluations())


def test_a_sealed_file_answers_as_the_live_store(store):
    path = store.seal()
    with SessionFile.open(path) as file:
        same_answers(file, store)
        samples.same_record(file.episode("training", 3), samples.record(3))
        wanted = samples.record(1, "evaluation", frames=(4, 6))
        samples.same_record(file.episode("evaluation", 1), wanted)
        frames = file.frames("evaluation", 1, 2, 5)
        assert np.array_equal(frames, wanted["frames"][2:5])
        assert np.array_equal(frames, store.frames("evaluation", 1, 2, 5))
        samples.same_checkpoint(file.checkpoint(70), samples.checkpoint(70, 9))
        assert file.summary()["steps"] == store.summary()["steps"] == 287
        assert file.verify() == []
        assert file.skipped == []


def test_pictures_are_read_only_where_somebody_wants_them(store):
    wanted = samples.record(1, "evaluation", frames=(4, 6))
    del wanted["frames"]
    path = store.seal()
    with SessionFile.open(path) as file, GuardedFile.open(path) as guarded:
        for source in (store, file, guarded):
            found = source.episode("evaluation", 1, frames=False)
            samples.same_record(found, wanted)
            assert "frames" not in found


def test_the_resume_point_survives_sealing_bit_by_bit(store):
    live = store.resume_point()
    with SessionFile.open(store.seal()) as file:
        sealed = file.resume_point()
    samples.same_checkpoint(sealed.checkpoint, live.checkpoint)
    samples.same_ring(sealed.replay, samples.ring_after(29))
    assert sealed.exact
    assert sealed.first_row == live.first_row


def test_without_exact_resume_the_replay_is_left_out_and_it_says_so(tmp_path):
    options = samples.configuration(recording__exact_resume="no")
    store = LiveStore.create(tmp_path / "run.h5", options, samples.CARD)
    with SessionFile.open(samples.run(store).seal()) as file:
        point = file.resume_point()
        assert not point.exact
        assert "not in the session file" in point.note
        assert point.replay == {}
    store.close()


def test_plain_h5py_opens_it_in_a_fresh_process(store):
    code = (
        "import h5py, sys, json\n"
        "with h5py.File(sys.argv[1], 'r') as file:\n"
        "    first = file['episodes/episode_0']\n"
        "    print(json.dumps([sorted(file), int(first.attrs['total_steps']),\n"
        "        first['observations'].shape, file.attrs['format'].decode()]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, store.seal()], capture_output=True, check=True
    )
    names, total, shape, kind = json.loads(done.stdout)
    assert {"metrics", "episodes", "checkpoints", "config_json"} <= set(names)
    assert (total, shape, kind) == (11, [12, 4], "rllab-session")


def test_a_change_by_another_program_breaks_the_seal(store):
    path = store.seal()
    with h5py.File(path, "r+") as file:
        file["metrics/loss/value"][0] = 1.0
    with pytest.raises(SessionProblem, match=r"seal|damaged"):
        SessionFile.open(path)


def test_a_clean_end_folds_the_live_store_into_the_file(store):
    store.close(fold=True)
    assert not store.folder.exists()
    assert [it.name for it in store.path.parent.iterdir()] == ["run.h5"]
    with SessionFile.open(store.path) as file:
        assert file.summary()["steps"] == 287


def test_a_copy_elsewhere_does_not_count_as_sealed(store, tmp_path):
    store.seal(tmp_path / "copy.h5")
    assert not store.is_sealed
    store.seal()
    assert store.is_sealed
    store.append(samples.rows(41))
    store.commit()
    assert not store.is_sealed


def test_a_save_that_fails_leaves_the_previous_file(store, monkeypatch):
    path = store.seal()
    before = path.read_bytes()
    store.append(samples.rows(41))

    def fails(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.sessions.session_writer.seal_file", fails)
    with pytest.raises(SessionProblem, match="disk is full") as it:
        store.seal()
    assert it.value.kind == "disk-full"
    assert path.read_bytes() == before
    assert not list(path.parent.glob(".*part"))
