"""Puts a window where it was, on a screen that is there now."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

FIRST_SIZE = (1440, 860)
SMALLEST = (900, 560)


def restore_geometry(window: QWidget, state: QByteArray) -> None:
    """Take over a kept geometry, clamped to a live screen."""
    window.setMinimumSize(*SMALLEST)
    if state.isEmpty() or not window.restoreGeometry(state):
        window.resize(*FIRST_SIZE)
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    window.setGeometry(clamped(window.geometry(), screens))


def clamped(wanted: QRect, screens: list[QRect]) -> QRect:
    """The wanted rectangle, moved and cut so that one screen shows it whole."""
    if not screens:
        return wanted

    def shared(screen: QRect) -> int:
        part = screen.intersected(wanted)
        return part.width() * part.height() if part.isValid() else 0

    screen = max(screens, key=shared)
    width, height = (
        min(wanted.width(), screen.width()),
        min(wanted.height(), screen.height()),
    )
    x = min(max(wanted.x(), screen.left()), screen.right() + 1 - width)
    y = min(max(wanted.y(), screen.top()), screen.bottom() + 1 - height)
    return QRect(x, y, width, height)
