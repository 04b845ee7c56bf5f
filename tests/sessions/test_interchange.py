"""What is exported is read back by the programs that it is meant for."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import session_samples as samples

from engine.contract.exports import EXPORTS, ExportFormat
from engine.sessions import LiveStore, SessionFile, SessionProblem
from engine.sessions.atomic import replacing_folder, sweep
from engine.sessions.exporters import export
from engine.sessions.exporters.tensorboard_scalars import VERSION

FOLDERS = ("minari", "tensorboard")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store)
        with SessionFile.open(store.seal()) as file:
            yield file


def content(path: Path):
    """Every file of an export, by its place in it."""
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return {str(it.relative_to(path)): it.read_bytes() for it in files if it.is_file()}


@pytest.mark.parametrize("name", ["minari", "tensorboard", "safetensors"])
def test_the_same_session_gives_the_same_bytes(source, tmp_path, name):
    if missing := EXPORTS[name].missing:
        pytest.skip(missing)
    found = [
        content(export(source, name, tmp_path / f"{i}" / "it"))
        for i in (1, 2)
        if (tmp_path / f"{i}").mkdir() is None
    ]
    assert found[0] == found[1]
    assert found[0]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_holds_something_is_not_touched(source, tmp_path, name):
    if missing := EXPORTS[name].missing:
        pytest.skip(missing)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("before")
    with pytest.raises(SessionProblem, match="could not be written"):
        export(source, name, tmp_path / "out")
    assert content(tmp_path) == {"out/mine": b"before"}
    (tmp_path / "out" / "mine").unlink()
    export(source, name, tmp_path / "out")
    assert len(content(tmp_path)) >= 1


def test_a_folder_that_nobody_finished_is_swept(tmp_path):
    def fail():
        with replacing_folder(tmp_path / "out") as place:
            (place / "half").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []
    left = tmp_path / ".out.999999999.part"
    (left / "data").mkdir(parents=True)
    assert sweep(tmp_path, "out") == [left]
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------------- minari


def test_minari_reads_every_episode_as_it_was_recorded(source, tmp_path):
    minari = pytest.importorskip("minari")
    folder = export(source, "minari", tmp_path / "cart-v3")
    found = minari.MinariDataset(folder / "data")
    table = source.episodes()
    of = [
        n
        for kind, n in zip(table["kind"], table["episode"], strict=True)
        if kind == "training"
    ]
    assert found.spec.dataset_id == "cart-v3"
    assert found.spec.env_spec is None
    assert (found.total_episodes, found.total_steps) == (len(of), 11 * len(of))
    assert found.action_space.n == 2
    assert found.observation_space.shape == (4,)
    for episode, number in zip(found.iterate_episodes(), of, strict=True):
        wanted = samples.record(int(number))
        for name in ("observations", "actions", "rewards", "terminations"):
            stored = getattr(episode, name)
            assert np.array_equal(stored, wanted[name]), name
            assert stored.dtype == wanted[name].dtype
        assert "total_steps=11" in str(episode)
    (first,) = found.storage.get_episode_metadata([0])
    assert first["seed"] == 1000 + int(of[0])


def test_evaluations_or_one_episode_can_be_chosen(source, tmp_path):
    export(source, "minari", tmp_path / "a", {"kind": "evaluation"})
    export(source, "minari", tmp_path / "b", {"episode": 4})
    counts = [
        json.loads((tmp_path / it / "data" / "metadata.json").read_text())
        for it in "ab"
    ]
    assert [it["total_episodes"] for it in counts] == [3, 1]
    with pytest.raises(SessionProblem, match="no such recorded"):
        export(source, "minari", tmp_path / "c", {"episode": 400})
    assert not (tmp_path / "c").exists()


def test_discrete_states_are_numbers_and_what_nobody_knows_is_left_out(tmp_path):
    card = samples.CARD.to_dict() | {"observation": "onehot", "shape": [5]}
    with LiveStore.create(tmp_path / "x.h5", samples.configuration(), card) as store:
        rows = samples.rows(2)
        states = np.arange(12) % 5
        rows.episodes[0]["observations"] = np.eye(5, dtype=np.float32)[states]
        rows.episodes[0]["explored_known"] = False
        store.append(rows)
        store.commit()
        folder = export(store, "minari", tmp_path / "out")
    about = json.loads((folder / "data" / "metadata.json").read_text())
    assert json.loads(about["observation_space"])["n"] == 5
    with h5py.File(folder / "data" / "main_data.hdf5") as file:
        stored = file["episode_0/observations"]
        assert stored[()].tolist() == states.tolist()
        assert h5py.h5o.get_info(stored.id).mtime == 0
        assert "explored" not in file["episode_0"]


# ---------------------------------------------------------------- tensorboard


def test_tensorboard_reads_every_series(source, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import (
        EventAccumulator,
    )

    folder = export(source, "tensorboard", tmp_path / "logs")
    found = EventAccumulator(str(folder), {"scalars": 0}).Reload()
    means = {"evaluation/return_mean", "evaluation/length_mean"}
    assert set(found.Tags()["scalars"]) == {*source.series(), *means}
    history, read = source.history("loss"), found.Scalars("loss")
    assert [it.step for it in read] == history["step"].tolist()
    assert [it.wall_time for it in read] == history["wall_time"].tolist()
    assert [it.value for it in read] == history["value"].astype("f4").tolist()
    assert [it.value for it in found.Scalars("evaluation/return_mean")] == [9, 10, 9]
    assert VERSION.encode() in next(folder.iterdir()).read_bytes()


def test_what_is_not_installed_is_said_with_the_line_that_installs_it(
    source, tmp_path, monkeypatch
):
    absent = ExportFormat(
        "tensorboard", "x", "curves", "X", "x", needs=("no_such",), install="pip it"
    )
    monkeypatch.setitem(EXPORTS, "tensorboard", absent)
    with pytest.raises(SessionProblem, match=r"'no_such'.*not installed.*pip it"):
        export(source, "tensorboard", tmp_path / "out")
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- safetensors


def test_weights_have_stable_names_and_say_where_they_are_from(source, tmp_path):
    from safetensors import safe_open

    path = export(source, "safetensors", tmp_path / "w", {"checkpoint": 70})
    wanted = source.checkpoint(70).arrays["agent/online/torso.0.weight"]
    with safe_open(path, "np") as file:
        assert np.array_equal(file.get_tensor("online/torso.0.weight"), wanted)
        about = json.loads(file.metadata()["rllab"])
    assert about["environment"] == "CartPole-v1"
    assert about["step"] == 70
    assert len(about["agent_sha256"]) == 64
    assert set(about) == {"format", "environment", "step", "session", "agent_sha256"}
