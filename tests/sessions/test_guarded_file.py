import os
import signal

import numpy as np
import pytest
import session_samples as samples

from engine.sessions import LiveStore, SessionFile, SessionProblem
from engine.sessions.guarded_file import GuardedFile


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("guarded") / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store).close(fold=True)
    return path


def test_it_answers_as_the_file_itself(path):
    with GuardedFile.open(path) as guarded, SessionFile.open(path) as file:
        for name in ("summary", "configuration", "card", "views", "series"):
            assert getattr(guarded, name)() == getattr(file, name)()
        assert guarded.events() == file.events()
        assert guarded.checkpoints() == file.checkpoints()
        assert guarded.verify() == []
        one, two = guarded.history("loss", 20), file.history("loss", 20)
        assert all(np.array_equal(one[it], two[it]) for it in two)
        samples.same_record(guarded.episode("training", 3), samples.record(3))
        assert guarded.frames("evaluation", 0, 1, 3).shape == (2, 4, 6, 3)
        assert len(guarded.evaluations()) == 3
        point = guarded.resume_point()
        samples.same_checkpoint(point.checkpoint, samples.checkpoint(210, 29))
        samples.same_ring(point.replay, samples.ring_after(29))
        with pytest.raises(SessionProblem, match="no recorded training episode 99"):
            guarded.episode("training", 99)


def test_a_refusal_keeps_its_sentence_and_kind(tmp_path):
    (tmp_path / "some.h5").write_bytes(bytes(1000))
    with pytest.raises(SessionProblem, match="is not an HDF5 file") as told:
        GuardedFile.open(tmp_path / "some.h5")
    assert told.value.kind == "foreign"


def test_a_helper_that_hangs_is_ended(path):
    with GuardedFile.open(path) as guarded:
        os.kill(guarded._reader.pid, signal.SIGSTOP)
        with pytest.raises(SessionProblem, match="took longer than"):
            guarded.ask("summary", timeout_s=0.2)
        assert guarded._reader._process.wait(5) == -signal.SIGKILL
        with pytest.raises(SessionProblem):
            guarded.summary()


def test_a_helper_that_dies_is_one_sentence(path):
    with GuardedFile.open(path) as guarded:
        os.kill(guarded._reader.pid, signal.SIGKILL)
        with pytest.raises(SessionProblem, match="opened"):
            guarded.summary()


def test_a_module_beside_a_session_is_not_imported(path, tmp_path, monkeypatch):
    for name in ("json", "numpy", "h5py", "engine"):
        (tmp_path / f"{name}.py").write_text("open('owned', 'w').write('owned')")
    monkeypatch.chdir(tmp_path)
    with GuardedFile.open(path) as guarded:
        assert guarded.summary()["steps"] == 287
    assert not (tmp_path / "owned").exists()
