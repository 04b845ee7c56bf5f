"""HDF5 structures that our writer never writes: links, storage, types, chunks, sizes.

Each function of ``STRUCTURES`` spoils an open file.
"""

import zlib

import h5py
import numpy as np

STRUCTURES = {}


def structure(change):
    STRUCTURES[change.__name__] = change
    return change


@structure
def soft_link(file):
    file["metrics/soft"] = h5py.SoftLink("/config_json")


@structure
def external_link(file):
    file["metrics/outside"] = h5py.ExternalLink("/etc/passwd", "/")


@structure
def link_to_itself(file):
    file["metrics/loop"] = h5py.SoftLink("/metrics/loop")


@structure
def external_storage(file):
    file.create_dataset(
        "metrics/passwd", (100,), "u1", external=[("/etc/passwd", 0, 100)]
    )


@structure
def external_storage_of_nothing(file):
    file.create_dataset("metrics/none", (0,), "u1", external=[("/etc/passwd", 0, 9)])


@structure
def virtual(file):
    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "data", (10,))
    file.create_virtual_dataset("metrics/virtual", layout)


@structure
def virtual_that_is_itself(file):
    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource(".", "metrics/virtual", (10,))
    file.create_virtual_dataset("metrics/virtual", layout)


@structure
def compact(file):
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_layout(h5py.h5d.COMPACT)
    _low(file, "metrics/compact", (10,), plan)


@structure
def compact_nothing(file):
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_layout(h5py.h5d.COMPACT)
    _low(file, "metrics/compact", (0,), plan)


def _low(file, name, shape, plan=None, kind=h5py.h5t.NATIVE_DOUBLE):
    space = h5py.h5s.create_simple(shape)
    return h5py.h5d.create(file.id, name.encode(), kind, space, plan)


@structure
def text_of_any_length(file):
    file["metrics/text"] = "some text"


@structure
def numbers_of_any_length(file):
    file.create_dataset("metrics/vlen", (3,), h5py.vlen_dtype("i4"))


@structure
def fixed_text(file):
    file["metrics/text"] = np.array([b"one", b"two"])


@structure
def compound(file):
    file["metrics/compound"] = np.zeros(3, [("a", "i4"), ("b", "f8")])


@structure
def reference(file):
    file["metrics/reference"] = np.array([file["metrics"].ref], h5py.ref_dtype)


@structure
def region_reference(file):
    ref = file["config_json"].regionref[:3]
    file["metrics/region"] = np.array([ref], h5py.regionref_dtype)


@structure
def opaque(file):
    file["metrics/opaque"] = np.array([b"abc"], "V8")


@structure
def enumeration(file):
    file.create_dataset("metrics/enum", (3,), h5py.enum_dtype({"a": 1, "b": 2}))


@structure
def time_type(file):
    _low(file, "metrics/time", (3,), kind=h5py.h5t.UNIX_D32LE)


@structure
def bit_field(file):
    _low(file, "metrics/bits", (3,), kind=h5py.h5t.STD_B8LE)


@structure
def array_type(file):
    file.create_dataset("metrics/array", (3,), np.dtype(("i4", (1 << 20,))))


@structure
def named_type(file):
    file["metrics/type"] = np.dtype("f8")


@structure
def data_of_a_named_type(file):
    file["metrics/type"] = np.dtype("f8")
    file.create_dataset("metrics/typed", (3,), file["metrics/type"])


@structure
def unknown_filter(file):
    file.create_dataset("metrics/lzf", data=np.arange(1e4), compression="lzf")


@structure
def plugin_filter(file):
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((10,))
    plan.set_filter(32_000 + 15, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
    _low(file, "metrics/plugin", (10,), plan)


@structure
def scale_filter(file):
    file.create_dataset("metrics/scale", data=np.arange(10_000), scaleoffset=0)


@structure
def filters_in_another_order(file):
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((10,))
    plan.set_deflate(1)
    plan.set_shuffle()
    _low(file, "metrics/order", (10,), plan).write(
        h5py.h5s.ALL, h5py.h5s.ALL, np.zeros(10)
    )


@structure
def filter_many_times(file):
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((10,))
    for _ in range(20):
        plan.set_deflate(9)
    _low(file, "metrics/many", (10,), plan)


@structure
def too_many_dimensions(file):
    file["metrics/rank"] = np.zeros((1,) * 6)


@structure
def missing_chunks(file):
    file.create_dataset("metrics/empty", (1000,), "f8", chunks=(10,))


@structure
def never_written(file):
    _low(file, "metrics/huge", (1 << 40,))


@structure
def never_written_and_small(file):
    _low(file, "metrics/small", (3,))


@structure
def null_space(file):
    file["metrics/null"] = h5py.Empty("f8")


@structure
def large_chunks(file):
    file.create_dataset(
        "metrics/chunk", data=np.zeros(1 << 22), chunks=(1 << 22,), compression=1
    )


@structure
def many_chunks(file):
    file.create_dataset("metrics/many", data=np.zeros(400, "i1"), chunks=(1,))


def _chunked(file, data, *, mask=0, count=10, **options):
    made = file.create_dataset(
        "metrics/chunked", (count,), "f8", chunks=(count,), **options
    )
    made.id.write_direct_chunk((0,), data, mask)


@structure
def bomb(file):
    _chunked(file, zlib.compress(bytes(200_000_000), 1), compression=1)


@structure
def short_chunk(file):
    _chunked(file, zlib.compress(b"short"), compression=1)


@structure
def no_deflate(file):
    _chunked(file, b"this is not deflated at all", compression=1)


@structure
def filter_left_out(file):
    _chunked(file, bytes(80), mask=1, compression=1)


@structure
def wrong_checksum(file):
    _chunked(file, zlib.compress(bytes(80)) + b"abcd", compression=1, fletcher32=True)


@structure
def swollen_chunk(file):
    _chunked(file, zlib.compress(bytes(80)) + bytes(17 << 20), compression=1)


@structure
def linked_twice(file):
    file["metrics/again"] = file["metrics/loss"]


@structure
def ring_of_groups(file):
    file["metrics/loss/up"] = file["metrics"]


@structure
def ring_of_the_root(file):
    file["metrics/root"] = file["/"]


@structure
def deep(file):
    file["metrics/a/b/c/d/e/f/g/h"] = np.zeros(3)


@structure
def many_members(file):
    group = file.create_group("metrics/many")
    for number in range(300):
        group.create_group(str(number))


@structure
def strange_name(file):
    file["metrics/<img src=x>"] = np.zeros(3)


@structure
def bidirectional_name(file):
    file["metrics/loss\u202egpj.exe"] = np.zeros(3)


@structure
def long_name(file):
    file["metrics/" + "n" * 5000] = np.zeros(3)


@structure
def attribute_of_any_length(file):
    file["metrics"].attrs["text"] = "some text"


@structure
def large_attribute(file):
    file["metrics"].attrs["numbers"] = np.zeros(1000)


@structure
def attribute_of_one_line(file):
    file["metrics"].attrs["numbers"] = np.zeros(1)


@structure
def very_large_text(file):
    file["metrics"].attrs["text"] = np.bytes_(b"x" * 70_000)


@structure
def attribute_of_a_named_type(file):
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(5)
    kind.commit(file["metrics"].id, b"type")
    space = h5py.h5s.create(h5py.h5s.SCALAR)
    made = h5py.h5a.create(file["metrics/loss"].id, b"text", kind, space)
    made.write(np.array(b"hello"))
    del file["metrics/type"]


@structure
def enumerated_attribute(file):
    kind = h5py.enum_dtype({"a": 1, "b": 2})
    file["metrics"].attrs.create("choice", 1, dtype=kind)


@structure
def many_attributes(file):
    for number in range(100):
        file["metrics"].attrs[f"a{number}"] = number


@structure
def attribute_with_a_strange_name(file):
    file["metrics"].attrs["<b>name</b>"] = 1


@structure
def number_that_is_none(file):
    file["metrics"].attrs["share"] = float("nan")


@structure
def text_in_wide_numbers(file):
    del file["views_json"]
    file["views_json"] = np.frombuffer(b'{"ab": 1}   ', np.int32)
