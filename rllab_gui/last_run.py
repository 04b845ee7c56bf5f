"""What window and engine wrote down when they failed, offered at the next start."""

from __future__ import annotations

import faulthandler
import os
import sys
import traceback
from pathlib import Path
from types import TracebackType

from engine.contract.messages import Problem
from rllab_gui.settings import Settings

OWN, OTHERS = "window.log", "supervisor.log"
"""A worker's end is told when it happens; of these two nobody might be left to tell."""
SIGNS = ("Traceback (most recent call last)", "Fatal Python error")
MOST_CHARACTERS = 20_000


class LastRun:
    """Keeps traces in the folder of the logs, and offers those that are new.

    Args:
      logs: The folder.
      settings: Remember how far the logs have been offered.
    """

    def __init__(self, logs: Path, settings: Settings) -> None:
        self._logs, self._settings = logs, settings

    def problem(self) -> Problem | None:
        """What has been written since this was asked the last time; else None."""
        traces = [trace for name in (OWN, OTHERS) if (trace := self._new(name))]
        if not traces:
            return None
        return Problem(
            id="window.lastRun",
            what="The last run of the lab ended with an error, or met one.",
            why="What it wrote down is in the details.",
            fix="Sessions are recovered by themselves; please report the details.",
            severity="warning",
            details="\n".join(traces)[-MOST_CHARACTERS:],
        )

    def _new(self, name: str) -> str:
        """The part of a log that was not offered yet, where it holds a trace."""
        key = f"lastRun/{name}"
        try:
            data = (self._logs / name).read_bytes()
        except OSError:
            return ""
        seen = int(self._settings.number(key, 0))
        self._settings.set(key, len(data))
        text = data[seen if seen <= len(data) else 0 :].decode("utf-8", "replace")
        return text.strip() if any(sign in text for sign in SIGNS) else ""

    def watch(self) -> None:
        """Write down from now on what ends this process, and what no slot caught."""
        try:
            # Open for as long as the process lives: a crash cannot open files.
            log = (self._logs / OWN).open("a", encoding="utf-8")
        except OSError:
            return  # without a place for logs there is nothing to keep
        faulthandler.enable(log)
        before = sys.excepthook

        def hook(
            kind: type[BaseException],
            error: BaseException,
            trace: TracebackType | None,
        ) -> None:
            if not issubclass(kind, KeyboardInterrupt):
                log.write("".join(traceback.format_exception(error)) + os.linesep)
                log.flush()
            before(kind, error, trace)

        sys.excepthook = hook
