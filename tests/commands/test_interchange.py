"""Sessions to files of other programs, as people ask for it; no run is needed."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from engine.contract.exports import EXPORTS
from engine.sessions import SessionFile

SAMPLE = Path(__file__).parents[2] / "sessions" / "sample-gridworld.h5"


def export(rllab, kind, out, *words):
    if missing := EXPORTS[kind].missing:
        pytest.skip(missing)
    said = rllab("export", SAMPLE, "--to", kind, "--out", out, *words, "--json")
    assert said.status == 0, said.err
    return json.loads(said.out)


@pytest.mark.parametrize("kind", ["minari", "tensorboard", "safetensors"])
def test_a_session_becomes_what_others_read(rllab, tmp_path, kind):
    found = export(rllab, kind, "out")
    assert found["file"] == str(tmp_path / "out")
    assert found["holds"]
    written = [it for it in (tmp_path / "out").rglob("*") if it.is_file()]
    assert written or (tmp_path / "out").stat().st_size > 1000
    again = rllab("export", SAMPLE, "--to", kind, "--out", "out")
    again.refused_with("'out'")


@pytest.mark.slow
def test_a_network_becomes_a_file_with_its_check(rllab, tmp_path):
    found = export(rllab, "onnx", "net.onnx", "--checkpoint", "last")
    assert "the last" in found["holds"]
    assert "difference" in found["checked"]
    assert found["takes"].startswith("observations float32 [batch, ")
    words = ["--to", "onnx", "--out", "other.onnx", "--checkpoint", "1234567"]
    rllab("export", SAMPLE, *words).refused_with("no checkpoint at step 1234567")
    assert [it.name for it in tmp_path.glob("*onnx*")] == ["net.onnx"]


def test_states_that_were_not_recorded_are_played_again(rllab, tmp_path):
    """In Minari's data set a state of a grid is its number."""
    minari = pytest.importorskip("minari")
    export(rllab, "minari", "grid-v1")
    data = minari.MinariDataset(tmp_path / "grid-v1" / "data")
    with SessionFile.open(SAMPLE) as file:
        table = file.episodes()
        kinds = zip(table["kind"], table["episode"], table["recorded"], strict=True)
        first = next(n for kind, n, there in kinds if there and kind == "training")
        record = file.episode("training", int(first))
    episode = next(iter(data.iterate_episodes()))
    assert np.array_equal(episode.actions, record["actions"])
    assert np.array_equal(episode.rewards, record["rewards"])
    assert episode.observations.shape == (len(record["actions"]) + 1,)
    assert episode.observations.max() < data.observation_space.n


def test_an_export_that_is_not_installed_is_refused_with_the_line(
    rllab, monkeypatch, tmp_path
):
    absent = dataclasses.replace(EXPORTS["onnx"], needs=("no_such_module",))
    monkeypatch.setitem(EXPORTS, "onnx", absent)
    said = rllab("export", SAMPLE, "--to", "onnx", "--out", "net.onnx")
    said.refused_with("'no_such_module'", "not installed", "python -m pip install")
    assert not (tmp_path / "net.onnx").exists()
