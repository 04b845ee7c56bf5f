"""Session files whose bytes are changed, with checksums made right again.

Each function of ``IMAGES`` gets the bytes of a session without its seal.
"""

import io
import struct

import h5py
import hdf5_bytes
import numpy as np

IMAGES = {}


def of_bytes(change):
    IMAGES[change.__name__] = change
    return change


def image_of(change, image=b"", **options):
    """The bytes of a file after a change."""
    made = io.BytesIO(image)
    with h5py.File(made, "r+" if image else "w", **options) as file:
        change(file)
    return made.getvalue()


@of_bytes
def user_block(image):
    return bytes(512) + image


@of_bytes
def user_block_that_looks_like_us(image):
    head = bytearray(image[:48])
    head[0:8] = b"\x89HDF\r\n\x1a\r"
    return bytes(head).ljust(512, b"\0") + image


@of_bytes
def old_superblock(image):
    def copy(file):
        with h5py.File(io.BytesIO(image), "r") as source:
            for name in source:
                source.copy(name, file)
            for name, value in source.attrs.items():
                if len(np.atleast_1d(value).tobytes()):
                    file.attrs[name] = value

    return image_of(copy, libver=("earliest", "v108"))


def _with_head(image, **fields):
    places = {"version": (8, "B"), "flags": (11, "B"), "base": (12, "<Q")}
    places |= {"extension": (20, "<Q"), "end": (28, "<Q"), "root": (36, "<Q")}
    changed = bytearray(image)
    for name, value in fields.items():
        at, form = places[name]
        struct.pack_into(form, changed, at, value)
    hdf5_bytes.repair(changed, hdf5_bytes.Part(b"", 0, 44))
    return bytes(changed)


@of_bytes
def made_by_pages(image):
    def copy(file):
        with h5py.File(io.BytesIO(image), "r") as source:
            for name in source:
                source.copy(name, file)

    made = image_of(copy, fs_strategy="page", libver=("v110", "v110"))
    return _with_head(made, end=len(made))


@of_bytes
def open_flags(image):
    return _with_head(image, version=2, flags=1)


@of_bytes
def swmr_flags(image):
    return _with_head(image, flags=5)


@of_bytes
def another_base(image):
    return _with_head(image + bytes(8), base=8, end=len(image) + 8)


@of_bytes
def an_extension(image):
    return _with_head(image, extension=48)


@of_bytes
def root_nowhere(image):
    return _with_head(image, root=len(image) * 2)


@of_bytes
def another_end(image):
    return image + bytes(100)


@of_bytes
def end_far_away(image):
    return _with_head(image, end=1 << 60)


def _moved(image, shape, where):
    """A chunked array whose index is changed, with its checksum made right."""

    def add(file):
        file.create_dataset(
            "metrics/moved", data=np.arange(48.0).reshape(8, 6), chunks=(4, 2), **shape
        )

    changed = bytearray(image_of(add, image, libver=("v110", "v110")))
    with h5py.File(io.BytesIO(changed), "r") as file:
        found = []
        file["metrics/moved"].id.chunk_iter(found.append)
    of = hdf5_bytes.parts(bytes(changed))
    where(changed, found)
    hdf5_bytes.repair_all(changed, of)
    return bytes(changed)


GROWING = {"maxshape": (None, None)}


def _swap(changed, old, new):
    at = changed.rindex(struct.pack("<Q", old))
    struct.pack_into("<Q", changed, at, new)


@of_bytes
def overlapping_chunks(image):
    def where(changed, chunks):
        _swap(changed, chunks[3].byte_offset, chunks[2].byte_offset + 8)

    return _moved(image, {}, where)


@of_bytes
def chunk_behind_the_end(image):
    def where(changed, chunks):
        _swap(changed, chunks[3].byte_offset, len(changed) + 8)

    return _moved(image, {}, where)


def _scaled(changed, chunks, old, new):
    record = struct.pack("<3Q", chunks[-1].byte_offset, *old)
    at = changed.rindex(record)
    struct.pack_into("<2Q", changed, at + 8, *new)


@of_bytes
def chunk_outside_of_its_array(image):
    def where(changed, chunks):
        _scaled(changed, chunks, (1, 2), (1, 1000))

    return _moved(image, GROWING, where)


@of_bytes
def two_chunks_of_one_place(image):
    def where(changed, chunks):
        _scaled(changed, chunks, (1, 2), (1, 1))

    return _moved(image, GROWING, where)


@of_bytes
def data_behind_the_end(image):
    def add(file):
        file["metrics/plain"] = np.arange(64.0)

    changed = bytearray(image_of(add, image))
    with h5py.File(io.BytesIO(changed), "r") as file:
        offset = file["metrics/plain"].id.get_offset()
    of = hdf5_bytes.parts(bytes(changed))
    _swap(changed, offset, len(changed) - 8)
    hdf5_bytes.repair_all(changed, of)
    return bytes(changed)


@of_bytes
def header_that_continues_in_itself(image):
    changed, of = bytearray(image), hdf5_bytes.parts(image)
    for part in of:
        if part.kind == b"OHDR":
            at = changed.find(
                struct.pack("<Q", _continuation(of)), part.start, part.end
            )
            if at > 0:
                struct.pack_into("<Q", changed, at, part.start)
                break
    hdf5_bytes.repair_all(changed, of)
    return bytes(changed)


def _continuation(of):
    return next(it.start for it in of if it.kind == b"OCHK")


@of_bytes
def cut_in_half(image):
    return image[: len(image) // 2]


@of_bytes
def nothing_but_a_head(image):
    return image[:48]


@of_bytes
def random_bytes(image):
    return np.random.default_rng(0).bytes(70_000)


@of_bytes
def zeros(image):
    return bytes(70_000)


@of_bytes
def something_else(image):
    return b"SQLite format 3\0" + image[16:]
