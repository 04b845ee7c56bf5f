"""Which plain key each command has: as declared, or as a person chose; that is kept.

An action's key may be a command's as well, as L is from the start: where one branches
or plays by hand, the catcher of :mod:`rllab_gui.frame.key_catcher` comes first. What it
takes besides actions is in ``RESERVED``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from PySide6.QtCore import QKeyCombination, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from rllab_gui.commands import NATIVE, Commands
from rllab_gui.settings import Settings

Key, Modifier = Qt.Key, Qt.KeyboardModifier
SWITCH = "plainKeys"
CHOICES = "keys/"
"""What the settings of chosen keys begin with; the id of the command follows."""
RESERVED = {
    Key.Key_Escape: "leaves what is open",
    Key.Key_Return: "presses what has the focus",
    Key.Key_Enter: "presses what has the focus",
    Key.Key_Tab: "goes from field to field",
    Key.Key_Backtab: "goes from field to field",
    Key.Key_Backspace: "takes a step back while you play",
    Key.Key_Delete: "deletes what is chosen in a list",
    Key.Key_Menu: "opens the menu of what has the focus",
}
_MODIFIERS = frozenset(
    {
        *(Key.Key_Shift, Key.Key_Control, Key.Key_Meta, Key.Key_Alt, Key.Key_AltGr),
        *(Key.Key_CapsLock, Key.Key_NumLock, Key.Key_ScrollLock),
        *(Key.Key_Super_L, Key.Key_Super_R, Key.Key_Hyper_L, Key.Key_Hyper_R),
    }
)
_WHERE = Modifier.KeypadModifier | Modifier.GroupSwitchModifier
"""Says where on the keyboard a key is, not what it means."""


def pressed(event: QKeyEvent) -> QKeySequence:
    """The shortcut that is pressed; empty while only Shift or the like is held.

    Shift does not count where a sign needs it, as ``?`` does on many keyboards.
    """
    if event.key() in _MODIFIERS:
        return QKeySequence()
    modifiers, sign = event.modifiers() & ~_WHERE, event.text()
    if sign.isprintable() and sign.strip() and not sign.isalnum():
        modifiers &= ~Modifier.ShiftModifier
    return QKeySequence(modifiers.value | event.key())


class KeyMap(QObject):
    """The keys of all commands that have a plain one; the settings remember them.

    What is damaged in the settings, or clashes, counts as not chosen.

    Attributes:
      on: Plain keys are shortcuts at all (WCAG 2.1.4).
    """

    def __init__(
        self, commands: Commands, settings: Settings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._commands, self._settings = commands, settings
        self.ids = tuple(it for it in commands.ids() if commands.get(it).plain)
        self.on = settings.flag(SWITCH, True)
        self._chosen = self._read()
        self._apply()

    def words(self, command_id: str) -> str:
        """What the command is called."""
        return self._commands.get(command_id).text.rstrip("…")

    def declared(self, command_id: str) -> tuple[str, ...]:
        """Its keys from the start, in Qt's portable form."""
        return self._commands.get(command_id).shortcut

    def keys(self, command_id: str) -> tuple[str, ...]:
        """Its keys while plain keys are on."""
        chosen = self._chosen.get(command_id)
        return (chosen,) if chosen else self.declared(command_id)

    def is_chosen(self, command_id: str = "") -> bool:
        """Whether its key is another one than declared; of any if none is named."""
        return command_id in self._chosen if command_id else bool(self._chosen)

    def switch(self, on: bool) -> None:
        """Let plain keys be shortcuts, or not."""
        self.on = on
        self._settings.set(SWITCH, on)
        self._apply()

    def choose(self, command_id: str, keys: QKeySequence) -> str:
        """Give it this key from now on; else one sentence that says why not."""
        refusal = _fault(keys) or self._taken(command_id, keys)
        if not refusal:
            self._keep({**self._chosen, command_id: keys.toString()})
        return refusal

    def reset(self, command_id: str) -> str:
        """Give it its declared key again; else one sentence that says why not."""
        declared = map(QKeySequence, self.declared(command_id))
        refusals = (self._taken(command_id, it) for it in declared)
        refusal = next(filter(None, refusals), "")
        if not refusal:
            self._keep({it: k for it, k in self._chosen.items() if it != command_id})
        return refusal

    def reset_all(self) -> None:
        """Every command has its declared key again."""
        self._keep({})

    # -------------------------------------------------------------------- insides

    def _taken(self, command_id: str, keys: QKeySequence) -> str:
        """Who else has it, as a sentence; empty where nobody has."""
        for other in self._commands.ids():
            words = f"{keys.toString(NATIVE)} is the key of “{self.words(other)}”"
            if other == command_id:
                continue
            if other not in self.ids:
                if keys in self._commands.action(other).shortcuts():
                    return f"{words}, which cannot be changed."
            elif keys.toString() in self.keys(other):
                return f"{words}: give that another key first."
        return ""

    def _keep(self, chosen: Mapping[str, str]) -> None:
        self._chosen = {
            it: keys for it, keys in chosen.items() if (keys,) != self.declared(it)
        }
        self._settings.forget(CHOICES)
        for command_id, keys in self._chosen.items():
            self._settings.set(CHOICES + command_id, keys)
        self._apply()

    def _apply(self) -> None:
        self._commands.set_keys(
            {it: self.keys(it) if self.on else () for it in self.ids}
        )

    def _read(self) -> dict[str, str]:
        """What the settings say, without what cannot be; of a clash neither side."""
        written = {it: self._settings.text(CHOICES + it) for it in self.ids}
        keys = {it: QKeySequence(text) for it, text in written.items()}
        others = [it for it in self._commands.ids() if it not in self.ids]
        fixed = [keys for it in others for keys in self.declared(it)]
        chosen = {
            it: one.toString()
            for it, one in keys.items()
            if not _fault(one) and one.toString() not in fixed
        }
        while clashing := self._clashing(chosen):
            chosen = {it: key for it, key in chosen.items() if key not in clashing}
        return chosen

    def _clashing(self, chosen: Mapping[str, str]) -> set[str]:
        """Keys that two commands would have."""
        others = (it for it in self.ids if it not in chosen)
        declared = (key for it in others for key in self.declared(it))
        counts = Counter([*chosen.values(), *declared])
        return {key for key, count in counts.items() if count > 1}


def _fault(keys: QKeySequence) -> str:
    """Why no command can have it, as a sentence; empty where one can."""
    name = keys.toString(NATIVE)
    if keys.count() != 1 or not name:
        return "This key has no name by which it could be kept."
    first: QKeyCombination = keys[0]  # type: ignore[index]  # unknown to its stub
    key, modifiers = first.key(), first.keyboardModifiers()
    if key in _MODIFIERS or modifiers & ~Modifier.ShiftModifier:
        return f"{name} is no single key: at most Shift may be held with it."
    if key in RESERVED:
        return f"{name} {RESERVED[key]} and cannot be the key of a command."
    return ""
