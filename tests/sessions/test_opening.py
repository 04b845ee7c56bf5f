import json

import pytest
import session_samples as samples
from msgspec.structs import replace

from engine.sessions import (
    LiveStore,
    SessionFile,
    SessionProblem,
    find_sessions,
    inspect,
    open_session,
)


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        yield samples.run(store)


def test_a_running_session_is_shown_to_others_as_it_is(store):
    other = open_session(store.path)
    store.append(samples.rows(41))
    store.commit()
    assert other.summary()["steps"] == 287
    assert store.summary()["steps"] == 294
    other.close()


def test_the_live_store_goes_before_the_file(store):
    store.seal()
    store.append(samples.rows(41))
    store.close()
    with open_session(store.path) as source:
        assert source.summary()["steps"] == 294


def test_sessions_in_a_folder_say_which_need_recovery(store, tmp_path):
    other = tmp_path / "closed.h5"
    with LiveStore.create(other, samples.configuration(), samples.CARD) as second:
        samples.run(second, last_row=3, checkpoint_rows=(3,)).close(fold=True)
    (tmp_path / "foreign.h5").write_bytes(b"no session")
    found = {row.name: row for row in find_sessions(tmp_path)}
    assert found["run"].running
    assert not found["run"].needs_recovery
    assert (found["run"].steps, found["closed"].steps) == (287, 28)
    assert found["foreign"].steps == -1
    assert "not an HDF5 file" in found["foreign"].problem
    assert found["closed"].size == other.stat().st_size
    store.close()
    rows = {row.name: row.needs_recovery for row in find_sessions(tmp_path)}
    assert rows == {"run": True, "closed": False, "foreign": False}


def test_inspect_has_what_the_command_line_prints(store):
    live = inspect(store.path)
    assert live["steps"] == 287
    path = store.seal()
    store.close(fold=True)
    found = inspect(path, verify=True)
    wanted = {
        "format_version": "1.0",
        "steps": 287,
        "episodes": 13,
        "checkpoints": 3,
        "complete": False,
        "verified": True,
        "problems": [],
    }
    assert {name: found[name] for name in wanted} == wanted
    assert found["updates"] == 136
    json.dumps(found, allow_nan=False)


def test_inspect_has_the_last_returns_of_each_of_several_seeds(store):
    assert "seeds" not in inspect(store.path)
    measured = samples.scalars(41, 25)
    names = ["return", "return.seed_12"]
    store.append(replace(samples.rows(41), scalars=replace(measured, names=names)))
    store.commit()
    series, value = measured.columns["series"], measured.columns["value"]
    first = json.loads(samples.configuration())["training"]["seed"]
    expected = {str(first): value[series == 0], "12": value[series == 1]}
    found = inspect(store.path)["seeds"]
    assert found == pytest.approx({k: it[-20:].mean() for k, it in expected.items()})


def test_inspect_of_a_damaged_file_says_so_and_of_none_raises(store, tmp_path):
    path = store.seal(tmp_path / "copy.h5")
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)
    found = inspect(path, verify=True)
    assert not found["verified"]
    assert "damaged in block" in found["problems"][0]
    with pytest.raises(SessionProblem, match="no session file"):
        inspect(tmp_path / "nothing.h5")


def test_what_is_not_a_regular_file_is_refused_at_once(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.h5")
    (tmp_path / "link.h5").symlink_to(tmp_path / "pipe.h5")
    (tmp_path / "folder.h5").mkdir()
    for name in ("pipe.h5", "link.h5", "folder.h5"):
        with pytest.raises(SessionProblem):
            SessionFile.open(tmp_path / name)
