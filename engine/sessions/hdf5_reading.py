"""The strict reader: accepts only what our writer writes, and decodes it itself.

Every object is judged before it is used: hard links only, plain types, no external
or virtual storage, known filters, all chunks present and inside the file. Chunks
are read raw and decoded here with a limit, never by HDF5's filter pipeline.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Protocol

import numpy as np

from engine.contract.plain_text import visible
from engine.sessions import array_rules, rules
from engine.sessions.array_rules import Array, Chunks, Text
from engine.sessions.chunk_decoding import decode_chunk, place
from engine.sessions.hdf5 import h5py
from engine.sessions.problems import SessionProblem
from engine.sessions.rules import (
    Attribute,
    Link,
    Rules,
    Superblock,
    Visit,
    broken,
)

ARRAY_LIMIT_BYTES = 1 << 30
"""An array that is larger is read in spans only."""

_HDF5_ERRORS = (RuntimeError, OSError, KeyError, ValueError, TypeError, SystemError)


class Content(Protocol):
    """The bytes of a file, as HDF5 reads them; :class:`SealedReader` is one.

    Attributes:
      length: How many.
    """

    length: int

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move as in any file."""
        ...

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes."""
        ...

    def check(self, what: str = "") -> None:
        """Raise what the last reads found."""
        ...


class StrictFile:
    """Objects of a sealed HDF5 file by path, each judged on its first use.

    Args:
      reader: The content, which HDF5 reads and checks block by block.
      name: What messages call the file.
    """

    superblock: ClassVar[Rules[Superblock]] = rules.SUPERBLOCK

    def __init__(self, reader: Content, name: str) -> None:
        self._reader, self._name = reader, name
        self._groups: dict[str, Any] = {}
        self._chunks: tuple[str, Chunks] | None = None
        reader.seek(0)
        head = reader.read(rules.HEAD_BYTES)
        reader.check()
        self._obey(self.superblock, Superblock.parse(head, reader.length))
        with self._careful("", "it cannot be read as HDF5"):
            self._file = h5py.File(reader, "r")
        with self._careful("", "it cannot be read as HDF5"):
            self._groups = {"": h5py.h5g.open(self._file.id, b"/")}
            self._obey(rules.GROUPS, self._groups[""])

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
            for index in range(h5py.h5a.get_num_attrs(target)):
                attribute = Attribute(h5py.h5a.open(target, index=index))
                found[attribute.name] = self._value(attribute, path)
        return found

    def json(self, path: str, limit_bytes: int = 64 << 20) -> Any:
        """A JSON value that is stored as bytes."""
        text = Text(self._dataset(path), limit_bytes)
        self._obey(array_rules.TEXTS, text, path)
        try:
            return json.loads(self.array(path).tobytes())
        except (ValueError, RecursionError) as error:
            raise self._refuse(path, "it is not JSON text") from error

    def shape(self, path: str) -> tuple[int, ...]:
        """Shape of an array."""
        return self._dataset(path).shape

    def dtype(self, path: str) -> np.dtype[Any]:
        """Type of an array."""
        return self._dataset(path).dtype

    def array(self, path: str, first: int = 0, end: int | None = None) -> np.ndarray:
        """An array, or its lines from ``first`` to before ``end``.

        Raises:
          SessionProblem: If it breaks a rule, is damaged or larger than 1 GB.
        """
        array = self._dataset(path)
        with self._careful(path, "its data cannot be read"):
            return self._read(array, path, first, end)

    def walk(self) -> Iterator[str]:
        """Judge every object; yields the path of each array.

        Raises:
          SessionProblem: At the first object that breaks a rule.
        """
        seen: set[Any] = set()
        pending = [""]
        while pending:
            path = pending.pop()
            self.attributes(path)
            for name in self.names(path):
                child = f"{path}/{name}".lstrip("/")
                address = h5py.h5o.get_info(self._open(child)).addr
                self._obey(rules.VISITS, Visit(address, seen), child)
                seen.add(address)
                if self.kind(child) == "group":
                    pending.append(child)
                else:
                    self._where(self._dataset(child), child)
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
        link = Link(path, None)
        self._obey(rules.NAMES, link, path)
        group = self._group(path.rpartition("/")[0])
        with self._careful(path, "it is missing or not a plain object"):
            self._obey(rules.LINKS, Link(path, group), path)
            found = h5py.h5o.open(group, link.name.encode())
            self._obey(rules.OBJECTS, found, path)
            if isinstance(found, h5py.h5g.GroupID):
                self._obey(rules.GROUPS, found, path)
            return found

    def _obey(self, which: Rules[Any], subject: Any, path: str = "") -> None:
        if reason := broken(which, subject):
            raise self._refuse(path, reason)

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

    def _dataset(self, path: str) -> Array:
        dataset = self._open(path)
        if not isinstance(dataset, h5py.h5d.DatasetID):
            raise self._refuse(path, "it is not an array")
        with self._careful(path, "it cannot be described"):
            array = Array(dataset, self._reader.length)
            self._obey(array_rules.ARRAYS, array, path)
            chunked = array.layout == h5py.h5d.CHUNKED
            self._obey(
                array_rules.CHUNKED if chunked else array_rules.CONTIGUOUS, array, path
            )
        return array

    def _where(self, array: Array, path: str) -> Chunks | None:
        """Where the chunks of an array are; None for one that has none."""
        if self._chunks is not None and self._chunks[0] == path:
            return self._chunks[1]
        if array.layout != h5py.h5d.CHUNKED:
            return None
        with self._careful(path, "its data cannot be found"):
            chunks = _table(array)
            self._obey(array_rules.CHUNKS, chunks, path)
        self._chunks = (path, chunks)
        return chunks

    def _value(self, attribute: Attribute, path: str) -> Any:
        self._obey(rules.ATTRIBUTES, attribute, path)
        self._obey(rules.VALUES, attribute.value, path)
        return attribute.value

    # -------------------------------------------------------------- reading

    def _read(self, array: Array, path: str, first: int, end: int | None) -> np.ndarray:
        shape, dtype = array.shape, array.dtype
        if not shape:
            return self._contiguous(array, 0, dtype.itemsize).view(dtype).reshape(())
        first, end, _ = slice(first, end).indices(shape[0])
        count = max(0, end - first)
        line = dtype.itemsize * math.prod(shape[1:])
        if count * line > ARRAY_LIMIT_BYTES:
            raise self._refuse(path, "it is too large to be read at once")
        if not count * line:
            return np.empty((count, *shape[1:]), dtype)
        chunks = self._where(array, path)
        if chunks is None:
            data = self._contiguous(array, first * line, count * line)
            return data.view(dtype).reshape(count, *shape[1:])
        return self._chunked(array, chunks, first, first + count)

    def _contiguous(self, array: Array, start: int, size: int) -> np.ndarray:
        self._reader.seek(array.dataset.get_offset() + start)
        data = self._reader.read(size)
        if len(data) != size:
            raise ValueError("cut off")
        return np.frombuffer(data, np.uint8)

    def _chunked(
        self, array: Array, chunks: Chunks, first: int, end: int
    ) -> np.ndarray:
        found = np.zeros((end - first, *array.shape[1:]), array.dtype)
        line = chunks.at[:, 0]
        wanted = (line < end) & (line + chunks.chunk[0] > first)
        for index in np.flatnonzero(wanted):
            self._reader.seek(int(chunks.start[index]))
            raw = self._reader.read(int(chunks.size[index]))
            block = decode_chunk(raw, array.filters, chunks.chunk, found.dtype)
            at = chunks.at[index].tolist()
            place(found, block, (at[0] - first, *at[1:]))
        return found

    def _refuse(self, path: str, reason: str) -> SessionProblem:
        what = f"'{visible(path, 80)}' in it" if path else "it"
        return SessionProblem(
            f"'{self._name}' was not opened: {what} breaks the rules of session "
            f"files ({reason}). Only files that RL Lab wrote can be opened.",
            "foreign",
        )


def _table(array: Array) -> Chunks:
    """All chunks of an array, judged by nobody yet."""
    found: list[Any] = []
    array.dataset.chunk_iter(found.append)
    rank = len(array.shape)
    at = np.array([it.chunk_offset for it in found], np.int64).reshape(-1, rank)
    return Chunks(
        at=at,
        start=np.array([it.byte_offset or 0 for it in found], np.int64),
        size=np.array([it.size for it in found], np.int64),
        mask=np.array([it.filter_mask for it in found], np.int64),
        shape=array.shape,
        chunk=array.chunk,
        length=array.length,
    )
