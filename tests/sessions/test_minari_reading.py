"""A data set of a stranger: what is read of it, and what is refused unopened."""

import json

import h5py
import numpy as np
import pytest

from engine.sessions.importing import write_imported
from engine.sessions.minari_reading import MinariFile, description
from engine.sessions.minari_source import MinariSource
from engine.sessions.problems import SessionProblem

STEPS = 3
FIELDS = {
    "observations": np.zeros((STEPS + 1, 2), np.float32),
    "actions": np.zeros(STEPS, np.int64),
    "rewards": np.zeros(STEPS),
    "terminations": np.zeros(STEPS, bool),
    "truncations": np.zeros(STEPS, bool),
}


def write(path, change=None, **options):
    with h5py.File(path, "w", **options) as file:
        group = file.create_group("episode_0")
        for name, it in FIELDS.items():
            group.create_dataset(
                name, data=it, chunks=True, maxshape=(None, *it.shape[1:])
            )
        group.create_group("infos")["text"] = "anything"
        group.attrs["options/of/reset"] = "any text"
        if change is not None:
            change(group)
    return path


def read(path):
    with path.open("rb") as file:
        reader = MinariFile(file, path.name)
        try:
            assert reader.episode_count() == 1
            return reader.read_episode(0)
        finally:
            reader.close()


@pytest.mark.parametrize("libver", [("earliest", "v108"), ("latest", "latest")])
def test_what_hdf5_wrote_of_any_age_is_read(tmp_path, libver):
    found = read(write(tmp_path / "a.h5", libver=libver, track_order=True))
    assert found.pop("seed") == -1
    assert found.keys() == FIELDS.keys()
    for name, it in FIELDS.items():
        assert np.array_equal(found[name], it)
        assert found[name].dtype == it.dtype


def replaced(name, make):
    def change(group):
        del group[name]
        make(group)

    return change


def external(group):
    place = [("/etc/passwd", 0, 8 * STEPS)]
    group.create_dataset("rewards", (STEPS,), "f8", external=place)


def virtual(group):
    layout = h5py.VirtualLayout((STEPS,), "f8")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (STEPS,))
    group.create_virtual_dataset("rewards", layout)


def link(kind, *words):
    return lambda group: group.__setitem__("rewards", kind(*words))


def texts(group):
    data = ["a"] * STEPS
    group.create_dataset("rewards", data=data, dtype=h5py.string_dtype())


HOSTILE = {
    "external link": link(h5py.ExternalLink, "/etc/passwd", "/x"),
    "soft link": link(h5py.SoftLink, "/episode_0/actions"),
    "external storage": external,
    "virtual storage": virtual,
    "texts": texts,
    "missing": lambda group: None,
    "a group": lambda group: group.create_group("rewards"),
    "longer": lambda group: group.create_dataset("rewards", data=np.zeros(9)),
    "two axes": lambda group: group.create_dataset("rewards", data=np.zeros((3, 2))),
    "one number": lambda group: group.create_dataset("rewards", data=1.0),
    "holes": lambda group: group.create_dataset("rewards", (STEPS,), "f8", chunks=(1,)),
    "bomb": lambda group: group.create_dataset(
        "rewards", (2**40,), "f8", chunks=(2**21,), compression="gzip"
    ),
    "named type": lambda group: group.create_dataset(
        "rewards",
        (STEPS,),
        group.file.__setitem__("t", np.dtype("f8")) or group.file["t"],
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_minari_does_not_write_is_refused(tmp_path, name):
    path = write(tmp_path / "a.h5", replaced("rewards", HOSTILE[name]))
    with pytest.raises(SessionProblem, match=r"'a\.h5' was not imported"):
        read(path)


def test_what_is_no_hdf5_is_refused(tmp_path):
    for data in (b"", b"\x89HDF\r\n\x1a\n", b"\0" * 512 + b"\x89HDF\r\n\x1a\n"):
        (tmp_path / "a.h5").write_bytes(data)
        with pytest.raises(SessionProblem, match="not imported"):
            read(tmp_path / "a.h5")


SPEC = {
    "id": "CartPole-v1",
    "entry_point": "os:system",
    "kwargs": {"command": "touch gone", "list": [1], "render_mode": "human"},
    "max_episode_steps": 300,
}


def test_a_declaration_is_taken_apart_and_never_run():
    about = {"env_spec": json.dumps(SPEC), "dataset_id": "x" * 999}
    found = description(json.dumps(about).encode(), "metadata.json")
    assert found["environment"] == "CartPole-v1"
    assert found["kwargs"] == {"command": "touch gone"}
    assert found["other_arguments"] == "list"
    assert found["time_limit"] == 300
    assert len(found["dataset_id"]) == 200
    assert "entry_point" not in str(found)


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, '{"env_spec": "x"}'])
def test_what_is_no_description_is_refused(text):
    with pytest.raises(SessionProblem, match="not the description"):
        description(text.encode(), "metadata.json")


def test_a_process_under_limits_reads_it(tmp_path):
    write(tmp_path / "main_data.hdf5")
    (tmp_path / "metadata.json").write_text("{}")
    with MinariSource.open(tmp_path) as source:
        assert source.about["episodes"] == 1
        (episode,) = source.episodes()
        assert np.array_equal(episode["observations"], FIELDS["observations"])
    (tmp_path / "metadata.json").unlink()
    (tmp_path / "metadata.json").symlink_to("/etc/passwd")
    with pytest.raises(SessionProblem, match="cannot be opened"):
        MinariSource.open(tmp_path)


def test_a_failing_import_leaves_nothing(tmp_path):
    import session_samples as samples

    def records():
        yield samples.record(0)
        raise SessionProblem("It cannot be read.")

    text, card = samples.configuration(), samples.CARD.to_dict()
    with pytest.raises(SessionProblem, match="cannot be read"):
        write_imported(tmp_path / "a.h5", text, card, records(), "note")
    assert list(tmp_path.iterdir()) == []
    made = write_imported(tmp_path / "a.h5", text, card, [samples.record(0)], "note")
    assert made == (1, 11)
    with pytest.raises(SessionProblem, match="already"):
        write_imported(tmp_path / "a.h5", text, card, [samples.record(0)], "note")
