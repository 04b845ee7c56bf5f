"""The folder of a live store: where it is, how it appears and how it goes."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from pathlib import Path
from typing import Any

from engine.sessions.atomic import sync_folder, write_file
from engine.sessions.lock import is_locked
from engine.sessions.packing import checksum
from engine.sessions.problems import SessionProblem

LIVE = ".live"
LOCK = "lock"
IDENTITY = "session.json"
_GONE = ".live-removed"


def live_path(path: Path | str) -> Path:
    """``NAME.live`` beside ``NAME.h5``."""
    return Path(path).with_suffix(LIVE)


def write_identity(folder: Path, head: dict[str, Any]) -> None:
    """What names the run; it outlives any damage to the database."""
    text = json.dumps(head)
    whole = {"crc": checksum(text.encode()), "head": text}
    write_file(folder / IDENTITY, json.dumps(whole).encode())


def read_identity(folder: Path) -> dict[str, Any]:
    """Inverse of :func:`write_identity`; {} where it is missing or damaged."""
    try:
        whole = json.loads((folder / IDENTITY).read_text(encoding="utf-8"))
        text = str(whole["head"])
        return dict(json.loads(text)) if checksum(text.encode()) == whole["crc"] else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def prepare_place(path: Path, *, overwrite: bool) -> Path:
    """Make sure that a new session may be written here; returns its live folder.

    Raises:
      SessionProblem: If something is there that may not be replaced.
    """
    folder = live_path(path)
    if path.suffix != ".h5":
        raise SessionProblem(
            f"'{path.name}' cannot name a session: it must end in .h5."
        )
    if is_locked(folder / LOCK):
        raise SessionProblem(
            f"The session '{path.stem}' is being written by another process. Choose "
            "another name.",
            "locked",
        )
    if (path.exists() or folder.exists()) and not overwrite:
        raise SessionProblem(
            f"There is already a session '{path.name}'. Choose another name, or allow "
            "it to be replaced."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_folder(folder)
    return folder


def remove_folder(folder: Path) -> None:
    """Remove a live store; after a crash in between it no longer counts as one."""
    if not folder.exists():
        return
    gone = folder.with_name(f"{folder.stem}-{uuid.uuid4().hex[:8]}{_GONE}")
    os.replace(folder, gone)
    sync_folder(folder.parent)
    shutil.rmtree(gone, ignore_errors=True)


def sweep_removed(parent: Path) -> None:
    """Finish removals that a crash interrupted."""
    for gone in parent.glob(f"*{_GONE}"):
        shutil.rmtree(gone, ignore_errors=True)
