import csv

import msgspec
import numpy as np
import pytest
import session_samples as samples

from engine.contract.exports import EXPORTS
from engine.contract.messages import Scalars
from engine.sessions import LiveStore, SessionFile, SessionProblem
from engine.sessions.exporters import EXPORTERS, export


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store)
        with SessionFile.open(store.seal()) as file:
            yield file


def lines(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_scalars_are_read_back_exactly(source, tmp_path):
    found = lines(export(source, "scalars", tmp_path / "out.csv"))
    loss = [row for row in found if row["series"] == "loss"]
    history = source.history("loss")
    assert [float(row["value"]) for row in loss] == history["value"].tolist()
    assert [int(row["step"]) for row in loss] == history["step"].tolist()
    assert {row["series"] for row in found} == {"loss", "q_mean"}


def test_an_episode_has_a_line_for_each_observation(source, tmp_path):
    found = lines(export(source, "episode", tmp_path / "out.csv", {"episode": 4}))
    wanted = samples.record(4)
    assert len(found) == 12
    assert [int(row["actions"]) for row in found[:-1]] == wanted["actions"].tolist()
    assert found[-1]["actions"] == found[-1]["rewards"] == ""
    q = [[float(row[f"q_values_{i}"]) for i in range(2)] for row in found]
    assert np.array_equal(np.array(q, np.float32), wanted["q_values"])


@pytest.mark.parametrize("name", EXPORTERS)
def test_every_exporter_is_atomic(source, tmp_path, name, monkeypatch):
    target = tmp_path / "out.csv"
    target.write_text("before")
    with pytest.raises(SessionProblem):
        export(source, "episode", target, {"episode": 999})
    if missing := EXPORTS[name].missing:
        pytest.skip(missing)
    with pytest.raises(SessionProblem, match="could not be written"):
        export(source, name, tmp_path / "no folder" / "out.csv", {"episode": 1})
    assert target.read_text() == "before"
    assert not list(tmp_path.glob(".out*"))


def test_an_unknown_export_names_the_known_ones(source, tmp_path):
    with pytest.raises(SessionProblem, match="scalars, tensorboard, episode"):
        export(source, "docx", tmp_path / "out")


def test_series_that_only_some_methods_have_go_all_the_way(tmp_path):
    """Recorded in the middle of a run, sealed, opened again, exported."""
    names = ["loss", "masked", "noise.streams.0"]
    with LiveStore.create(
        tmp_path / "run.h5", samples.configuration(), samples.CARD
    ) as store:
        store.append(samples.rows(0))
        rows = samples.rows(1)
        columns = rows.scalars.columns | {"series": np.array([0, 1, 2], np.int16)}
        scalars = Scalars(names=names, columns=columns)
        store.append(msgspec.structs.replace(rows, scalars=scalars))
        samples_of = dict(zip(names, columns["value"].tolist(), strict=True))
        path = store.seal()
    with SessionFile.open(path) as file:
        assert set(file.series()) == {"loss", "q_mean", "masked", "noise.streams.0"}
        assert file.history("masked")["value"].tolist() == [samples_of["masked"]]
        table = lines(export(file, "scalars", tmp_path / "out.csv"))
    found = {it["series"]: float(it["value"]) for it in table}
    assert found["noise.streams.0"] == samples_of["noise.streams.0"]
