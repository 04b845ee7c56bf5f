"""Rows of a damaged SQLite file, found without its structure.

Every page that looks like the leaf of a table is read by itself, from the database
and from its write-ahead log. What comes out is a guess; the CRC of each row says
whether it is one of ours. Format: https://www.sqlite.org/fileformat2.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE_BYTES = 4096
_LEAF = 13
_WAL_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24
_LOCAL_MAX = PAGE_BYTES - 35
_LOCAL_MIN = (PAGE_BYTES - 12) * 32 // 255 - 23
_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

Pages = Mapping[int, bytes]
RawRow = tuple[Any, ...]


def committed_frames(wal: Path) -> int:
    """How many frames of a write-ahead log belong to finished transactions."""
    return max((index + 1 for index, _, ends, _ in _frames(wal) if ends), default=0)


def read_pages(database: Path) -> dict[int, bytes]:
    """All pages by number, as the last finished transaction left them."""
    data = database.read_bytes() if database.exists() else b""
    count = len(data) // PAGE_BYTES
    pages = {
        number + 1: data[number * PAGE_BYTES : (number + 1) * PAGE_BYTES]
        for number in range(count)
    }
    wal = database.with_name(database.name + "-wal")
    finished = committed_frames(wal)
    for index, number, _, page in _frames(wal):
        if index < finished:
            pages[number] = page
    return pages


def each_row(pages: Pages) -> Iterator[tuple[int, RawRow]]:
    """Row id and values of everything that looks like a row of a table."""
    for number, page in pages.items():
        start = 100 if number == 1 else 0
        if page[start] != _LEAF:
            continue
        (count,) = struct.unpack_from(">H", page, start + 3)
        for index in range(min(count, (PAGE_BYTES - start - 8) // 2)):
            (at,) = struct.unpack_from(">H", page, start + 8 + 2 * index)
            try:
                yield _cell(pages, page, at)
            except (ValueError, IndexError, KeyError, struct.error):
                continue


def _frames(wal: Path) -> Iterator[tuple[int, int, bool, bytes]]:
    """Index, page number, whether a transaction ends here, and the page."""
    data = wal.read_bytes() if wal.exists() else b""
    salt = _salt(data)
    size = _FRAME_HEADER_BYTES + PAGE_BYTES
    for index in range((len(data) - _WAL_HEADER_BYTES) // size):
        at = _WAL_HEADER_BYTES + index * size
        number, ends = struct.unpack_from(">II", data, at)
        # Frames of an earlier round have another salt; they are not of this log.
        if data[at + 8 : at + 16] == salt:
            page = data[at + _FRAME_HEADER_BYTES : at + size]
            yield index, number, ends != 0, page


def _salt(data: bytes) -> bytes:
    """Names the frames that belong to a log; of the first one if the head is damaged.

    The head's checksum follows its six words: two sums, each fed by the other.
    """
    if len(data) < _WAL_HEADER_BYTES + _FRAME_HEADER_BYTES:
        return b""
    order = ">" if data[3] & 1 else "<"
    words = struct.unpack_from(f"{order}6I", data)
    first = second = 0
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    whole = (first, second) == struct.unpack_from(">2I", data, 24)
    return data[16:24] if whole else data[40:48]


def _cell(pages: Pages, page: bytes, at: int) -> tuple[int, RawRow]:
    length, at = _varint(page, at)
    row_id, at = _varint(page, at)
    local = _local_bytes(length)
    payload = page[at : at + local]
    if local < length:
        (following,) = struct.unpack_from(">I", page, at + local)
        payload += _overflow(pages, following, length - local)
    if len(payload) != length:
        raise ValueError("cut off")
    return row_id - (1 << 64) if row_id >> 63 else row_id, _values(payload)


def _local_bytes(length: int) -> int:
    if length <= _LOCAL_MAX:
        return length
    kept = _LOCAL_MIN + (length - _LOCAL_MIN) % (PAGE_BYTES - 4)
    return kept if kept <= _LOCAL_MAX else _LOCAL_MIN


def _overflow(pages: Pages, number: int, missing: int) -> bytes:
    parts, seen = [], set()
    while missing > 0:
        if number in seen:
            raise ValueError("pages follow each other in a ring")
        seen.add(number)
        page = pages[number]
        part = page[4 : 4 + min(missing, PAGE_BYTES - 4)]
        parts.append(part)
        missing -= len(part)
        (number,) = struct.unpack_from(">I", page)
    return b"".join(parts)


def _values(payload: bytes) -> RawRow:
    header, at = _varint(payload, 0)
    kinds = []
    while at < header:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values, at = [], header
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    return tuple(values)


def _value(payload: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (0, 8, 9):
        return {0: None, 8: 0, 9: 1}[kind], at
    if kind == 7:
        return struct.unpack_from(">d", payload, at)[0], at + 8
    size = _INTEGER_BYTES[kind] if kind < 12 else (kind - 12) // 2
    data = payload[at : at + size]
    if len(data) != size:
        raise ValueError("cut off")
    if kind < 12:
        return int.from_bytes(data, "big", signed=True), at + size
    return (data.decode() if kind % 2 else data), at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value << 8 | data[at + 8], at + 9
