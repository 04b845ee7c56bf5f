"""Colours, fonts and spacing, light and dark."""

from rllab_gui.theme.theme import Theme
from rllab_gui.theme.tokens import DARK, LIGHT, Tokens, contrast

__all__ = ["DARK", "LIGHT", "Theme", "Tokens", "contrast"]
