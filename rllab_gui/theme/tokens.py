"""Every colour of the window, by what it means; contrast is tested, not hoped for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours as ``#RRGGBB``.

    Attributes:
      window: Behind everything. panel: Docks, forms, plots. raised: Buttons, cards.
      sunken: Text fields, lists. border: Between things. edge: Border of something
        that can be operated (3:1).
      text: What is read. muted: Second rank, still 4.5:1. disabled: Cannot be used.
      accent: The one primary action, selection, focus. on_accent: Text upon it.
      selection: Selected rows. link: Links to be clicked.
      good, warning, bad, information: Meaning, always with an icon or a word.
      grid: Lines behind a plot. axis: Axes and ticks. raw: Dots and traces behind.
      categorical: Line colours in order, each 3:1 against ``panel``.
    """

    name: str
    window: str
    panel: str
    raised: str
    sunken: str
    border: str
    edge: str
    text: str
    muted: str
    disabled: str
    accent: str
    on_accent: str
    selection: str
    link: str
    good: str
    warning: str
    bad: str
    information: str
    grid: str
    axis: str
    raw: str
    categorical: tuple[str, ...]


LIGHT = Tokens(
    name="light",
    window="#EEF0F3",
    panel="#FFFFFF",
    raised="#F6F7F9",
    sunken="#FFFFFF",
    border="#D5D9E0",
    edge="#868D99",
    text="#1B1F27",
    muted="#565E6C",
    disabled="#9AA1AD",
    accent="#0B65B0",
    on_accent="#FFFFFF",
    selection="#D6E8F8",
    link="#0B5CA3",
    good="#0B7A53",
    warning="#8A5A00",
    bad="#B3261E",
    information="#0B65B0",
    grid="#E4E7EC",
    axis="#565E6C",
    raw="#868D99",
    categorical=("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B37B00", "#000000"),
)

DARK = Tokens(
    name="dark",
    window="#17181B",
    panel="#1E1F22",
    raised="#2A2C31",
    sunken="#17181B",
    border="#36393F",
    edge="#767C88",
    text="#E8EAED",
    muted="#A9AFBA",
    disabled="#6B717C",
    accent="#5AB0F2",
    on_accent="#0B1620",
    selection="#24435C",
    link="#7CC0F5",
    good="#4CC38A",
    warning="#F0B849",
    bad="#FF8A80",
    information="#7CC0F5",
    grid="#2C2E33",
    axis="#A9AFBA",
    raw="#7C828D",
    categorical=(
        "#56B4E9",
        "#E69F00",
        "#009E73",
        "#CC79A7",
        "#F0E442",
        "#D55E00",
        "#FFFFFF",
    ),
)


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)
