"""Keys that mean something else for a while: an action to try, or a game to play."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
)

PLAIN = (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
TEXT = (QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit)

Deed = Callable[[], object]


class KeyCatcher(QObject):
    """Takes some plain keys before any shortcut or widget does.

    Text fields keep them, and so does a dialog that has to be closed first.

    Signals:
      ended(): It does not catch any more.
    """

    ended = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._presses: dict[int, Deed] = {}
        self._releases: dict[int, Deed] = {}
        self._once = False
        self.catching = False

    def begin(
        self,
        presses: Mapping[Qt.Key, Deed],
        releases: Mapping[Qt.Key, Deed] | None = None,
        *,
        once: bool = False,
    ) -> None:
        """Catch these keys from now on; ``once``: until any key or click."""
        self._presses = {int(key): deed for key, deed in presses.items()}
        self._releases = {int(key): deed for key, deed in (releases or {}).items()}
        self._once = once
        if not self.catching:
            self.catching = True
            self._application().installEventFilter(self)

    def end(self) -> None:
        """Catch nothing."""
        if self.catching:
            self.catching = False
            self._application().removeEventFilter(self)
            self.ended.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Only what the window with the focus gets concerns us."""
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress and self._once:
            self.end()
        if not isinstance(event, QKeyEvent):
            return False
        if self._is_elsewhere():
            return self._press_elsewhere(event)
        mine = event.modifiers() in PLAIN
        if kind == QEvent.Type.ShortcutOverride:
            if mine and event.key() in self._presses:
                event.accept()
                return True
        elif kind == QEvent.Type.KeyPress:
            return self._press(event) if mine else False
        elif kind == QEvent.Type.KeyRelease and mine:
            return self._release(event)
        return False

    def _press_elsewhere(self, event: QKeyEvent) -> bool:
        """Nothing is taken from a dialog; but a key that is let go is held no more."""
        if event.type() == QEvent.Type.KeyRelease:
            self._release(event)
        elif event.type() == QEvent.Type.KeyPress and self._once:
            self.end()
        return False

    def _press(self, event: QKeyEvent) -> bool:
        deed = self._presses.get(event.key())
        if self._once:
            self.end()
        if deed is None:
            return False
        deed()
        return True

    def _release(self, event: QKeyEvent) -> bool:
        deed = self._releases.get(event.key())
        if deed is None or event.isAutoRepeat():
            return False
        deed()
        return True

    @staticmethod
    def _is_elsewhere() -> bool:
        is_text = isinstance(QApplication.focusWidget(), TEXT)
        return is_text or QApplication.activeModalWidget() is not None

    @staticmethod
    def _application() -> QObject:
        application = QApplication.instance()
        assert application is not None
        return application
