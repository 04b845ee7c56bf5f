"""Colours and type of composed pictures, light and dark."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from PIL import ImageFont

Colour = tuple[int, int, int]
Font = ImageFont.ImageFont | ImageFont.FreeTypeFont


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours by what they say; text on ``ground`` has a contrast over 4.5:1."""

    ground: Colour
    panel: Colour
    line: Colour
    text: Colour
    quiet: Colour
    value: Colour
    taken: Colour


THEMES = {
    "light": Theme(
        ground=(255, 255, 255),
        panel=(244, 245, 247),
        line=(196, 199, 204),
        text=(30, 31, 34),
        quiet=(95, 99, 106),
        value=(0, 114, 178),
        taken=(213, 94, 0),
    ),
    "dark": Theme(
        ground=(30, 31, 34),
        panel=(40, 42, 46),
        line=(82, 86, 93),
        text=(236, 237, 239),
        quiet=(164, 168, 175),
        value=(86, 180, 233),
        taken=(230, 159, 0),
    ),
}


@cache
def font(size: int) -> Font:
    """The type that comes with Pillow, so that films look alike everywhere."""
    return ImageFont.load_default(size)


def printable(text: str) -> str:
    """The text with signs that the type lacks put in other words."""
    for sign, word in _WORDS.items():
        text = text.replace(sign, word)
    return "".join(it if it in _KNOWN else "?" for it in text)


_WORDS = {
    "ε": "epsilon",
    "γ": "gamma",
    "α": "alpha",
    "δ": "delta",
    "−": "-",
    "–": "-",
    "—": "-",
    "→": "->",
    "×": "x",
    "…": "...",
}
_KNOWN = frozenset(map(chr, range(32, 127))) | {"·"}
