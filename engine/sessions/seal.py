"""The seal behind a file: SHA-256 of each block, so that any damage is noticed.

Layout after the content: the hash of each 64 KB block, then the footer (magic,
length of the content, block size), then the SHA-256 of hashes and footer. Tools
that read HDF5 ignore what stands behind it. The seal proves that nothing changed
since it was written, not who wrote it.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from engine.sessions.problems import SessionProblem
from engine.sessions.regular_file import ReadOnly
from engine.sessions.rules import Rules, broken

MAGIC = b"RLSEAL1\0"
BLOCK_BYTES = 1 << 16
_FOOTER = struct.Struct("<8sQQ")
_ROOT_BYTES = 32
_END_BYTES = _FOOTER.size + _ROOT_BYTES

Progress = Callable[[float], None]


def trailer(hashes: bytes, length: int) -> bytes:
    """What is written behind ``length`` bytes of content with these block hashes."""
    body = hashes + _FOOTER.pack(MAGIC, length, BLOCK_BYTES)
    return body + hashlib.sha256(body).digest()


def sealed(data: bytes | memoryview) -> bytes:
    """Content that is in memory, with its seal."""
    view = memoryview(data)
    hashes = b"".join(
        hashlib.sha256(view[at : at + BLOCK_BYTES]).digest()
        for at in range(0, len(view), BLOCK_BYTES)
    )
    return bytes(view) + trailer(hashes, len(view))


def seal_file(file: BinaryIO) -> None:
    """Append the seal to an open file that holds only the content."""
    hashes = []
    file.seek(0)
    while block := file.read(BLOCK_BYTES):
        hashes.append(hashlib.sha256(block).digest())
    file.seek(0, os.SEEK_END)
    file.write(trailer(b"".join(hashes), file.tell()))


class SealedReader(ReadOnly):
    """The content of a sealed file, read only, each block checked on first use.

    Made for ``h5py.File(reader)``: it never raises while HDF5 reads, because an
    exception inside of HDF5 is lost. What was found is in :attr:`damaged_blocks`,
    and :meth:`check` raises it afterwards.

    Attributes:
      length: Bytes of content.
      damaged_blocks: Numbers of the blocks whose hash does not match.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name, self._at = file, name, 0
        self.damaged_blocks: set[int] = set()
        size = file.seek(0, os.SEEK_END)
        self.length, self._hashes = _read_trailer(file, size, name)
        self._checked = np.zeros(len(self._hashes) // 32, bool)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move as in any file; the end is the end of the content."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.length}
        self._at = max(0, start[whence] + offset)
        return self._at

    def tell(self) -> int:
        """Where the next read starts."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes of the content."""
        end = self.length if size < 0 else min(self.length, self._at + size)
        if end <= self._at:
            return b""
        first, last = self._at // BLOCK_BYTES, (end - 1) // BLOCK_BYTES
        data = self._blocks(first, last)
        start = self._at - first * BLOCK_BYTES
        data = data[start : start + end - self._at]
        self._at += len(data)
        return bytes(data)

    def check(self, what: str = "") -> None:
        """Raise what the last reads found.

        Raises:
          SessionProblem: If a block that was read is damaged.
        """
        if self.damaged_blocks:
            blocks = sorted(self.damaged_blocks)
            shown = ", ".join(map(str, blocks[:5])) + (", ..." if blocks[5:] else "")
            where = f" (found while reading {what})" if what else ""
            raise SessionProblem(
                f"'{self._name}' is damaged in block {shown} of "
                f"{len(self._checked)}{where}. Restore it from a copy.",
                "damaged",
            )

    def verify(self, progress: Progress | None = None) -> list[int]:
        """Check every block; returns the damaged ones."""
        total = len(self._checked)
        for first in range(0, total, 256):
            last = min(first + 255, total - 1)
            if not self._checked[first : last + 1].all():
                self._blocks(first, last)
            if progress:
                progress((last + 1) / total)
        return sorted(self.damaged_blocks)

    def _blocks(self, first: int, last: int) -> memoryview:
        self._file.seek(first * BLOCK_BYTES)
        end = min((last + 1) * BLOCK_BYTES, self.length)
        data = memoryview(self._file.read(end - first * BLOCK_BYTES))
        for number in range(first, last + 1):
            if not self._checked[number]:
                start = (number - first) * BLOCK_BYTES
                self._check_block(number, data[start : start + BLOCK_BYTES])
        return data

    def _check_block(self, number: int, block: memoryview) -> None:
        wanted = self._hashes[number * 32 : number * 32 + 32]
        if broken(BLOCKS, (hashlib.sha256(block).digest(), wanted)):
            self.damaged_blocks.add(number)
        else:
            self._checked[number] = True


@dataclass(frozen=True, slots=True)
class Trailer:
    """What stands behind the content, as it is read."""

    size: int
    magic: bytes
    length: int
    block: int

    @property
    def hash_bytes(self) -> int:
        """Of the hashes of all blocks."""
        return -(-self.length // BLOCK_BYTES) * 32


HDF5_START = b"\x89HDF\r\n\x1a\n"
"""How an HDF5 file without a user block starts (format specification, II.A)."""
TRAILERS: Rules[Trailer] = {
    "magic": lambda it: "" if it.magic == MAGIC else "another mark",
    "block": lambda it: "" if it.block == BLOCK_BYTES else "other blocks",
    "sealed length": lambda it: (
        "" if it.length + it.hash_bytes + _END_BYTES == it.size else "another length"
    ),
}
ROOTS: Rules[tuple[bytes, bytes]] = {
    "root": lambda it: "" if it[0] == it[1] else "another sum of all sums"
}
BLOCKS: Rules[tuple[bytes, bytes]] = {
    "block's hash": lambda it: "" if it[0] == it[1] else "another sum"
}


def _read_trailer(file: BinaryIO, size: int, name: str) -> tuple[int, bytes]:
    file.seek(0)
    start = file.read(len(HDF5_START))
    if size < _END_BYTES:
        raise not_sealed(name, start)
    file.seek(size - _END_BYTES)
    end = file.read(_END_BYTES)
    found = Trailer(size, *_FOOTER.unpack_from(end))
    if broken(TRAILERS, found):
        raise not_sealed(name, start)
    file.seek(found.length)
    body = file.read(found.hash_bytes + _FOOTER.size)
    if broken(ROOTS, (hashlib.sha256(body).digest(), end[_FOOTER.size :])):
        raise SessionProblem(
            f"The seal of '{name}' is damaged, so nothing in it can be trusted. "
            "Restore it from a copy.",
            "damaged",
        )
    return found.length, body[: found.hash_bytes]


def not_sealed(name: str, start: bytes) -> SessionProblem:
    """The sentence for a file that ends without a seal, by how it starts."""
    if not start:
        return SessionProblem(
            f"'{name}' is empty, so it is no session. Choose another file.", "foreign"
        )
    if start != HDF5_START:
        return SessionProblem(
            f"'{name}' is not an HDF5 file, so it is no session of RL Lab. Choose "
            "another file, or restore it from a copy if it was one.",
            "foreign",
        )
    return SessionProblem(
        f"'{name}' has no valid seal: it was cut off, changed by another program or "
        "not written by RL Lab. Restore it from a copy.",
        "damaged",
    )
