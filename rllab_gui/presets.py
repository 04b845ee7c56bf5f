"""Presets of the gallery: the shipped ones and the user's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.contract.catalogue import Preset, preset_toml, read_preset, shipped_presets
from engine.contract.messages import Problem
from engine.contract.options import Configuration, ConfigurationError
from rllab_gui.history import Deed, History
from rllab_gui.problems import Problems
from rllab_gui.saving import save

Finder = Callable[[str], bool]


def is_installed(module: str) -> bool:
    """Whether a module could be imported; it is not imported."""
    return find_spec(module.partition(".")[0]) is not None


@dataclass(frozen=True, slots=True)
class Card:
    """A preset in the gallery, whether it can be used here, and all its options."""

    preset: Preset
    usable: bool
    configuration: Configuration

    @property
    def reason(self) -> str:
        """Why it cannot be used, as a sentence with the line that cures it."""
        if self.usable:
            return ""
        return (
            f"{self.preset.title} needs the package {self.preset.needs}. "
            f"Install it with: {self.preset.install}"
        )


class Presets(QObject):
    """The gallery's content.

    Signals:
      changed(): A preset has come or gone.
    """

    changed = Signal()

    def __init__(
        self,
        folder: Path,
        history: History,
        problems: Problems,
        *,
        installed: Finder = is_installed,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folder = folder
        self._history = history
        self._problems = problems
        self._installed = installed
        self._cards: list[Card] = []

    def cards(self) -> list[Card]:
        """All presets, shipped ones first."""
        if not self._cards:
            presets = [*shipped_presets(), *self._own()]
            self._cards = [
                Card(it, not it.needs or self._installed(it.needs), it.configuration)
                for it in presets
            ]
        return self._cards

    def get(self, name: str) -> Card | None:
        """The card of this preset."""
        return next((it for it in self.cards() if it.preset.name == name), None)

    def _own(self) -> list[Preset]:
        found = []
        for path in sorted(self._folder.glob("*.toml")):
            try:
                found.append(read_preset(path, own=True))
            except (ConfigurationError, OSError) as error:
                self._report(f"Your preset '{path.stem}' cannot be read.", error)
        return found

    def save(self, title: str, configuration: Configuration) -> str:
        """Keep a configuration under this title; returns its name, "" if it failed."""
        name = self._free_name(title)
        preset = Preset(
            name,
            title,
            f"Your own: {configuration.environment.id}.",
            configuration.flat(),
        )
        text = preset_toml(preset)
        if not self._write(name, text):
            return ""
        self._history.add(
            Deed(
                f"save preset {title}",
                lambda: self._remove(name),
                lambda: self._write(name, text),
            )
        )
        return name

    def delete(self, name: str) -> None:
        """Remove one of the user's presets; can be undone."""
        path = self._folder / f"{name}.toml"
        text = path.read_text(encoding="utf-8")
        self._remove(name)
        self._history.add(
            Deed(
                "delete preset",
                lambda: self._write(name, text),
                lambda: self._remove(name),
            )
        )

    def _free_name(self, title: str) -> str:
        stem = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "preset"
        taken = {card.preset.name for card in self.cards()}
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}-{number}", number + 1
        return name

    def _write(self, name: str, text: str) -> bool:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            save(self._folder / f"{name}.toml", text.encode())
        except OSError as error:
            self._report("The preset was not saved.", error)
            return False
        self._problems.solve("window.presets")
        self._on_changed()
        return True

    def _remove(self, name: str) -> None:
        (self._folder / f"{name}.toml").unlink(missing_ok=True)
        self._on_changed()

    def _on_changed(self) -> None:
        self._cards = []
        self.changed.emit()

    def _report(self, what: str, error: Exception) -> None:
        self._problems.report(
            Problem(id="window.presets", what=what, why=str(error), severity="warning")
        )
