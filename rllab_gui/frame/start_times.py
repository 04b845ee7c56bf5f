"""How long the start took: properties of the window, for the benchmark."""

from __future__ import annotations

import os
import time

import psutil
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from rllab_gui.pulse import Pulse
from rllab_gui.store import Store


class StartTimes(QObject):
    """Sets ``startupMs`` (the window is drawn) and ``firstFrameMs`` (a picture is)."""

    def __init__(self, window: QWidget, store: Store, pulse: Pulse) -> None:
        super().__init__(window)
        self._window, self._store, self._pulse = window, store, pulse
        pulse.ticked.connect(self._on_tick)

    def _on_tick(self) -> None:
        if self._window.property("startupMs") is None:
            self._window.setProperty("startupMs", age_ms())
        if self._store.picture is not None:
            self._window.setProperty("firstFrameMs", age_ms())
            self._pulse.ticked.disconnect(self._on_tick)


def age_ms() -> int:
    """Milliseconds since this process was started."""
    began: float = psutil.Process(os.getpid()).create_time()
    return round(1000 * (time.time() - began))
