"""Every user action once: menus, palette, shortcuts and tests are made from here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence


@dataclass(frozen=True, slots=True)
class Command:
    """What a person can do.

    Attributes:
      id: ``group.verb``; the action is called ``act.group.verb``.
      text: What the menu and the palette write.
      tooltip: One sentence: what it does.
      handler: Called when it is done; gets the checked state if ``checkable``.
      shortcut: Keys in Qt's portable form, most important first.
      checkable: It is a state that is on or off.
      plain: The shortcut is a plain key (no modifier), which can be switched off.
    """

    id: str
    text: str
    tooltip: str
    handler: Callable[..., object]
    shortcut: tuple[str, ...] = ()
    checkable: bool = False
    plain: bool = False


class Commands(QObject):
    """The registry of commands and their actions."""

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

    def _make(self, command: Command) -> QAction:
        action = QAction(command.text, self)
        action.setObjectName(f"act.{command.id}")
        action.setStatusTip(command.tooltip)
        action.setToolTip(command.tooltip)
        action.setWhatsThis(command.tooltip)
        action.setCheckable(command.checkable)
        if command.shortcut:
            action.setShortcuts([QKeySequence(keys) for keys in command.shortcut])
            first = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{command.tooltip} ({first})")
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

    def run(self, command_id: str) -> None:
        """Do it, as if the person had chosen it; nothing while it is disabled."""
        self._actions[command_id].trigger()
