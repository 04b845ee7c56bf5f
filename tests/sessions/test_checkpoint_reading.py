"""Checkpoints of a live folder: our own are read here, others under limits."""

import os
import shutil
import signal

import pytest
import session_samples as samples

from engine.sessions import LiveStore, SessionFile, SessionProblem, open_session
from engine.sessions import checkpoint_reading as reading
from engine.sessions.checkpoint_files import checkpoint_path


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A folder that a killed process of somebody has left."""
    folder = tmp_path_factory.mktemp("theirs")
    path = folder / "ours.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store, last_row=12, checkpoint_rows=(4, 9))
    shutil.copytree(store.folder, folder / "theirs.live")  # copied: not our files
    return folder


@pytest.fixture
def path(theirs, tmp_path):
    shutil.copytree(theirs / "theirs.live", tmp_path / "theirs.live")
    return tmp_path / "theirs.h5"


def not_here(*arguments):
    raise AssertionError("a stranger's file is read in this process")


def test_our_own_are_read_here_without_a_process(theirs, monkeypatch):
    monkeypatch.setattr(reading, "Reader", not_here)
    with LiveStore.open(theirs / "ours.h5") as store:
        samples.same_checkpoint(store.checkpoint(), samples.checkpoint(70, 9))


def test_what_others_wrote_is_never_parsed_here(path, monkeypatch):
    monkeypatch.setattr(reading, "read_checkpoint_file", not_here)
    monkeypatch.setattr(reading, "read_row_file", not_here)
    with LiveStore.open(path) as store:
        samples.same_checkpoint(store.checkpoint(35), samples.checkpoint(35, 4))
        samples.same_checkpoint(store.checkpoint(), samples.checkpoint(70, 9))
        assert store.resume_point().exact
        monkeypatch.setattr("engine.sessions.session_writer.open_sealed", not_here)
        monkeypatch.setattr("engine.sessions.session_writer._check", lambda *it: None)
        store.seal()
    with SessionFile.open(path) as file:
        assert file.verify() == []
        assert file.resume_point().exact
        samples.same_checkpoint(file.checkpoint(35), samples.checkpoint(35, 4))


def test_one_that_ends_its_reader_costs_only_itself(path):
    with LiveStore.open(path) as store:
        store.files.checkpoint(0)
        reader = store.files._reader
        os.kill(reader.pid, signal.SIGKILL)
        with pytest.raises(SessionProblem, match=r"made its reader fail|was closed"):
            store.files.checkpoint(1)
        samples.same_checkpoint(store.checkpoint(), samples.checkpoint(70, 9))
    assert reader._process.returncode == -signal.SIGKILL


def test_a_changed_one_is_told_and_an_older_one_is_used(path):
    newest = checkpoint_path(path.with_name("theirs.live"), 1)
    damaged = bytearray(newest.read_bytes())
    damaged[3000] ^= 1
    newest.write_bytes(damaged)
    source = open_session(path)
    try:
        assert source.resume_point().step == 35
        assert any("step 70 cannot be used" in it for it in source.problems())
    finally:
        source.close()


def test_one_that_is_a_link_is_refused(path, theirs):
    newest = checkpoint_path(path.with_name("theirs.live"), 1)
    files = reading.CheckpointReading(newest.parent)
    newest.unlink()
    newest.symlink_to(checkpoint_path(theirs / "ours.live", 1))
    with files, pytest.raises(SessionProblem, match="cannot be opened"):
        files.checkpoint(1)


def test_a_folder_of_files_that_end_their_reader_is_given_up(path, monkeypatch):
    started = []

    class Lost:
        """A reader that ends at each question."""

        is_lost, name = True, ""

        def __init__(self, name, words):
            started.append(name)

        def ask(self, *words, **more):
            raise SessionProblem("It made its reader fail.", "foreign")

        def close(self):
            """Nothing runs."""

    monkeypatch.setattr(reading, "Reader", Lost)
    folder = path.with_name("theirs.live")
    for number in range(2, 40):
        shutil.copyfile(checkpoint_path(folder, 1), checkpoint_path(folder, number))
    with LiveStore.open(path) as store:
        assert len(started) == reading.MOST_LOST
        with pytest.raises(SessionProblem, match="no checkpoint that can be used"):
            store.resume_point()
    assert len(started) == reading.MOST_LOST
