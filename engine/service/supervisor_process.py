"""The supervisor as a process.

Run as ``python -m engine.service.supervisor_process [--home FOLDER] [--private]``.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import time

from engine.contract.garbage import kept_for_good
from engine.service.children import adopt_orphans
from engine.service.connection import Lock, process_lives, read_connection
from engine.service.guardian import guard
from engine.service.home import Home, find_home

LOCK_WITHIN_S = 10.0


def main() -> int:
    """Be the engine of this home, unless there is one already."""
    faulthandler.enable()
    options = argparse.ArgumentParser(description="RL Lab's engine (started by it).")
    options.add_argument("--home", default=None)
    options.add_argument("--private", action="store_true")
    arguments = options.parse_args()
    home = find_home(arguments.home)
    home.prepare()
    guard()
    lock = Lock(home.lock_file)
    if not _take(lock, home):
        return 0
    adopt_orphans()
    with kept_for_good():
        # Only now: the guardian has no use for what this loads.
        from engine.service.supervisor import Supervisor

        supervisor = Supervisor(home, private=arguments.private)
    supervisor.run()
    lock.close()
    return 0


def _take(lock: Lock, home: Home) -> bool:
    """Get the lock; wait for an engine that is ending, yield to one that lives."""
    deadline = time.monotonic() + LOCK_WITHIN_S
    while not lock.take():
        other = read_connection(home.connection_file)
        if other is not None and process_lives(other.pid):
            return False
        if time.monotonic() > deadline:
            return False
        # Polled: a blocking lock has no time limit, and another may take it first.
        time.sleep(0.02)
    return True


if __name__ == "__main__":
    sys.exit(main())
