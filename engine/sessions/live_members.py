"""What may lie in the folder of a live store: files, nothing that leads elsewhere."""

from __future__ import annotations

import stat
from pathlib import Path

from engine.sessions.problems import SessionProblem


def check_members(folder: Path) -> None:
    """Refuse a folder that is a link, or has a link, a pipe or a device in it.

    Raises:
      SessionProblem: If it is not as we make it.
    """
    wrong = next((it for it in folder.iterdir() if not _is_plain(it)), None)
    if folder.is_symlink() or wrong is not None:
        what = f"'{wrong.name}' in it" if wrong is not None else "it"
        raise SessionProblem(
            f"The live store '{folder.name}' was not opened: {what} leads elsewhere. "
            "Only folders that RL Lab made can be opened.",
            "foreign",
        )


def _is_plain(path: Path) -> bool:
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:  # its writer has just removed it
        return True
    return stat.S_ISREG(kind) or stat.S_ISDIR(kind)
