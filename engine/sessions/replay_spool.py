"""The replay memory of a checkpoint in one piece, however large it is.

Columns that are too large to be held in memory, or to be sent in a message, are written
into files beside the store, which are gone once they have been read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from engine.sessions.atomic import TEMPORARY

LARGEST_IN_MEMORY = 256 * 2**20
"""Bytes of a column that is handed on without a file."""

Arrays = dict[str, np.ndarray]


def gathered(blocks: Iterable[Arrays], lines: int, folder: Path) -> Arrays:
    """Blocks of lines, one after the other; {} where there are none.

    Args:
      blocks: Columns by name, of some lines each.
      lines: How many there are to be in all; where that is wrong, large columns are
        missing in what is returned.
      folder: For the files of large columns, which come as ``numpy.memmap``; what a
        crash leaves of them goes when the store is next opened.

    Raises:
      OSError: If a file cannot be written.
    """
    small: dict[str, list[np.ndarray]] = {}
    large: dict[str, BinaryIO] = {}
    with ExitStack() as files:
        for block in blocks:
            for name, column in block.items():
                if name != "slot" and _is_large(column, lines):
                    if name not in large:
                        file = _begun(_place(folder, name), column, lines)
                        large[name] = files.enter_context(file)
                    large[name].write(np.ascontiguousarray(column).data)
                else:
                    small.setdefault(name, []).append(column)
    whole = {name: np.concatenate(parts) for name, parts in small.items()}
    if len(whole.get("slot", ())) != lines:
        return whole
    places = {name: _place(folder, name) for name in large}
    return whole | {name: opened(it) for name, it in places.items()}


def opened(place: Path) -> np.ndarray:
    """A column from its file, which is only read."""
    column: np.ndarray = npy.open_memmap(place, mode="r")
    return column


def files_of(columns: Arrays) -> dict[str, str]:
    """Where the files of the large columns are."""
    mapped = ((n, it) for n, it in columns.items() if isinstance(it, np.memmap))
    return {name: str(it.filename) for name, it in mapped}


def _is_large(column: np.ndarray, lines: int) -> bool:
    line = column.itemsize * int(np.prod(column.shape[1:]))
    return lines * line > LARGEST_IN_MEMORY


def _place(folder: Path, name: str) -> Path:
    return folder / f".replay-{name}.{os.getpid()}{TEMPORARY}"


def _begun(place: Path, like: np.ndarray, lines: int) -> BinaryIO:
    """A file for so many lines, written up to the first of them."""
    shape = (lines, *like.shape[1:])
    kind = npy.dtype_to_descr(like.dtype)
    head = {"descr": kind, "fortran_order": False, "shape": shape}
    file = place.open("wb")
    npy.write_array_header_1_0(file, head)
    return file
