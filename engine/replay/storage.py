"""Where the frames of a replay lie: in memory, or in a file that is mapped into it.

The file has no name, or goes with whoever has it open: nothing of it is left behind,
however the process ends. It is no copy for later: what is durable is the replay log.
"""

from __future__ import annotations

import errno
import math
import mmap
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from engine.contract.costs import size_text
from engine.contract.options import ConfigurationError


def frame_array(
    shape: Sequence[int], dtype: str, folder: Path | None = None
) -> np.ndarray:
    """Zeros of this shape, in a file of this folder if one is given.

    In memory they take room only as they are written to; in a file all of it at once,
    so that a disk that fills up cannot end a run later.

    Raises:
      ConfigurationError: If the file cannot be made.
    """
    if folder is None:
        return np.zeros(shape, dtype)
    size = math.prod(shape) * np.dtype(dtype).itemsize
    try:
        memory = _mapped_file(size, folder)
    except OSError as error:
        sentence = (
            f"The file of the replay ({size_text(size)}) could not be made: "
            f"{error.strerror or error}. Free some room on the disk of the session, "
            "lower replay.capacity, or set replay.storage to memory."
        )
        raise ConfigurationError({"replay.storage": sentence}) from error
    return np.ndarray(tuple(shape), dtype, memory)


def lies_in_file(array: np.ndarray) -> bool:
    """Whether an array that owns its memory shows a file."""
    return isinstance(array.base, mmap.mmap)


def _fill(file: IO[bytes], size: int) -> None:
    """Write zeros, where the system cannot promise a file its room otherwise."""
    zeros = memoryview(bytes(2**20))
    for at in range(0, size, len(zeros)):
        file.write(zeros[: size - at])
    file.flush()


def _mapped_file(size: int, folder: Path) -> mmap.mmap:
    if shutil.disk_usage(folder).free < size:
        # Trying would fill the disk of everybody for a moment.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with tempfile.TemporaryFile(dir=folder, prefix="replay-") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            _fill(file, size)
        memory = mmap.mmap(file.fileno(), size)
    if hasattr(mmap, "MADV_RANDOM"):
        # What lies beside a frame that was drawn is not drawn with it.
        memory.madvise(mmap.MADV_RANDOM)
    return memory
