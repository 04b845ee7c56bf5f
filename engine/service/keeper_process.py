"""The keeper as a process, the only one that opens session files.

Run as ``python -m engine.service.keeper_process CONNECTION_FILE IDENTITY``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.contract.garbage import kept_for_good
from engine.service.connection import read_connection
from engine.service.transport import Line
from engine.service.worker import Work, main


def begin(line: Line) -> Work:
    """Import what opens files, and be ready."""
    with kept_for_good():
        from engine.service.keeper import Keeper

        connection = read_connection(Path(sys.argv[1]))
        sessions = Path(connection.sessions) if connection else Path.cwd()
        return Keeper(line, sessions)


if __name__ == "__main__":
    sys.exit(main("keeper", begin, dies_with_parent=False))
