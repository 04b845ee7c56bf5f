"""Text of a stranger as it may be shown: short, and without hidden characters."""

from __future__ import annotations

import unicodedata

LONGEST = 4096
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def visible(text: str, most: int = LONGEST, *, lines: bool = False) -> str:
    r"""The text with what cannot be seen written out, and cut where it is too long.

    Control characters, marks of direction and their like become ``\u202e``, so that
    no text can pretend to be another one or reach a terminal as a command.

    Args:
      text: From a file, or from anywhere else.
      most: Characters that are kept of it.
      lines: Line ends stay as they are.
    """
    cut = len(text) > most
    kept = text[: max(0, most - 1)] if cut else text
    if not kept.isprintable():
        kept = "".join(_shown(it, lines=lines) for it in kept)
    return f"{kept}…" if cut else kept


def _shown(character: str, *, lines: bool) -> str:
    if lines and character == "\n":
        return character
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
