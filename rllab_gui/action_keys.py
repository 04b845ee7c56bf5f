"""Which key, and which part of a gamepad, stands for which action.

Both follow the words by which the environment calls its actions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt

Key = Qt.Key
_SAYS = {
    "left": "left",
    "right": "right",
    "up": "up",
    "down": "down",
    "west": "left",
    "east": "right",
    "north": "up",
    "south": "down",
    "main": "up",
    "-1": "left",
    "+1": "right",
    "fire": "fire",
}
"""What a word asks for: a direction, or to fire."""
_SEVERAL = re.compile("(up|down)?(left|right)?(fire)?")
"""Words that some environments write together."""
_KEYS = {
    "left": Key.Key_Left,
    "right": Key.Key_Right,
    "up": Key.Key_Up,
    "down": Key.Key_Down,
    "fire": Key.Key_Space,
}
_SIGNS = {"left": "←", "right": "→", "up": "↑", "down": "↓", "fire": "Space"}
PAD_BUTTONS = ("A", "B", "X", "Y", "LB", "RB")
"""Buttons of a gamepad that can be actions; the first one fires."""
Input = frozenset[str]
"""What is held of a gamepad: directions of the pad or the stick, and buttons."""
MOST_TOLD = 8
_IDLE = ("nothing", "no-op", "noop", "no torque", "coast", "stay", "stick")


def action_letters(words: Sequence[str]) -> list[str]:
    """Initial letters of all actions if they differ, else their numbers."""
    letters = [word[:1].upper() for word in words]
    unique = len(set(letters)) == len(letters) and all(it.isalpha() for it in letters)
    return letters if unique else [str(index) for index in range(len(words))]


def arrows(words: Sequence[str]) -> dict[int, str]:
    """What each action asks for that asks for one thing; of two the first."""
    found: dict[int, str] = {}
    for action, word in enumerate(words):
        asked = _asked(word)
        if len(asked) == 1 and not asked & set(found.values()):
            found[action] = next(iter(asked))
    return found


def _asked(words: str) -> Input:
    """Directions, and to fire, as these words say; nothing where they say more."""
    found: set[str] = set()
    for word in words.lower().split():
        several = _SEVERAL.fullmatch(word)
        parts = [it for it in several.groups() if it] if several else []
        found |= set(parts) or {_SAYS[word]} if word in _SAYS or parts else set()
    return frozenset(found)


def key_table(words: Sequence[str]) -> dict[Qt.Key, int]:
    """The action of each key: letters or digits, and arrows where they say more."""
    table: dict[Qt.Key, int] = {}
    for action, letter in enumerate(action_letters(words)):
        if len(letter) == 1 and letter.isascii():
            table[Key(ord(letter))] = action
    return table | {_KEYS[it]: action for action, it in arrows(words).items()}


def hint(words: Sequence[str]) -> str:
    """``← or L left, → or R right``."""
    signs = {action: _SIGNS[it] for action, it in arrows(words).items()}
    parts = []
    for action, letter in enumerate(action_letters(words)):
        keys = [signs[action]] if action in signs else []
        keys += [letter] if len(letter) == 1 else []
        if keys:
            parts.append(f"{' or '.join(keys)} {words[action]}")
    more = ", …" if len(parts) > MOST_TOLD else ""
    return ", ".join(parts[:MOST_TOLD]) + more


def pad_table(words: Sequence[str]) -> dict[Input, int]:
    """The action of what is held: directions as words say, buttons for the others.

    The action that does nothing gets the last button, as it is the least wanted.
    """
    table: dict[Input, int] = {}
    for action, word in enumerate(words):
        asked = frozenset(PAD_BUTTONS[0] if it == "fire" else it for it in _asked(word))
        if asked and asked not in table:
            table[asked] = action
    idle = idle_action(words) if _says_idle(words) else None
    others = [it for it in range(len(words)) if it not in table.values()]
    others.sort(key=lambda it: it == idle)
    free = [it for it in PAD_BUTTONS if not any(it in held for held in table)]
    return table | {
        frozenset({it}): action for it, action in zip(free, others, strict=False)
    }


def pad_action(table: Mapping[Input, int], held: Sequence[str]) -> int | None:
    """All that is held together if an action says so, else the newest that is one.

    Args:
      table: Of :func:`pad_table`.
      held: Oldest first.
    """
    whole = table.get(frozenset(held))
    if whole is not None or not held:
        return whole
    single = (table.get(frozenset({it})) for it in reversed(held))
    return next((it for it in single if it is not None), None)


def pad_hint(words: Sequence[str], labels: Mapping[str, str]) -> str:
    """``← left, → right, A/✕ fire``; together: ``↑→ upright``.

    Args:
      words: Of the actions.
      labels: What is printed on the buttons.
    """
    signs = {it: _SIGNS[it] for it in ("up", "down", "left", "right")} | dict(labels)
    order = {it: at for at, it in enumerate(signs)}
    parts = [
        f"{''.join(signs[it] for it in sorted(held, key=order.__getitem__))} "
        f"{words[action]}"
        for held, action in pad_table(words).items()
        if held <= signs.keys()
    ]
    more = ", …" if len(parts) > MOST_TOLD else ""
    return ", ".join(parts[:MOST_TOLD]) + more


def _says_idle(words: Sequence[str]) -> bool:
    return any(word.lower().startswith(_IDLE) for word in words)


def idle_action(words: Sequence[str]) -> int:
    """The action that does nothing, if one says so; else the first."""
    for action, word in enumerate(words):
        if word.lower().startswith(_IDLE):
            return action
    return 0
