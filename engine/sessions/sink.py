"""Where HDF5 writes: a file that never fails while HDF5 is at work.

On a full disk libhdf5 may end the process. So an error of the file is kept, further
writes go to memory, and the one who writes asks :meth:`Sink.check` often, so that
little is written after the error.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from engine.sessions.problems import from_os_error


def write_some(file: BinaryIO, data: memoryview) -> int:
    """Write as much as the system takes; returns how much."""
    return file.write(data)


class Sink:
    """A file object for ``h5py.File``; after an error it goes on in memory.

    Args:
      file: Opened for reading and writing, without a buffer.
      what: Begins the sentence of the error.
    """

    def __init__(self, file: BinaryIO, what: str) -> None:
        self._file, self._what, self._at = file, what, 0
        self._error: OSError | None = None
        self._later: list[tuple[int, bytes]] = []

    def check(self) -> None:
        """Raise the error that HDF5 did not see.

        Raises:
          SessionProblem: If a write failed.
        """
        if self._error is not None:
            raise from_os_error(self._what, self._error) from self._error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move as in any file."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end()}
        self._at = max(0, base[whence] + offset)
        return self._at

    def tell(self) -> int:
        """Where the next read or write starts."""
        return self._at

    def write(self, data: bytes) -> int:
        """Write to the file, or to memory after an error."""
        data = bytes(data)
        if self._error is None:
            try:
                self._write_all(data)
            except OSError as error:
                self._error = error
        if self._error is not None:
            self._later.append((self._at, data))
        self._at += len(data)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """What was written, whether it reached the file or not."""
        if size < 0:
            size = max(0, self._end() - self._at)
        data = bytearray(size)
        got = self._read_file(size)
        data[: len(got)] = got
        for at, late in self._later:
            start, end = max(at, self._at), min(at + len(late), self._at + size)
            if start < end:
                data[start - self._at : end - self._at] = late[start - at : end - at]
        self._at += size
        return bytes(data)

    def readinto(self, buffer: memoryview) -> int:
        """As :meth:`read`, into a buffer."""
        target = memoryview(buffer).cast("B")
        target[:] = self.read(len(target))
        return len(target)

    def truncate(self, size: int | None = None) -> int:
        """Set the length of the file."""
        size = self._at if size is None else size
        if self._error is None:
            try:
                self._file.truncate(size)
            except OSError as error:
                self._error = error
        return size

    def flush(self) -> None:
        """Hand over what the buffer of the file holds."""
        if self._error is None:
            try:
                self._file.flush()
            except OSError as error:
                self._error = error

    def _write_all(self, data: bytes) -> None:
        self._file.seek(self._at)
        view = memoryview(data)
        while view:
            view = view[write_some(self._file, view) :]

    def _read_file(self, size: int) -> bytes:
        try:
            self._file.seek(self._at)
            return self._file.read(size)
        except OSError as error:
            self._error = self._error or error
            return b""

    def _end(self) -> int:
        try:
            end = self._file.seek(0, os.SEEK_END)
        except OSError as error:
            self._error = self._error or error
            end = 0
        return max([end, *(at + len(data) for at, data in self._later)])
