"""No search for garbage among what stays.

Python now and then goes through every object that may hold others, and nothing else
happens meanwhile. Of a process that has imported torch, or holds a window, these are
200,000 to 300,000, all of which stay: that takes 90 to 160 ms, in which no picture
moves. See ``gc.freeze`` in Python's documentation.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_turn = threading.Lock()
_busy = 0


@contextmanager
def kept_for_good() -> Iterator[None]:
    """Nothing is searched in here; what there is at the end is left out ever after.

    For imports, and for making what a process has until its end. Objects go as always
    when nobody holds them; only those of this time that hold each other stay. Several
    threads may be in here: the last one to leave ends it for all.
    """
    global _busy
    with _turn:
        _busy += 1
        gc.disable()
    try:
        yield
    finally:
        with _turn:
            _busy -= 1
            if not _busy:
                gc.freeze()
                gc.enable()
