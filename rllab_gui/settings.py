"""What the window remembers between two starts; a damaged file is no obstacle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import platformdirs
from PySide6.QtCore import QByteArray, QSettings

HOME_VARIABLE = "RLLAB_HOME"


def home() -> Path:
    """Folder of settings and of the user's presets; RLLAB_HOME overrides it."""
    override = os.environ.get(HOME_VARIABLE)
    return Path(override) if override else Path(platformdirs.user_data_path("rllab"))


class Settings:
    """Values by name, written at once; a value of another type counts as absent."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or home()
        self._store = QSettings(
            str(self.folder / "window.ini"), QSettings.Format.IniFormat
        )
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

    def forget(self, prefix: str) -> None:
        """Remove every value whose name starts like this."""
        for name in self._store.allKeys():
            if name.startswith(prefix):
                self._store.remove(name)

    def flush(self) -> None:
        """Put everything on disk."""
        self._store.sync()
