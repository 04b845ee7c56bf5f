"""Equations as rich text: symbols that can be clicked, and the same with numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape

from rllab_gui.lessons.record import SYMBOL, TAGS, Lesson

_PART = re.compile(rf"{SYMBOL.pattern}|{TAGS.pattern}")


def rich(text: str) -> str:
    """Text whose only tags are sub, sup and i."""
    parts, at = [], 0
    for tag in TAGS.finditer(text):
        parts += [escape(text[at : tag.start()]), tag.group()]
        at = tag.end()
    return "".join([*parts, escape(text[at:])])


def breakable(text: str) -> str:
    """An address or a dotted name that may be broken at its points and bars."""
    return re.sub(r"([/._])", "\\1\u200b", escape(text))


def plain(text: str) -> str:
    """The same without tags and braces, for screen readers."""
    return TAGS.sub("", text).replace("{", "").replace("}", "")


def equation(lesson: Lesson, colour: str) -> str:
    """The equation; each symbol is a link with its place among the symbols."""
    names = [it.symbol for it in lesson.symbols]

    def link(symbol: str) -> str:
        number = names.index(symbol)
        return (
            f'<a href="{number}" style="color:{colour}; text-decoration:none">'
            f"{rich(symbol)}</a>"
        )

    return _with(lesson.equation, link)


def with_numbers(lesson: Lesson, words: Callable[[str], str | None]) -> str:
    """The equation with numbers where there are some; empty where there is none."""
    found = False

    def number(symbol: str) -> str:
        nonlocal found
        known = lesson.symbol(symbol)
        now = words(known.value) if known is not None and known.value else None
        if not now:
            return rich(symbol)
        found = True
        return f"<b>{escape(now)}</b>"

    text = _with(lesson.equation, number)
    return text if found else ""


def _with(text: str, replaced: Callable[[str], str]) -> str:
    parts, at = [], 0
    for part in _PART.finditer(text):
        parts.append(escape(text[at : part.start()]))
        symbol = part.group(1)
        parts.append(part.group() if symbol is None else replaced(symbol))
        at = part.end()
    return "".join([*parts, escape(text[at:])])
