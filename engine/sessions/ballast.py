"""Disk space held back, so that a clean stop is possible on a full disk."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

BALLAST_BYTES = 32 << 20


class Ballast:
    """A file of 32 MB beside the store; it goes when the disk is full.

    A store without one (there was no room for it) works the same.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def held(self) -> bool:
        """Whether the space is there to be released."""
        return self._path.exists()

    def take(self) -> bool:
        """Hold the space if that leaves as much again; False where it does not."""
        if self.held:
            return True
        try:
            if shutil.disk_usage(self._path.parent).free < 2 * BALLAST_BYTES:
                return False
            _fill(self._path)
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> bool:
        """Give the space to those who write; False if there was none."""
        with contextlib.suppress(OSError):
            self._path.unlink()
            return True
        return False


def _fill(path: Path) -> None:
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
        else:
            for _ in range(BALLAST_BYTES >> 20):
                file.write(bytes(1 << 20))
