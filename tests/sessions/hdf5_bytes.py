"""HDF5 files changed byte by byte, with their checksums made right again."""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

MASK = 0xFFFFFFFF
SUPERBLOCK = 48
_HEADER = struct.Struct("<4sBBQ")


class Part(NamedTuple):
    """A piece of metadata; its checksum stands behind it."""

    kind: bytes
    start: int
    end: int


def _turn(value: int, by: int) -> int:
    return (value << by | value >> 32 - by) & MASK


def lookup3(data: bytes) -> int:
    """The checksum of HDF5's metadata (Jenkins' lookup3, little-endian words)."""
    a = b = c = (0xDEADBEEF + len(data)) & MASK
    padded = data.ljust(-(-len(data) // 12) * 12, b"\0")
    words = struct.unpack(f"<{len(padded) // 4}I", padded)
    for at in range(0, len(words) - 3, 3):
        a, b, c = (
            (a + words[at]) & MASK,
            (b + words[at + 1]) & MASK,
            (c + words[at + 2]) & MASK,
        )
        a, c = ((a - c) & MASK) ^ _turn(c, 4), (c + b) & MASK
        b, a = ((b - a) & MASK) ^ _turn(a, 6), (a + c) & MASK
        c, b = ((c - b) & MASK) ^ _turn(b, 8), (b + a) & MASK
        a, c = ((a - c) & MASK) ^ _turn(c, 16), (c + b) & MASK
        b, a = ((b - a) & MASK) ^ _turn(a, 19), (a + c) & MASK
        c, b = ((c - b) & MASK) ^ _turn(b, 4), (b + a) & MASK
    if words:
        a, b, c = (
            (a + words[-3]) & MASK,
            (b + words[-2]) & MASK,
            (c + words[-1]) & MASK,
        )
        c = ((c ^ b) - _turn(b, 14)) & MASK
        a = ((a ^ c) - _turn(c, 11)) & MASK
        b = ((b ^ a) - _turn(a, 25)) & MASK
        c = ((c ^ b) - _turn(b, 16)) & MASK
        a = ((a ^ c) - _turn(c, 4)) & MASK
        b = ((b ^ a) - _turn(a, 14)) & MASK
        c = ((c ^ b) - _turn(b, 24)) & MASK
    return c


def parts(image: bytes) -> list[Part]:
    """Metadata whose checksum is right, so that it can be made right again."""
    found = [Part(b"SUPR", 0, SUPERBLOCK - 4)]
    for mark in re.finditer(rb"OHDR|OCHK|FAHD|FADB|BTHD|BTLF|FRHP", image):
        ends = _ends(image, mark.group(), mark.start())
        end = next((it for it in ends if _is_right(image, mark.start(), it)), None)
        if end is not None:
            found.append(Part(mark.group(), mark.start(), end))
    return [it for it in found if _is_right(image, it.start, it.end)]


def repair(image: bytearray, part: Part) -> None:
    """Make the checksum of a part right."""
    sum_ = lookup3(bytes(image[part.start : part.end]))
    image[part.end : part.end + 4] = struct.pack("<I", sum_)


def repair_all(image: bytearray, of: list[Part]) -> None:
    """Make right what is not."""
    for part in of:
        if not _is_right(image, part.start, part.end):
            repair(image, part)


def _is_right(image: bytes, start: int, end: int) -> bool:
    told = image[end : end + 4]
    return len(told) == 4 and struct.pack("<I", lookup3(image[start:end])) == told


def _ends(image: bytes, kind: bytes, start: int) -> Iterator[int]:
    fixed = {b"FAHD": 24, b"BTHD": 34, b"FRHP": 142}
    if kind in fixed:
        yield start + fixed[kind]
    elif kind == b"OHDR":
        yield _header_end(image, start)
    else:
        # Their length stands elsewhere: tried in steps, small ones only.
        yield from range(start + 10, min(start + 600, len(image) - 4))


def _header_end(image: bytes, start: int) -> int:
    flags, at = image[start + 5], start + 6
    at += 16 * bool(flags & 0x20) + 4 * bool(flags & 0x10)
    width = 1 << (flags & 3)
    size = int.from_bytes(image[at : at + width], "little")
    return at + width + size
