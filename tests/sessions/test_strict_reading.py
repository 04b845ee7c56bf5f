"""Only what our writer writes is opened: each rule with a file that breaks it."""

import io
import zlib

import h5py
import numpy as np
import pytest
import session_samples as samples
from hostile_bytes import IMAGES, image_of
from hostile_structures import STRUCTURES

from engine.sessions import LiveStore, SessionFile, SessionProblem
from engine.sessions.chunk_decoding import decode_chunk, fletcher32
from engine.sessions.hdf5_reading import StrictFile
from engine.sessions.hdf5_writing import write_array
from engine.sessions.seal import SealedReader, sealed


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("strict") / "run.h5"
    with LiveStore.create(path, samples.configuration(), samples.CARD) as store:
        samples.run(store)
        store.close(fold=True)
    return path


def changed(whole, path, change):
    """The file after a change by somebody who seals it again."""
    with whole.open("rb") as file:
        image = io.BytesIO(SealedReader(file, "run.h5").read())
    with h5py.File(image, "r+") as file:
        change(file)
    path.write_bytes(sealed(image.getvalue()))
    return path


HARMLESS = {"many_chunks", "many_members", "text_in_wide_numbers"}
"""Structures that are as ours are, but for their number or what they say."""


@pytest.mark.parametrize("name", sorted(set(STRUCTURES) | set(IMAGES)))
def test_a_file_that_breaks_a_rule_is_refused(whole, name):
    with whole.open("rb") as file:
        image = SealedReader(file, "run.h5").read()
    spoilt = IMAGES[name](image) if name in IMAGES else None
    spoilt = spoilt or image_of(STRUCTURES[name], image)

    def read_everything():
        strict = StrictFile(SealedReader(io.BytesIO(sealed(spoilt)), "x"), "x")
        for path in strict.walk():
            strict.array(path)

    if name in HARMLESS:
        read_everything()
        return
    with pytest.raises(SessionProblem) as told:
        read_everything()
    assert told.value.kind == "foreign"
    assert str(told.value).endswith(".")
    assert str(told.value).isprintable()


def test_the_same_file_unchanged_is_accepted(whole, tmp_path):
    path = changed(whole, tmp_path / "same.h5", lambda file: None)
    with SessionFile.open(path) as file:
        assert file.verify() == []


def test_a_newer_major_version_is_refused_with_a_sentence(whole, tmp_path):
    def newer(file):
        file.attrs["format_major"] = 2

    with pytest.raises(SessionProblem, match=r"newer RL Lab \(format 2\.0") as told:
        SessionFile.open(changed(whole, tmp_path / "newer.h5", newer))
    assert told.value.kind == "newer"


def test_a_newer_minor_version_opens_and_lists_what_it_skips(whole, tmp_path):
    def newer(file):
        file.attrs["format_minor"] = 7
        file["dreams/of/later"] = np.zeros(3)

    path = changed(whole, tmp_path / "newer.h5", newer)
    with SessionFile.open(path) as file:
        assert file.skipped == ["dreams"]
        assert len(file.history("loss")["step"]) > 0
    with pytest.raises(SessionProblem, match="newer RL Lab"):
        LiveStore.open(path)


@pytest.mark.parametrize("size", [0, 1, 55, 56, 200, 70_000])
def test_a_file_of_anything_is_refused(tmp_path, size):
    path = tmp_path / "some.h5"
    anything = np.random.default_rng(size).bytes(size)
    path.write_bytes(anything)
    expected = "is not an HDF5 file" if size else "is empty"
    with pytest.raises(SessionProblem, match=expected) as told:
        SessionFile.open(path)
    assert told.value.kind == "foreign"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + anything)
    with pytest.raises(SessionProblem, match="no valid seal") as told:
        SessionFile.open(path)
    assert told.value.kind == "damaged"


def test_an_hdf5_file_of_another_program_is_refused(tmp_path):
    path = tmp_path / "foreign.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3)
    with pytest.raises(SessionProblem, match="not written by RL Lab"):
        SessionFile.open(path)


@pytest.mark.parametrize("dtype", ["u1", "i8", "f4", "f8", "?", "u4", "f2"])
@pytest.mark.parametrize("shape", [(), (0,), (7,), (5000,), (301, 4, 9), (3, 0, 2)])
def test_what_is_written_is_read_back(dtype, shape):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(dtype)
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("v110", "v110")) as file:
        write_array(file, "data", array)
    strict = StrictFile(SealedReader(io.BytesIO(sealed(image.getvalue())), "x"), "x")
    found = strict.array("data")
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)
    if shape and shape[0] > 100:
        assert np.array_equal(strict.array("data", 90, 260), array[90:260])
    strict.close()


def test_our_checksum_is_that_of_hdf5():
    for size in (1, 2, 7, 4096, 70_001):
        data = np.random.default_rng(size).integers(0, 256, size).astype("u1")
        image = io.BytesIO()
        with h5py.File(image, "w") as file:
            stored = file.create_dataset("x", data=data, chunks=True, fletcher32=True)
            whole = stored.id.read_direct_chunk((0,))[1]
        assert int.from_bytes(whole[-4:], "little") == fletcher32(whole[:-4])


def test_a_chunk_that_inflates_to_more_than_its_size_is_refused():
    bomb = zlib.compress(bytes(100_000_000))
    with pytest.raises(ValueError, match="length"):
        decode_chunk(bomb, ("deflate",), (10,), np.dtype("f8"))
    with pytest.raises(ValueError, match="length"):
        decode_chunk(zlib.compress(b"short"), ("deflate",), (10,), np.dtype("f8"))
