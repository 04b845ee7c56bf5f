"""Keeps plain-key shortcuts from stealing keys that a focused widget uses."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QTabBar,
    QWidget,
)

NAVIGATION = frozenset(
    {
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
    }
)
_PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)


@runtime_checkable
class UsesKeys(Protocol):
    """A widget that says which keys it works with, whatever commands they have."""

    @property
    def own_keys(self) -> frozenset[Qt.Key]:
        """Keys without Ctrl, Shift or Alt."""


class PlainKeyGuard(QObject):
    """Event filter of whatever has the focus; text fields need no help.

    Only the widget with the focus is asked whether a shortcut may have a key, so
    nothing else needs to be filtered, which is why this costs nothing elsewhere.
    """

    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        application.focusChanged.connect(self._on_focus)

    def _on_focus(self, before: QWidget | None, now: QWidget | None) -> None:
        if before is not None:
            before.removeEventFilter(self)
        if now is not None:
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the focused widget have the keys that it works with."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and isinstance(watched, QWidget)
            and event.modifiers() in _PLAIN
            and keeps(watched, event)
        ):
            event.accept()
            return True
        return False


def keeps(widget: QWidget, event: QKeyEvent) -> bool:
    """Whether this widget uses this key itself."""
    key = Qt.Key(event.key())
    if isinstance(widget, UsesKeys) and key in widget.own_keys:
        return True
    if isinstance(widget, QAbstractButton):
        return key == Qt.Key.Key_Space
    if isinstance(widget, QAbstractSlider | QAbstractSpinBox | QTabBar):
        return key in NAVIGATION
    if isinstance(widget, QComboBox | QAbstractItemView):
        typed = event.text()
        return (
            key in NAVIGATION
            or key == Qt.Key.Key_Space
            or bool(typed and typed.isprintable())
        )
    return False
