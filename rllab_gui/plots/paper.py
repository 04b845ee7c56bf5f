"""Whether a widget is painted on the screen, or into a file that is looked at."""

from __future__ import annotations

from PySide6.QtGui import QPaintEngine, QPainter
from PySide6.QtWidgets import QWidget

PRINTED = 3.0
"""Pixels for each pixel of the screen, of what a drawing can only hold as pixels."""


def on_paper(painter: QPainter, widget: QWidget) -> bool:
    """Whether pixels that were kept for the screen would be too coarse here."""
    return sharpness(painter) > widget.devicePixelRatioF()


def sharpness(painter: QPainter) -> float:
    """Pixels for each unit of length."""
    if painter.paintEngine().type() == QPaintEngine.Type.SVG:
        return PRINTED
    return float(painter.deviceTransform().m11())
