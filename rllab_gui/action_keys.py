"""Which key stands for which action, as the environment names its actions."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt

Key = Qt.Key
_ARROWS = {
    "left": Key.Key_Left,
    "right": Key.Key_Right,
    "up": Key.Key_Up,
    "down": Key.Key_Down,
    "west": Key.Key_Left,
    "east": Key.Key_Right,
    "north": Key.Key_Up,
    "south": Key.Key_Down,
    "main": Key.Key_Up,
    "-1": Key.Key_Left,
    "+1": Key.Key_Right,
    "fire": Key.Key_Space,
}
_SIGNS = {
    Key.Key_Left: "←",
    Key.Key_Right: "→",
    Key.Key_Up: "↑",
    Key.Key_Down: "↓",
    Key.Key_Space: "Space",
}
MOST_TOLD = 8
_IDLE = ("nothing", "no-op", "noop", "no torque", "coast", "stay", "stick")


def action_letters(words: Sequence[str]) -> list[str]:
    """Initial letters of all actions if they differ, else their numbers."""
    letters = [word[:1].upper() for word in words]
    unique = len(set(letters)) == len(letters) and all(it.isalpha() for it in letters)
    return letters if unique else [str(index) for index in range(len(words))]


def arrows(words: Sequence[str]) -> dict[int, Qt.Key]:
    """Arrow keys for actions that say a direction, if no two say the same."""
    found: dict[int, Qt.Key] = {}
    for action, word in enumerate(words):
        keys = [_ARROWS[it] for it in word.lower().split() if it in _ARROWS]
        if len(keys) == 1:
            found[action] = keys[0]
    return found if len(set(found.values())) == len(found) else {}


def key_table(words: Sequence[str]) -> dict[Qt.Key, int]:
    """The action of each key: letters or digits, and arrows where they say more."""
    table: dict[Qt.Key, int] = {}
    for action, letter in enumerate(action_letters(words)):
        if len(letter) == 1 and letter.isascii():
            table[Key(ord(letter))] = action
    return table | {key: action for action, key in arrows(words).items()}


def hint(words: Sequence[str]) -> str:
    """``← or L left, → or R right``."""
    signs = {action: _SIGNS[key] for action, key in arrows(words).items()}
    parts = []
    for action, letter in enumerate(action_letters(words)):
        keys = [signs[action]] if action in signs else []
        keys += [letter] if len(letter) == 1 else []
        if keys:
            parts.append(f"{' or '.join(keys)} {words[action]}")
    more = ", …" if len(parts) > MOST_TOLD else ""
    return ", ".join(parts[:MOST_TOLD]) + more


def idle_action(words: Sequence[str]) -> int:
    """The action that does nothing, if one says so; else the first."""
    for action, word in enumerate(words):
        if word.lower().startswith(_IDLE):
            return action
    return 0
