import os
import resource
import signal

import numpy as np
import pytest
import session_samples as samples

from engine.sessions import LiveStore, SessionProblem, find_sessions
from engine.sessions.ballast import BALLAST_BYTES, Ballast
from engine.sessions.database import connect
from engine.sessions.live_folder import read_identity
from engine.sessions.lock import StoreLock
from engine.sessions.sink import Sink


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        yield store


def fill_up(store):
    """No page more: for SQLite this is a full disk."""
    (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
    store.connection.execute(f"PRAGMA max_page_count={pages}")


def make_room(store):
    store.connection.execute("PRAGMA max_page_count=1000000")


def big_rows(number):
    rows = samples.rows(number)
    rows.replay["observation"] = np.random.default_rng(0).random((7, 40_000))
    return rows


def test_a_full_disk_is_told_and_nothing_is_lost(store):
    store.append(samples.rows(0))
    store.commit()
    fill_up(store)
    store.append(big_rows(1))
    for _ in range(2):
        with pytest.raises(SessionProblem, match="disk is full") as told:
            store.commit()
        assert told.value.kind == "disk-full"
    assert store.disk_full
    assert store.durable_step == 7
    make_room(store)
    assert store.commit() == {"trainer": (1, 14)}
    assert not store.disk_full
    assert len(store.history("loss")["step"]) == 4


def test_the_ballast_makes_room_once(store, monkeypatch):
    ballast = store.folder / "ballast"
    assert ballast.stat().st_size == BALLAST_BYTES
    released = Ballast.release

    def release(self):
        make_room(store)
        return released(self)

    monkeypatch.setattr(Ballast, "release", release)
    fill_up(store)
    store.append(big_rows(0))
    assert store.commit() == {"trainer": (0, 7)}
    assert store.disk_full
    assert not ballast.exists()
    store.append(samples.rows(1))
    store.commit()
    assert not store.disk_full
    assert ballast.exists()


def test_after_an_error_of_the_disk_a_new_database_is_written(tmp_path):
    """In a process of its own, because the limit holds for all of its files."""
    child = os.fork()
    if child == 0:
        os._exit(_survive_io_errors(tmp_path))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with LiveStore.open(tmp_path / "run.h5") as store:
        assert store.progress() == {"trainer": (1, 14)}
        assert store.problems() == []
        assert len(store.history("loss")["step"]) == 4


def _survive_io_errors(folder):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    path = folder / "run.h5"
    store = LiveStore.create(path, samples.configuration(), samples.CARD)
    before = os.stat(store.folder / "live.sqlite").st_ino
    store.append(samples.rows(0))
    store.commit()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    store.append(big_rows(1))
    try:
        store.commit()
        return 2
    except SessionProblem as problem:
        if problem.kind != "io":
            return 3
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    if store.commit() != {"trainer": (1, 14)}:
        return 4
    renewed = os.stat(store.folder / "live.sqlite").st_ino != before
    store.close()
    return 0 if renewed else 5


def test_an_interrupted_exchange_of_databases_is_completed(store):
    samples.run(store, last_row=5, checkpoint_rows=())
    store.close()
    database = store.folder / "live.sqlite"
    database.rename(store.folder / "live.sqlite.ready")
    database.write_bytes(b"the suspect one")
    (store.folder / "live.sqlite-wal").write_bytes(b"its log")
    with LiveStore.open(store.path) as again:
        assert again.progress() == {"trainer": (5, 42)}


def test_hdf5_goes_on_in_memory_after_an_error(tmp_path):
    import h5py

    class Full:
        """A file that takes 3,000 bytes."""

        def __init__(self):
            self.file = (tmp_path / "some.h5").open("w+b", buffering=0)

        def write(self, data):
            if self.file.tell() + len(data) > 3000:
                raise OSError(28, "No space left on device")
            return self.file.write(data)

        def __getattr__(self, name):
            return getattr(self.file, name)

    full = Full()
    sink = Sink(full, "The file could not be written")
    with h5py.File(sink, "w") as file:
        for number in range(50):
            file[f"data {number}"] = np.arange(100)
    with pytest.raises(SessionProblem, match="disk is full"):
        sink.check()
    full.file.close()


def test_a_checkpoint_that_does_not_fit_leaves_those_before(store, monkeypatch):
    samples.run(store, last_row=10, checkpoint_rows=(9,))

    def fails(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.sessions.checkpoint_files.write_file", fails)
    with pytest.raises(SessionProblem, match="disk is full"):
        store.write_checkpoint(samples.checkpoint(77, 10))
    assert [row.step for row in store.checkpoints()] == [70]
    assert store.disk_full
    monkeypatch.undo()
    store.write_checkpoint(samples.checkpoint(77, 10))
    assert [row.step for row in store.checkpoints()] == [70, 77]


def test_errors_of_sqlite_are_sentences(store):
    store.connection.close()
    store.append(samples.rows(0))
    with pytest.raises(SessionProblem, match=r"closed database\. Check"):
        store.commit()
    connection = connect(store.folder / "live.sqlite")
    store._connection = store._writer.connection = connection


def test_the_names_of_series_survive_a_commit_that_needed_the_ballast(
    store, monkeypatch
):
    released = Ballast.release

    def release(self):
        make_room(store)
        return released(self)

    monkeypatch.setattr(Ballast, "release", release)
    fill_up(store)
    store.append(big_rows(0))
    store.commit()
    assert store.series() == ["loss", "q_mean"]
    assert len(store.history("loss")["step"]) == 2


def test_names_that_could_not_be_kept_aside_cost_no_row(store, monkeypatch):
    def fails(folder, head):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("engine.sessions.live_head.write_identity", fails)
        store.append(samples.rows(0))
        assert store.commit() == {"trainer": (0, 7)}
    store.append(samples.rows(1))
    store.commit()
    assert read_identity(store.folder)["series"] == ["loss", "q_mean"]
    assert len(store.history("loss")["step"]) == 4


def test_a_note_survives_a_cut_that_needed_a_second_attempt(store, monkeypatch):
    samples.run(store, last_row=12, checkpoint_rows=(9,))
    point = store.resume_point()
    put, calls = store._writer.put, []

    def full_once(key, value):
        calls.append(key)
        if calls.count("progress") == 1 and key == "progress":
            raise SessionProblem("The disk is full.", "disk-full")
        put(key, value)

    monkeypatch.setattr(store._writer, "put", full_once)
    store.truncate_after(point)
    texts = [it.text for it in store.events() if it.kind == "recovery"]
    assert len(texts) == 1
    assert texts[0].startswith("Resumed at step 70")


def test_a_checkpoint_that_is_too_many_may_stay_until_the_next_opening(
    store, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.unlink", _refused)
        samples.run(store, last_row=30, checkpoint_rows=(9,))
        store.write_checkpoint(samples.checkpoint(70, 9))
    assert [it.step for it in store.checkpoints()] == [70]
    assert len(list(store.folder.glob("ck-*.h5"))) == 2
    store.close()
    with LiveStore.open(store.path) as again:
        assert [it.step for it in again.checkpoints()] == [70]
        assert len(list(again.folder.glob("ck-*.h5"))) == 1


def test_a_lock_is_let_go_also_where_its_text_cannot_be_cut(tmp_path):
    lock = StoreLock.acquire(tmp_path / "lock")
    lock._file.truncate = lambda size: _refused(size)
    lock.release()
    StoreLock.acquire(tmp_path / "lock").release()


@pytest.mark.parametrize("part", ["online", "optimizer"])
def test_no_checkpoint_holds_what_is_not_finite(store, part):
    samples.run(store, last_row=10, checkpoint_rows=(9,))
    checkpoint = samples.checkpoint(77, 10)
    (path,) = [it for it in checkpoint.arrays if f"/{part}/" in it]
    checkpoint.arrays[path].flat[0] = np.inf
    with pytest.raises(SessionProblem, match="is not a number"):
        store.write_checkpoint(checkpoint)
    assert [row.step for row in store.checkpoints()] == [70]


def _refused(path, missing_ok=False):
    raise OSError(5, "Input/output error")


def test_sessions_are_listed_although_one_was_killed_while_it_began(tmp_path):
    left = tmp_path / ".run.live.999999999.part"
    left.mkdir()
    (left / "live.sqlite").write_bytes(b"half")
    assert find_sessions(tmp_path) == []
    assert not left.exists()
