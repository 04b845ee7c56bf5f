"""The replay memory of a checkpoint in one piece, however large it is.

Columns that are too large to be held in memory, or to be sent in a message, are written
into files beside the store, which are gone once they have been read.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from engine.sessions.atomic import TEMPORARY

LARGEST_IN_MEMORY = 256 * 2**20
"""Bytes of a column that is handed on without a file."""

LEFT_FREE = 250 * 10**6
"""Bytes of the disk that no file takes: with less, recording would stop."""
_numbers = count()

Arrays = dict[str, np.ndarray]


def gathered(blocks: Iterable[Arrays], lines: int, folder: Path) -> Arrays:
    """Blocks of lines, one after the other; {} where there are none.

    Args:
      blocks: Columns by name, of some lines each.
      lines: How many there are to be in all; where that is wrong, large columns are
        missing in what is returned, and no file stays.
      folder: For the files of large columns, which come as ``numpy.memmap``; what a
        crash leaves of them goes when the store is next opened.

    Raises:
      OSError: If a file cannot be written; none stays.
    """
    small: dict[str, list[np.ndarray]] = {}
    places: dict[str, Path] = {}
    with ExitStack() as unless_whole:
        with ExitStack() as closing:
            large: dict[str, BinaryIO] = {}
            for block in blocks:
                for name, column in block.items():
                    if name == "slot" or not _is_large(column, lines):
                        small.setdefault(name, []).append(column)
                        continue
                    if name not in large:
                        places[name] = _place(folder)
                        unless_whole.callback(places[name].unlink, missing_ok=True)
                        file = _begun(places[name], column, lines)
                        large[name] = closing.enter_context(file)
                    large[name].write(np.ascontiguousarray(column).data)
        whole = {name: np.concatenate(parts) for name, parts in small.items()}
        if len(whole.get("slot", ())) != lines:
            return whole
        unless_whole.pop_all()
    return whole | {name: opened(it) for name, it in places.items()}


def discard(columns: Arrays) -> None:
    """Remove the files of columns that nobody is going to read."""
    for place in files_of(columns).values():
        Path(place).unlink(missing_ok=True)


def opened(place: Path) -> np.ndarray:
    """A column from its file, which is only read."""
    column: np.ndarray = npy.open_memmap(place, mode="r")
    return column


def files_of(columns: Arrays) -> dict[str, str]:
    """Where the files of the large columns are."""
    mapped = ((n, it) for n, it in columns.items() if isinstance(it, np.memmap))
    return {name: str(it.filename) for name, it in mapped}


def _is_large(column: np.ndarray, lines: int) -> bool:
    return _size(column, lines) > LARGEST_IN_MEMORY


def _size(column: np.ndarray, lines: int) -> int:
    return lines * column.itemsize * int(np.prod(column.shape[1:]))


def _place(folder: Path) -> Path:
    # Numbered, for the names of columns may be a stranger's.
    return folder / f".replay-{next(_numbers)}.{os.getpid()}{TEMPORARY}"


def _begun(place: Path, like: np.ndarray, lines: int) -> BinaryIO:
    """A file for so many lines, written up to the first of them."""
    shape = (lines, *like.shape[1:])
    kind = npy.dtype_to_descr(like.dtype)
    head = {"descr": kind, "fortran_order": False, "shape": shape}
    if _size(like, lines) > shutil.disk_usage(place.parent).free - LEFT_FREE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))
    file = place.open("xb")  # and never through what lies there already
    npy.write_array_header_1_0(file, head)
    return file
