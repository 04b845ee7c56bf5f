import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sessions.problems import SessionProblem
from engine.sessions.seal import BLOCK_BYTES, SealedReader, seal_file, sealed

SIZES = [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES + 17]


def content(size):
    return hashlib.shake_128(b"content").digest(size)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_is_read_back(size):
    reader = SealedReader(io.BytesIO(sealed(content(size))), "x")
    assert reader.read() == content(size)
    assert reader.verify() == []
    assert reader.length == size


@pytest.mark.parametrize("size", SIZES)
def test_sealing_a_file_and_sealing_memory_is_the_same(size, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content(size))
    with path.open("r+b") as file:
        seal_file(file)
    assert path.read_bytes() == sealed(content(size))


@given(st.integers(0, 3 * BLOCK_BYTES), st.integers(0, BLOCK_BYTES))
@settings(max_examples=40)
def test_reading_anywhere_gives_these_bytes(start, count):
    data = content(2 * BLOCK_BYTES + 99)
    reader = SealedReader(io.BytesIO(sealed(data)), "x")
    reader.seek(start)
    assert reader.read(count) == data[start : start + count]


def test_the_damaged_block_is_named():
    data = bytearray(sealed(content(5 * BLOCK_BYTES)))
    data[3 * BLOCK_BYTES + 5] ^= 1
    reader = SealedReader(io.BytesIO(data), "x.h5")
    reader.read(BLOCK_BYTES)
    reader.check()
    reader.seek(3 * BLOCK_BYTES)
    reader.read(10)
    with pytest.raises(SessionProblem, match=r"'x\.h5' is damaged in block 3 of 5"):
        reader.check()
    assert reader.verify() == [3]


def check_all(data):
    reader = SealedReader(io.BytesIO(data), "x")
    reader.verify()
    reader.check()


@given(st.integers(0, 10**9), st.integers(1, 255))
@settings(max_examples=60)
def test_any_changed_byte_is_noticed(place, change):
    data = bytearray(sealed(content(BLOCK_BYTES + 300)))
    data[place % len(data)] ^= change
    with pytest.raises(SessionProblem):
        check_all(data)
