"""Every user action once: menus, palette, shortcuts and tests are made from here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence

NATIVE = QKeySequence.SequenceFormat.NativeText
_NAMED = re.compile(r"\{([a-zA-Z0-9.]+)\}")


@dataclass(frozen=True, slots=True)
class Command:
    """What a person can do.

    Attributes:
      id: ``group.verb``; the action is called ``act.group.verb``.
      text: What the menu and the palette write.
      tooltip: One sentence: what it does.
      handler: Called when it is done; gets the checked state if ``checkable``.
      shortcut: Keys in Qt's portable form, most important first; those that a person
        has not changed.
      checkable: It is a state that is on or off.
      plain: The shortcut is a plain key (at most with Shift), which a person can
        change or switch off: see ``frame.key_map``.
    """

    id: str
    text: str
    tooltip: str
    handler: Callable[..., object]
    shortcut: tuple[str, ...] = ()
    checkable: bool = False
    plain: bool = False


class Commands(QObject):
    """The registry of commands and their actions.

    Signals:
      keysChanged(): Some command has another key now, or none.
    """

    keysChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._commands: dict[str, Command] = {}
        self._actions: dict[str, QAction] = {}

    def add(self, *commands: Command) -> None:
        """Make these commands known; a second one of the same id is an error."""
        for command in commands:
            if command.id in self._commands:
                raise ValueError(f"There are two commands '{command.id}'.")
            self._commands[command.id] = command
            self._actions[command.id] = self._make(command)
            self._give(command.id, list(map(QKeySequence, command.shortcut)))

    def _make(self, command: Command) -> QAction:
        action = QAction(command.text, self)
        action.setObjectName(f"act.{command.id}")
        action.setStatusTip(command.tooltip)
        action.setWhatsThis(command.tooltip)
        action.setCheckable(command.checkable)
        if command.checkable:
            action.toggled.connect(command.handler)
        else:
            action.triggered.connect(lambda checked=False: command.handler())
        return action

    def __contains__(self, command_id: str) -> bool:
        return command_id in self._commands

    def ids(self) -> Iterable[str]:
        """Every command, in the order in which it was added."""
        return tuple(self._commands)

    def get(self, command_id: str) -> Command:
        """The command of this id."""
        return self._commands[command_id]

    def action(self, command_id: str) -> QAction:
        """The action of this command, for menus, buttons and tests."""
        return self._actions[command_id]

    def key(self, command_id: str) -> str:
        """The key that it has now, as keyboards write it; empty where it has none."""
        action = self._actions.get(command_id)
        return action.shortcut().toString(NATIVE) if action is not None else ""

    def key_in_brackets(self, command_id: str) -> str:
        """For the end of a tooltip: `` (M)``; empty where it has none."""
        key = self.key(command_id)
        return f" ({key})" if key else ""

    def with_keys(self, text: str) -> str:
        """Text in which ``{transport.mark}`` has become the key of that command.

        One without a key is called by its words; other braces stay.
        """
        return _NAMED.sub(self._key_or_words, text)

    def _key_or_words(self, found: re.Match[str]) -> str:
        command_id = found.group(1)
        if command_id not in self._commands:
            return found.group()
        words = self._commands[command_id].text.rstrip("…")
        return self.key(command_id) or f"“{words}”"

    def set_keys(self, table: Mapping[str, Sequence[str]]) -> None:
        """Give commands these keys, in Qt's portable form, or none."""
        changed = False
        for command_id, keys in table.items():
            action, wanted = self._actions[command_id], list(map(QKeySequence, keys))
            if action.shortcuts() != wanted:
                self._give(command_id, wanted)
                changed = True
        if changed:
            self.keysChanged.emit()

    def _give(self, command_id: str, keys: list[QKeySequence]) -> None:
        """The tooltip names the most important one."""
        action, tooltip = self._actions[command_id], self._commands[command_id].tooltip
        action.setShortcuts(keys)
        action.setToolTip(tooltip + self.key_in_brackets(command_id))

    def run(self, command_id: str) -> None:
        """Do it, as if the person had chosen it; nothing while it is disabled."""
        self._actions[command_id].trigger()
