"""The strict reader: accepts only what our writer writes, and decodes it itself.

Every object is judged before it is used: hard links only, plain types, no external
or virtual storage, known filters, all chunks present and inside the file. Chunks
are read raw and decoded here with a limit, never by HDF5's filter pipeline.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from engine.sessions.hdf5 import (
    CHUNK_LIMIT_BYTES,
    MAX_ATTRIBUTE_BYTES,
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_RANK,
    NAME,
    h5py,
)
from engine.sessions.problems import SessionProblem
from engine.sessions.seal import SealedReader

ARRAY_LIMIT_BYTES = 1 << 30
"""An array that is larger is read in spans only."""

MAX_LINKS = 2_000_000
_FILTERS = ("shuffle", "deflate", "fletcher32")
_CODES = {
    h5py.h5z.FILTER_SHUFFLE: "shuffle",
    h5py.h5z.FILTER_DEFLATE: "deflate",
    h5py.h5z.FILTER_FLETCHER32: "fletcher32",
}
_HDF5_ERRORS = (RuntimeError, OSError, KeyError, ValueError, TypeError, SystemError)


class StrictFile:
    """Objects of a sealed HDF5 file by path, each judged on its first use.

    Args:
      reader: The content, which HDF5 reads and checks block by block.
      name: What messages call the file.
    """

    def __init__(self, reader: SealedReader, name: str) -> None:
        self._reader, self._name = reader, name
        self._groups: dict[str, Any] = {}
        with self._careful("", "it cannot be read as HDF5"):
            self._file = h5py.File(reader, "r")
        with self._careful("", "it cannot be read as HDF5"):
            self._groups = {"": h5py.h5g.open(self._file.id, b"/")}
            if self._file.id.get_create_plist().get_userblock():
                raise self._refuse("", "it has a user block")

    def close(self) -> None:
        """Let go of the file."""
        self._groups.clear()
        self._file.close()

    def names(self, path: str = "") -> list[str]:
        """Names in a group, in HDF5's order.

        Raises:
          SessionProblem: If the group is missing or breaks a rule.
        """
        group = self._group(path)
        with self._careful(path, "its members cannot be read"):
            if len(group) > MAX_LINKS:
                raise self._refuse(path, f"it has {len(group)} members")
            return [name.decode("utf-8", "replace") for name in group]

    def has(self, path: str) -> bool:
        """Whether there is an object of this path."""
        parent, _, name = path.rpartition("/")
        if parent and not self.has(parent):
            return False
        group = self._group(parent)
        with self._careful(path, "its members cannot be read"):
            return name.encode() in group

    def kind(self, path: str) -> str:
        """``group`` or ``array``; anything else is refused."""
        return "group" if isinstance(self._open(path), h5py.h5g.GroupID) else "array"

    def attributes(self, path: str = "") -> dict[str, Any]:
        """Attributes of a group: int, float or str each."""
        target, found = self._group(path), {}
        with self._careful(path, "its attributes cannot be read"):
            count = h5py.h5a.get_num_attrs(target)
            if count > MAX_ATTRIBUTES:
                raise self._refuse(path, f"it has {count} attributes")
            for index in range(count):
                attribute = h5py.h5a.open(target, index=index)
                name = attribute.name.decode("utf-8", "replace")
                found[name] = self._value(attribute, path)
        return found

    def json(self, path: str, limit_bytes: int = 64 << 20) -> Any:
        """A JSON value that is stored as bytes."""
        dataset = self._dataset(path)
        if dataset.dtype != np.uint8 or dataset.rank != 1:
            raise self._refuse(path, "it is not JSON text")
        if dataset.get_space().get_simple_extent_npoints() > limit_bytes:
            raise self._refuse(path, "it is too long")
        try:
            return json.loads(self.array(path).tobytes())
        except (ValueError, RecursionError) as error:
            raise self._refuse(path, "it is not JSON text") from error

    def shape(self, path: str) -> tuple[int, ...]:
        """Shape of an array."""
        return tuple(self._dataset(path).shape)

    def dtype(self, path: str) -> np.dtype[Any]:
        """Type of an array."""
        kind: np.dtype[Any] = self._dataset(path).dtype
        return kind

    def array(self, path: str, first: int = 0, end: int | None = None) -> np.ndarray:
        """An array, or its lines from ``first`` to before ``end``.

        Raises:
          SessionProblem: If it breaks a rule, is damaged or larger than 1 GB.
        """
        dataset = self._dataset(path)
        with self._careful(path, "its data cannot be read"):
            return self._read(dataset, path, first, end)

    def walk(self) -> Iterator[str]:
        """Judge every object; yields the path of each array.

        Raises:
          SessionProblem: At the first object that breaks a rule.
        """
        seen: set[Any] = set()
        pending = [("", 0)]
        while pending:
            path, depth = pending.pop()
            self.attributes(path)
            for name in self.names(path):
                child = f"{path}/{name}".lstrip("/")
                address = h5py.h5o.get_info(self._open(child)).addr
                if address in seen or depth + 1 > MAX_DEPTH:
                    raise self._refuse(child, "objects are linked more than once")
                seen.add(address)
                if self.kind(child) == "group":
                    pending.append((child, depth + 1))
                else:
                    self._dataset(child)
                    yield child

    # ------------------------------------------------------------- judging

    def _group(self, path: str) -> Any:
        found = self._groups.get(path)
        if found is None:
            found = self._open(path)
            if not isinstance(found, h5py.h5g.GroupID):
                raise self._refuse(path, "it is not a group")
            if len(self._groups) > 4096:
                self._groups = {"": self._groups[""]}
            self._groups[path] = found
        return found

    def _open(self, path: str) -> Any:
        parent, _, name = path.rpartition("/")
        if not NAME.match(name) or path.count("/") >= MAX_DEPTH:
            raise self._refuse(path, "its name is not allowed")
        group = self._group(parent)
        with self._careful(path, "it is missing or not a plain object"):
            return self._open_link(group, name)

    @contextmanager
    def _careful(self, path: str, reason: str) -> Iterator[None]:
        """Damage that was read in the block goes before whatever HDF5 made of it."""
        try:
            yield
        except _HDF5_ERRORS as error:
            self._reader.check(path)
            if isinstance(error, SessionProblem):
                raise
            raise self._refuse(path, reason) from error
        self._reader.check(path)

    @staticmethod
    def _open_link(group: Any, name: str) -> Any:
        if group.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
            raise ValueError("link")
        found = h5py.h5o.open(group, name.encode())
        if not isinstance(found, (h5py.h5g.GroupID, h5py.h5d.DatasetID)):
            raise ValueError("object")
        return found

    def _dataset(self, path: str) -> Any:
        dataset = self._open(path)
        if not isinstance(dataset, h5py.h5d.DatasetID):
            raise self._refuse(path, "it is not an array")
        with self._careful(path, "it cannot be described"):
            reason = self._judge(dataset)
            if reason:
                raise self._refuse(path, reason)
        return dataset

    def _judge(self, dataset: Any) -> str:
        """Why an array is refused, or an empty text."""
        if dataset.rank > MAX_RANK:
            return f"it has {dataset.rank} dimensions"
        if not _plain_type(dataset.get_type()):
            return "its type is not a plain number"
        plan = dataset.get_create_plist()
        if plan.get_external_count():
            return "it is stored outside of the file"
        layout = plan.get_layout()
        if layout == h5py.h5d.CONTIGUOUS:
            return self._judge_contiguous(dataset)
        if layout == h5py.h5d.CHUNKED:
            return self._judge_chunks(dataset, plan)
        return "its storage is not one that RL Lab writes"

    def _judge_contiguous(self, dataset: Any) -> str:
        size = _size(dataset)
        if size == 0:
            return ""
        offset = dataset.get_offset()
        if offset is None or dataset.get_storage_size() != size:
            return "its data are not there"
        return "" if offset + size <= self._reader.length else "it is cut off"

    def _judge_chunks(self, dataset: Any, plan: Any) -> str:
        chunk = plan.get_chunk()
        if math.prod(chunk) * dataset.dtype.itemsize > CHUNK_LIMIT_BYTES:
            return "its chunks are too large"
        try:
            _filters(plan)
        except ValueError:
            return "it needs a filter that RL Lab does not use"
        pairs = zip(dataset.shape, chunk, strict=True)
        wanted = math.prod(-(-n // c) for n, c in pairs)
        if not dataset.shape or dataset.get_num_chunks() != wanted:
            return "some of its data are not there"
        return ""

    def _value(self, attribute: Any, path: str) -> Any:
        kind = attribute.get_type()
        if kind.committed() or attribute.get_storage_size() > MAX_ATTRIBUTE_BYTES:
            raise self._refuse(path, "an attribute is not plain")
        text = isinstance(kind, h5py.h5t.TypeStringID) and not kind.is_variable_str()
        if attribute.shape != () or not (text or _plain_type(kind)):
            raise self._refuse(path, "an attribute is not plain")
        value = np.empty((), attribute.dtype)
        attribute.read(value)
        return value.item().decode("utf-8", "replace") if text else value.item()

    # -------------------------------------------------------------- reading

    def _read(self, dataset: Any, path: str, first: int, end: int | None) -> np.ndarray:
        shape: tuple[int, ...] = tuple(dataset.shape)
        dtype: np.dtype[Any] = dataset.dtype
        if not shape:
            return self._contiguous(dataset, 0, dtype.itemsize).view(dtype).reshape(())
        first, end, _ = slice(first, end).indices(shape[0])
        count = max(0, end - first)
        line = dtype.itemsize * math.prod(shape[1:])
        if count * line > ARRAY_LIMIT_BYTES:
            raise self._refuse(path, "it is too large to be read at once")
        if not count * line:
            return np.empty((count, *shape[1:]), dtype)
        if dataset.get_create_plist().get_layout() == h5py.h5d.CONTIGUOUS:
            data = self._contiguous(dataset, first * line, count * line)
            return data.view(dtype).reshape(count, *shape[1:])
        return self._chunked(dataset, first, first + count)

    def _contiguous(self, dataset: Any, start: int, size: int) -> np.ndarray:
        self._reader.seek(dataset.get_offset() + start)
        data = self._reader.read(size)
        if len(data) != size:
            raise ValueError("cut off")
        return np.frombuffer(data, np.uint8)

    def _chunked(self, dataset: Any, first: int, end: int) -> np.ndarray:
        plan = dataset.get_create_plist()
        chunk, filters = plan.get_chunk(), _filters(plan)
        shape = (end - first, *dataset.shape[1:])
        found = np.empty(shape, dataset.dtype)
        for index in range(dataset.get_num_chunks()):
            info = dataset.get_chunk_info(index)
            at = info.chunk_offset
            if at[0] >= end or at[0] + chunk[0] <= first:
                continue
            if info.filter_mask or info.byte_offset + info.size > self._reader.length:
                raise ValueError("chunk")
            self._reader.seek(info.byte_offset)
            raw = self._reader.read(info.size)
            block = decode_chunk(raw, filters, chunk, found.dtype)
            _place(found, block, (at[0] - first, *at[1:]))
        return found

    def _refuse(self, path: str, reason: str) -> SessionProblem:
        what = f"'{path[:80]}' in it" if path else "it"
        return SessionProblem(
            f"'{self._name}' was not opened: {what} breaks the rules of session "
            f"files ({reason}). Only files that RL Lab wrote can be opened.",
            "foreign",
        )


def decode_chunk(
    raw: bytes, filters: tuple[str, ...], shape: tuple[int, ...], dtype: np.dtype[Any]
) -> np.ndarray:
    """One chunk from its stored bytes.

    Raises:
      ValueError: If a checksum or the length is not right.
    """
    size = math.prod(shape) * dtype.itemsize
    if "fletcher32" in filters:
        raw, stored = raw[:-4], raw[-4:]
        if fletcher32(raw) != int.from_bytes(stored, "little"):
            raise ValueError("checksum")
    if "deflate" in filters:
        inflate = zlib.decompressobj()
        try:
            raw = inflate.decompress(raw, size + 1)
        except zlib.error as error:
            raise ValueError("deflate") from error
    if len(raw) != size:
        raise ValueError("length")
    data = np.frombuffer(raw, np.uint8)
    if "shuffle" in filters and dtype.itemsize > 1:
        data = np.ascontiguousarray(data.reshape(dtype.itemsize, -1).T).reshape(-1)
    return data.view(dtype).reshape(shape)


def fletcher32(data: bytes) -> int:
    """HDF5's checksum: sums of big-endian 16-bit words, modulo 65535."""
    even = data if len(data) % 2 == 0 else data + b"\0"
    words = np.frombuffer(even, ">u2").astype(np.uint64)
    weights = np.arange(len(words), 0, -1, dtype=np.uint64)
    first, second = int(words.sum()), int((words * weights).sum())
    return _folded(second) << 16 | _folded(first)


def _folded(total: int) -> int:
    """As repeated folding leaves it: a multiple of 65535 that is not 0 is 65535."""
    return (total - 1) % 65535 + 1 if total else 0


def _filters(plan: Any) -> tuple[str, ...]:
    codes = [plan.get_filter(index)[0] for index in range(plan.get_nfilters())]
    names = tuple(_CODES.get(code, "unknown") for code in codes)
    if names != tuple(name for name in _FILTERS if name in names):
        raise ValueError("filters")
    return names


def _plain_type(kind: Any) -> bool:
    """Integer, IEEE float, or the enumeration that h5py uses for booleans."""
    if kind.committed():
        return False
    if isinstance(kind, h5py.h5t.TypeEnumID):
        return bool(kind.dtype == np.dtype(bool))
    if not isinstance(kind, (h5py.h5t.TypeIntegerID, h5py.h5t.TypeFloatID)):
        return False
    return kind.get_size() in (1, 2, 4, 8) and kind.dtype.kind in "iuf"


def _size(dataset: Any) -> int:
    size: int = math.prod(dataset.shape) * dataset.dtype.itemsize
    return size


def _place(target: np.ndarray, block: np.ndarray, at: tuple[int, ...]) -> None:
    """Copy a chunk to its place; what stands over the edges is left out."""
    into, take = [], []
    for offset, length, room in zip(at, block.shape, target.shape, strict=True):
        start, end = max(0, offset), min(room, offset + length)
        into.append(slice(start, end))
        take.append(slice(start - offset, end - offset))
    target[tuple(into)] = block[tuple(take)]
