"""The replay that comes with a run, of which large columns come as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from engine.contract.messages import RunTraining
from engine.sessions.replay_spool import opened


@contextmanager
def whole_replay(message: RunTraining) -> Iterator[dict[str, np.ndarray]]:
    """All columns of it; the files are gone afterwards."""
    paths = {name: Path(it) for name, it in message.replay_files.items()}
    try:
        files = {name: opened(it) for name, it in paths.items()}
        yield message.replay | files
    finally:
        for path in paths.values():
            path.unlink(missing_ok=True)
