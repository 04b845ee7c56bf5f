"""Notes on a file that is only looked at: beside it at once, in it later."""

import json
import os
import shutil
from pathlib import Path
from unittest import mock

import msgspec
import pytest
import session_samples as samples

from engine.sessions import (
    GuardedFile,
    LiveStore,
    SessionFile,
    SessionProblem,
    find_sessions,
)
from engine.sessions import beside as beside_module
from engine.sessions.atomic import TEMPORARY
from engine.sessions.beside import MOST_BYTES, beside, find_beside, put_beside
from engine.sessions.folding import fold_notes
from engine.sessions.forking import fork

NOTES = {"notes": {"bookmarks": [{"id": "a", "text": "about to fall \u202e<b>"}]}}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A sealed session of 41 rows, and its uuid."""
    path = tmp_path_factory.mktemp("made") / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        uuid = store.summary()["uuid"]
        samples.run(store).close(fold=True)
    return path, uuid


@pytest.fixture
def path(made, tmp_path):
    return Path(shutil.copy(made[0], tmp_path))


@pytest.fixture
def uuid(made):
    return made[1]


def views_of(path):
    """As another process would read them, which opens the session anew."""
    with GuardedFile.open(path) as file:
        return file.views()


def in_child(action):
    """Do it in a process of its own; its exit status."""
    child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_notes_are_kept_beside_a_file_that_stays_as_it_is(path):
    before = path.read_bytes()
    with GuardedFile.open(path) as file:
        file.keep_views(NOTES)
        assert file.views() == NOTES
    assert path.read_bytes() == before
    assert views_of(path) == NOTES
    with SessionFile.open(path) as file:
        assert file.views() == {}


def test_they_are_folded_into_the_file_and_go(path, uuid):
    put_beside(path, uuid, NOTES)
    fold_notes(path, path)
    assert [it.name for it in path.parent.iterdir()] == ["run.h5"]
    with SessionFile.open(path) as file:
        assert file.views() == NOTES
        assert (file.verify(), file.summary()["uuid"]) == ([], uuid)
        assert file.checkpoint().step == 210
        samples.same_ring(file.resume_point().replay, samples.ring_after(29))


def test_a_run_that_goes_on_takes_them_in_once(path, uuid):
    put_beside(path, uuid, NOTES)
    kept = beside(path).read_bytes()
    with LiveStore.open(path) as store:
        assert (store.views(), beside(path).exists()) == (NOTES, False)
        store.set_views({"notes": {}})
    beside(path).write_bytes(kept)  # as if it could not be removed
    with LiveStore.open(path) as store:
        assert store.views() == {"notes": {}}
        store.close(fold=True)
    assert views_of(path) == {"notes": {}}


def test_forks_and_copies_have_them_and_they_stay(path, uuid):
    put_beside(path, uuid, NOTES)
    fork(path, path.with_name("arm.h5"))
    fold_notes(path, path.with_name("copy.h5"))
    for name in ("arm.h5", "copy.h5"):
        with SessionFile.open(path.with_name(name)) as file:
            assert file.views() == NOTES
    assert views_of(path) == NOTES
    names = sorted(it.name for it in path.parent.iterdir())
    assert names == ["arm.h5", "copy.h5", "run.h5", "run.notes"]


def test_what_changes_while_the_file_is_written_stays_beside_it(path, uuid):
    put_beside(path, uuid, NOTES)
    close = LiveStore.close

    def slow(store, **options):
        put_beside(path, uuid, {"notes": {"loops": []}})
        close(store, **options)

    with mock.patch.object(LiveStore, "close", slow):
        fold_notes(path, path)
    with SessionFile.open(path) as file:
        assert file.views() == NOTES
    assert views_of(path) == {"notes": {"loops": []}}


def test_a_file_that_somebody_else_has_replaced_is_not_put_back(path, uuid):
    put_beside(path, uuid, NOTES)
    close = LiveStore.close

    def slow(store, **options):
        os.utime(path, ns=(1, 1))
        close(store, **options)

    with (
        mock.patch.object(LiveStore, "close", slow),
        pytest.raises(SessionProblem, match="changed meanwhile"),
    ):
        fold_notes(path, path)
    assert views_of(path) == NOTES


def dying_at(call, at):
    """A call of the system that ends the process when it is made for the n-th time."""
    real, count = getattr(os, call), iter(range(1, at + 1))

    def dying(*words, **options):
        if next(count, None) == at:
            os._exit(9)
        return real(*words, **options)

    return mock.patch(f"os.{call}", dying)


def kill_each(call, action, check):
    """Kill it at its first, second, ... call of this kind; how many there are."""
    for at in range(1, 100):
        with dying_at(call, at):
            status = in_child(action)
        check()
        if status == 0:
            return at - 1
    raise AssertionError("it never ends")


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_killed_at_any_moment_the_notes_are_the_old_or_the_new_ones(path, uuid, call):
    put_beside(path, uuid, NOTES)
    newer, before = {"notes": {"loops": [1]}}, path.read_bytes()

    def check():
        assert find_beside(path, uuid)[0] in (NOTES, newer)

    assert kill_each(call, lambda: put_beside(path, uuid, newer), check) > 0
    assert (views_of(path), path.read_bytes()) == (newer, before)


def check_whole(path):
    """The session is there with its notes, and nothing else that matters."""
    with SessionFile.open(path) as file:
        assert file.steps > 0
    assert views_of(path) == NOTES
    assert [it.needs_recovery for it in find_sessions(path.parent)] == [False]
    assert not list(path.parent.glob(f".*{TEMPORARY}"))


@pytest.mark.parametrize("before", ["sync_folder", "drop_beside"])
def test_killed_round_the_moment_that_counts_nothing_is_lost(path, uuid, before):
    put_beside(path, uuid, NOTES)
    ends = mock.Mock(side_effect=lambda *_: os._exit(9))
    with mock.patch(f"engine.sessions.folding.{before}", ends):
        assert in_child(lambda: fold_notes(path, path)) == 9
    check_whole(path)


@pytest.mark.long
@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_killed_at_any_moment_of_writing_anew_nothing_is_lost(path, uuid, call):
    put_beside(path, uuid, NOTES)
    kills = kill_each(call, lambda: fold_notes(path, path), lambda: check_whole(path))
    assert kills > 2


def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(path, uuid):
    def refused(*_):
        raise PermissionError(13, "Permission denied")

    with (
        mock.patch.object(beside_module, "write_file", refused),
        pytest.raises(SessionProblem) as caught,
    ):
        put_beside(path, uuid, NOTES)
    assert "could not be kept: Permission denied. Check the folder" in str(caught.value)


def test_more_than_can_be_kept_is_refused(path, uuid):
    with pytest.raises(SessionProblem, match="too large"):
        put_beside(path, uuid, {"notes": "x" * MOST_BYTES})
    with LiveStore.open(path) as store, pytest.raises(SessionProblem, match="too la"):
        store.set_views({"notes": "x" * MOST_BYTES})


def forged(uuid, views, crc=None):
    text = views if isinstance(views, str) else json.dumps(views)
    right = beside_module.checksum(text, "notes", uuid)
    whole = {"uuid": uuid, "views": text, "crc": right if crc is None else crc}
    return msgspec.json.encode(whole)


def deep(depth):
    return '{"notes":' + "[" * depth + "]" * depth + "}"


def test_notes_of_another_session_are_none_of_this_one(path, uuid):
    beside(path).write_bytes(forged("0" * 32, NOTES))
    assert (find_beside(path, uuid), views_of(path)) == (({}, -1), {})


def test_a_strangers_notes_are_left_out_with_a_sentence(path, uuid):
    for make in (
        lambda place: place.write_bytes(b"\x89HDF"),
        lambda place: place.write_bytes(b""),
        lambda place: place.write_bytes(forged(uuid, NOTES, crc=1)),
        lambda place: place.write_bytes(forged(uuid, "[1]")),
        lambda place: place.write_bytes(forged(uuid, {"notes": 10**30})),
        lambda place: place.write_bytes(forged(uuid, '{"notes": "\\ud800"}')),
        lambda place: place.write_bytes(forged(uuid, deep(100))),
        lambda place: place.write_bytes(forged(uuid, deep(100_000))),
        lambda place: place.write_bytes(b"[" * 1_000_000),
        lambda place: os.mkfifo(place),
        lambda place: place.symlink_to("/etc/hostname"),
    ):
        beside(path).unlink(missing_ok=True)
        make(beside(path))
        with pytest.raises(SessionProblem, match=r"run\.notes"):
            find_beside(path, uuid)
    with GuardedFile.open(path) as file:
        assert (file.views(), len(file.problems())) == ({}, 1)
    with LiveStore.open(path) as store:
        assert (store.views(), len(store.problems())) == ({}, 1)
        store.close(fold=True)


def test_what_is_not_of_this_session_is_set_aside_and_not_lost(path, uuid):
    beside(path).write_bytes(forged("0" * 32, NOTES))
    put_beside(path, uuid, {"notes": {}})
    assert find_beside(path, uuid)[0] == {"notes": {}}
    old = path.with_name("run.notes.old")
    assert old.read_bytes() == forged("0" * 32, NOTES)
    put_beside(path, uuid, NOTES)  # its own notes are replaced
    assert old.read_bytes() == forged("0" * 32, NOTES)


def test_saved_over_an_older_copy_the_notes_are_the_new_ones(path, uuid):
    copy = path.with_name("copy.h5")
    shutil.copy(path, copy)
    put_beside(copy, uuid, {"notes": {"bookmarks": []}})
    put_beside(path, uuid, NOTES)
    fold_notes(path, copy)
    assert views_of(copy) == NOTES
