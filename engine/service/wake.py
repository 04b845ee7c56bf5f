"""Waking a thread that waits at a socket."""

from __future__ import annotations

import contextlib
import socket


class Wake:
    """Two joined ends: what one thread does at the one, another waits for."""

    def __init__(self) -> None:
        self._out, self._in = socket.socketpair()
        for end in (self._out, self._in):
            end.setblocking(False)

    def fileno(self) -> int:
        """Readable from :meth:`poke` to :meth:`drain`."""
        return self._in.fileno()

    def poke(self) -> None:
        """Wake who waits; never blocks, and does nothing once closed."""
        # A full pipe wakes as well as one more byte would.
        with contextlib.suppress(BlockingIOError, OSError):
            self._out.send(b"x")

    def drain(self) -> None:
        """Who waited is awake."""
        with contextlib.suppress(BlockingIOError, OSError):
            while self._in.recv(4096):
                continue

    def close(self) -> None:
        """Let go of both ends."""
        self._out.close()
        self._in.close()
