"""What can go wrong with a film, each in one sentence."""

from __future__ import annotations

import errno
from pathlib import Path


class MediaProblem(ValueError):
    """A film could not be written; the message says what, why and how to fix it."""


class MediaCancelled(Exception):
    """The film was no longer wanted; nothing of it is left on disk."""


def writing_problem(path: Path, error: OSError) -> MediaProblem:
    """The sentence for an error of the operating system while writing ``path``."""
    name, folder = path.name, path.parent.name or str(path.parent)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return MediaProblem(
            f"The film '{name}' could not be written: the disk is full. "
            "Free some space or choose another folder."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return MediaProblem(
            f"The film '{name}' could not be written: the folder '{folder}' does "
            "not allow it. Choose another folder."
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MediaProblem(
            f"The film '{name}' could not be written: there is no folder "
            f"'{folder}'. Choose another folder."
        )
    reason = error.strerror or str(error)
    return MediaProblem(
        f"The film '{name}' could not be written: {reason}. Choose another folder."
    )
