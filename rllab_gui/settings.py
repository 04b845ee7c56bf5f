"""What the window remembers between two starts; a damaged file is no obstacle."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs
from PySide6.QtCore import QByteArray, QSettings, QTimer

HOME_VARIABLE = "RLLAB_HOME"
NAME = "window.ini"
CHECK_AFTER_MS = 1_000
"""Qt writes what was set in its next idle moment."""
_LEFT = re.compile(rf"{re.escape(NAME)}\.(lock|(?=.*[A-Z])[A-Za-z]{{6}})")
"""Qt's lock, and what it writes to first; a person uses names without capitals."""
_LEFT_AFTER_S = 60.0


def home() -> Path:
    """Folder of settings and of the user's presets; RLLAB_HOME overrides it."""
    override = os.environ.get(HOME_VARIABLE)
    return Path(override) if override else Path(platformdirs.user_data_path("rllab"))


class Settings:
    """Values by name, written at once; a value of another type counts as absent."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home()
        self._sweep()
        self._store = QSettings(str(self.folder / NAME), QSettings.Format.IniFormat)
        self._on_failure: Callable[[], None] | None = None
        if self._store.status() != QSettings.Status.NoError:
            self._store.clear()

    def text(self, name: str, default: str = "") -> str:
        """A word or sentence."""
        value = self._store.value(name, default)
        return value if isinstance(value, str) else default

    def number(self, name: str, default: float) -> float:
        """A number; text that is none counts as absent."""
        try:
            return float(self.text(name, str(default)))
        except ValueError:
            return default

    def flag(self, name: str, default: bool) -> bool:
        """On or off."""
        return self.text(name, str(default)).lower() == "true"

    def data(self, name: str) -> QByteArray:
        """Bytes, for example the arrangement of docks; empty where absent."""
        value = self._store.value(name)
        return value if isinstance(value, QByteArray) else QByteArray()

    def set(self, name: str, value: Any) -> None:
        """Remember this; numbers and flags are kept as text."""
        if not isinstance(value, QByteArray):
            value = str(value)
        self._store.setValue(name, value)
        if self._on_failure is not None:
            self._check.start()

    def forget(self, prefix: str) -> None:
        """Remove every value whose name starts like this."""
        for name in self._store.allKeys():
            if name.startswith(prefix):
                self._store.remove(name)

    def flush(self) -> bool:
        """Put everything on disk; False where that failed and the old file stays."""
        self._store.sync()
        return self._store.status() == QSettings.Status.NoError

    def tell(self, on_failure: Callable[[], None]) -> None:
        """Have this called once where what is set cannot be written."""
        self._on_failure = on_failure
        self._check = QTimer(singleShot=True, interval=CHECK_AFTER_MS)
        self._check.timeout.connect(self._look)

    def _look(self) -> None:
        if self._on_failure is not None and not self.flush():
            self._on_failure()
            self._on_failure = None

    def _sweep(self) -> None:
        """Remove what a window left that was killed while Qt wrote."""
        for path in self.folder.glob(f"{NAME}.*"):
            with suppress(OSError):
                old = time.time() - path.lstat().st_mtime > _LEFT_AFTER_S
                if old and _LEFT.fullmatch(path.name):
                    path.unlink()
