"""A fork is another session that begins where its parent was."""

from __future__ import annotations

import os

import pytest
import session_samples as samples

from engine.sessions import (
    LiveStore,
    SessionFile,
    SessionProblem,
    find_sessions,
    forking,
)
from engine.sessions.forking import fork


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        yield store


@pytest.fixture
def parent(store):
    """A sealed session of 41 rows with checkpoints up to step 210."""
    path = samples.run(store).seal()
    store.close(fold=True)
    return path


def test_a_fork_has_the_state_and_knows_its_parent(parent, tmp_path):
    before = parent.read_bytes()
    made = fork(parent, tmp_path / "arm.h5")
    assert (made.step, made.exact) == (210, True)
    with SessionFile.open(parent) as old, SessionFile.open(tmp_path / "arm.h5") as new:
        samples.same_checkpoint(new.checkpoint(), old.checkpoint())
        samples.same_ring(new.resume_point().replay, samples.ring_after(29))
        assert new.summary()["parent_uuid"] == old.summary()["uuid"]
        assert new.summary()["uuid"] != old.summary()["uuid"]
        assert new.history("loss")["step"].max() <= 212
        assert "Forked at step 210." in [it.text for it in new.events()]
    assert parent.read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_what_a_killed_fork_leaves_is_swept(parent, tmp_path, monkeypatch):
    child = os.fork()
    if child == 0:
        monkeypatch.setattr(forking, "_turn_into_fork", lambda *_: os._exit(9))
        fork(parent, tmp_path / "arm.h5")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert list(tmp_path.glob(".arm.h5.*"))
    assert [it.name for it in find_sessions(tmp_path)] == ["run"]
    assert not list(tmp_path.glob(".*"))


def test_an_older_checkpoint_forks_without_its_memory_and_says_so(parent, tmp_path):
    made = fork(parent, tmp_path / "arm.h5", 140)
    assert (made.step, made.exact) == (140, False)
    assert "replay memory starts empty" in made.note
    with SessionFile.open(tmp_path / "arm.h5") as new:
        assert new.checkpoint().step == 140


def test_a_running_session_is_forked_as_it_is_durable(store, tmp_path):
    samples.run(store)
    made = fork(store.path, tmp_path / "arm.h5")
    assert made.step == 210
    assert store.resume_point().step == 210
    with LiveStore.open(tmp_path / "arm.h5") as new:
        samples.same_ring(new.resume_point().replay, samples.ring_after(29))


def test_what_cannot_be_forked_leaves_nothing(parent, tmp_path):
    target = tmp_path / "arm.h5"
    with pytest.raises(SessionProblem, match="no checkpoint of step 17"):
        fork(parent, target, 17)
    assert not target.exists()
    target.write_text("something else")
    with pytest.raises(SessionProblem, match="already"):
        fork(parent, target)
    assert target.read_text() == "something else"
    with pytest.raises(SessionProblem, match="must end in"):
        fork(parent, tmp_path / "arm.txt")
    with pytest.raises(SessionProblem, match="could not be written"):
        fork(parent, tmp_path / "nowhere" / "arm.h5")
    assert not list(tmp_path.glob(".fork-*"))
