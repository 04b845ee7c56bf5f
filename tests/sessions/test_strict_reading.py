"""Only what our writer writes is opened: each rule with a file that breaks it."""

import io
import zlib

import h5py
import numpy as np
import pytest
import session_samples as samples

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


def soft_link(file):
    file["metrics/soft"] = h5py.SoftLink("/metrics/loss")


def external_link(file):
    file["metrics/outside"] = h5py.ExternalLink("/etc/passwd", "/")


def external_storage(file):
    file.create_dataset(
        "metrics/passwd", (100,), "u1", external=[("/etc/passwd", 0, 100)]
    )


def virtual(file):
    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "data", (10,))
    file.create_virtual_dataset("metrics/virtual", layout)


def text_of_any_length(file):
    file["metrics/text"] = "some text"


def compound(file):
    file["metrics/compound"] = np.zeros(3, [("a", "i4"), ("b", "f8")])


def reference(file):
    file["metrics/reference"] = np.array([file["metrics"].ref], h5py.ref_dtype)


def named_type(file):
    file["metrics/type"] = np.dtype("f8")


def unknown_filter(file):
    file.create_dataset("metrics/lzf", data=np.arange(1e4), compression="lzf")


def scale_filter(file):
    file.create_dataset("metrics/scale", data=np.arange(10_000), scaleoffset=0)


def too_many_dimensions(file):
    file["metrics/rank"] = np.zeros((1,) * 6)


def missing_chunks(file):
    file.create_dataset("metrics/empty", (1000,), "f8", chunks=(10,))


def never_written(file):
    space = h5py.h5s.create_simple((1 << 40,))
    kind = h5py.h5t.NATIVE_DOUBLE
    h5py.h5d.create(file["metrics"].id, b"huge", kind, space)


def large_chunks(file):
    file.create_dataset("metrics/chunk", (1 << 23,), "f8", chunks=(1 << 22,))


def linked_twice(file):
    file["metrics/again"] = file["metrics/loss"]


def ring_of_groups(file):
    file["metrics/loss/up"] = file["metrics"]


def strange_name(file):
    file["metrics/<img src=x>"] = np.zeros(3)


def attribute_of_any_length(file):
    file["metrics"].attrs["text"] = "some text"


def large_attribute(file):
    file["metrics"].attrs["numbers"] = np.zeros(1000)


def lying_index(file):
    del file["recorded/episode"]
    file["recorded/episode"] = np.arange(5)


def text_instead_of_json(file):
    del file["events_json"]
    file["events_json"] = np.frombuffer(b"[" * 100_000, np.uint8)


def another_format(file):
    file.attrs["format"] = np.bytes_(b"something")


BREAKS = [
    soft_link,
    external_link,
    external_storage,
    virtual,
    text_of_any_length,
    compound,
    reference,
    named_type,
    unknown_filter,
    scale_filter,
    too_many_dimensions,
    missing_chunks,
    never_written,
    large_chunks,
    linked_twice,
    ring_of_groups,
    strange_name,
    attribute_of_any_length,
    large_attribute,
    lying_index,
    text_instead_of_json,
    another_format,
]


@pytest.mark.parametrize("change", BREAKS, ids=lambda it: it.__name__)
def test_a_file_that_breaks_a_rule_is_refused(whole, tmp_path, change):
    path = changed(whole, tmp_path / "hostile.h5", change)

    def read_everything():
        with SessionFile.open(path) as file:
            file.summary()
            for name in file.series():
                file.history(name)
            file.episodes()
            file.events()
            problems = file.verify()
            if problems:
                raise SessionProblem(problems[0], "foreign")

    with pytest.raises(SessionProblem) as told:
        read_everything()
    assert told.value.kind == "foreign"
    assert str(told.value).endswith(".")


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
    path.write_bytes(np.random.default_rng(size).bytes(size))
    with pytest.raises(SessionProblem, match="no valid seal"):
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
