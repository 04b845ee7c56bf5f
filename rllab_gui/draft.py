"""The configuration that the form shows: edited, checked, undone, redone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.contract.alternatives import alternative
from engine.contract.catalogue import EnvironmentCard, check_combination
from engine.contract.options import Configuration, ConfigurationError, spec
from rllab_gui.history import Deed, History
from rllab_gui.link import Link
from rllab_gui.titles import with_titles


class Draft(QObject):
    """What the next Train would run, and what a running run is told to change.

    Signals:
      changed(frozenset of keys): These options have another value.
      accompanied(str key, dict companion): This option was chosen, and the companion
        had to change with it.
      loaded(): A whole configuration is about to take the place of the old one.
      complaintsChanged(): What is wrong with the draft is another.
      cardChanged(): The environment is described, or no longer known.
    """

    changed = Signal(object)
    accompanied = Signal(str, object)
    loaded = Signal()
    complaintsChanged = Signal()
    cardChanged = Signal()

    def __init__(
        self, link: Link, history: History, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._history = history
        self._configuration = Configuration()
        self._refused: dict[str, str] = {}
        self._combination: dict[str, str] = {}
        self._environment = ""
        self._question = -1
        self.card: EnvironmentCard | None = None
        self.title = ""

    @property
    def configuration(self) -> Configuration:
        """The newest values that are valid, each by itself."""
        return self._configuration

    @property
    def complaints(self) -> dict[str, str]:
        """One sentence for each option that stands in the way of Train."""
        found = {**self._combination, **self._refused}
        return {key: with_titles(sentence) for key, sentence in found.items()}

    def set(self, key: str, value: Any) -> bool:
        """Change one option; False where the value is refused (see complaints)."""
        changes: dict[str, Any] = {key: value}
        if key == "environment.id":
            changes["environment.kwargs"] = {}  # they belonged to the other world
        return self.set_many(changes, spec(key).title, merge=key)

    def choose(self, key: str, value: Any) -> bool:
        """Change a choice or flag, and one other option where it takes that."""
        found = alternative(self._configuration, self.card, key, value)
        if not found.companion:
            return self.set(key, value)
        if not self.set_many({key: value, **found.companion}, spec(key).title):
            return False
        self.accompanied.emit(key, dict(found.companion))
        return True

    def set_many(self, changes: Mapping[str, Any], text: str, merge: str = "") -> bool:
        """Change several options as one deed that can be undone."""
        try:
            new = self._configuration.with_options(changes)
        except ConfigurationError as error:
            self._refuse(error.complaints)
            return False
        for key in changes:
            self._refused.pop(key, None)
        self._record(new, text, merge)
        self._take(new)
        return True

    def refuse(self, key: str, sentence: str) -> None:
        """What was typed there cannot be read as a value."""
        self._refuse({key: sentence})

    def load(self, configuration: Configuration, title: str) -> None:
        """Take over a preset or another whole configuration; can be undone."""
        self._record(configuration, f"load {title}", "")
        self.title = title
        self.loaded.emit()
        self._take_whole(configuration)

    def adopt(self, configuration: Configuration) -> None:
        """Take over what the engine runs; nothing that a person did, no undo."""
        self._take_whole(self.with_our_folder(configuration))

    def with_our_folder(self, configuration: Configuration) -> Configuration:
        """The same, where a session to learn from is the one that we have chosen.

        The engine only names it; its folder stays ours.
        """
        ours = self._configuration.training.offline
        if ours and configuration.training.offline == PurePath(ours).name:
            return configuration.with_options({"training.offline": ours})
        return configuration

    def _record(self, new: Configuration, text: str, merge: str) -> None:
        old, title = self._configuration, self.title
        if new == old:
            return

        def restore(configuration: Configuration, name: str | None) -> None:
            if name is not None:
                self.title = name
            self._take_whole(configuration)

        self._history.add(
            Deed(text, lambda: restore(old, title), lambda: restore(new, None), merge)
        )

    def _refuse(self, complaints: Mapping[str, str]) -> None:
        self._refused.update(complaints)
        self.complaintsChanged.emit()

    def _take_whole(self, new: Configuration) -> None:
        """Fields that show what was refused show their value again."""
        stale = frozenset(self._refused)
        self._refused.clear()
        self._take(new, stale)

    def _take(self, new: Configuration, stale: frozenset[str] = frozenset()) -> None:
        before, now = self._configuration.flat(), new.flat()
        self._configuration = new
        keys = stale | {key for key in now if now[key] != before[key]}
        self._check()
        if keys:
            self.changed.emit(keys)
        self._describe()

    def _check(self) -> None:
        try:
            check_combination(self._configuration, self.card)
            self._combination = {}
        except ConfigurationError as error:
            self._combination = error.complaints
        self.complaintsChanged.emit()

    @property
    def install(self) -> str:
        """The line that installs what the environment lacks; empty for nothing."""
        return self.card.install if self.card is not None else ""

    # --------------------------------------------------------- the environment

    def _describe(self) -> None:
        """Ask what the environment offers, whenever it is another one."""
        wanted = self._configuration.environment.model_dump_json()
        if wanted == self._environment:
            return
        self._environment = wanted
        self._link.cancel(self._question)
        self._question = self._link.ask(
            "describe",
            {"configuration": self._configuration.to_json()},
            lambda result: self._on_described(wanted, result),
            lambda sentence: self._on_unknown(wanted, sentence),
        )

    def describe_again(self) -> None:
        """Ask anew: the stage is another one, or it has been restarted."""
        self._environment = ""
        self._describe()

    def _on_described(self, wanted: str, result: dict[str, Any]) -> None:
        if wanted == self._environment:
            self._refused.pop("environment.id", None)
            self.card = EnvironmentCard.from_dict(result.get("card", result))
            self._check()
            self.cardChanged.emit()

    def _on_unknown(self, wanted: str, sentence: str) -> None:
        if wanted == self._environment:
            self.card = None
            self.cardChanged.emit()
            self._refuse({"environment.id": sentence})
