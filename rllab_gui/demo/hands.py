"""Hands and eyes: find a widget by its name, click it, type, wait until it shows."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEvent, QEventLoop, QModelIndex, Qt, QTimer
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QDialogButtonBox,
    QFileDialog,
    QLineEdit,
    QWidget,
)

LOOK_EVERY_MS = 20
APPEAR_WITHIN_S = 10.0
LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier

Found = TypeVar("Found", bound=QWidget)


class DemoProblem(Exception):
    """A step of the demo did not do what it should; the text says which and what."""


class Hands:
    """What a person does with a window.

    Args:
      window: The window to work in.
      until_s: How long to wait where nothing else is said.
    """

    def __init__(self, window: QWidget, until_s: float = APPEAR_WITHIN_S) -> None:
        self.window, self._until_s = window, until_s
        self.began = time.monotonic()

    # -------------------------------------------------------------------- eyes

    def see(self, name: str, kind: type[Found] | type[QWidget] = QWidget) -> QWidget:
        """The visible widget of this name.

        Raises:
          DemoProblem: If none appears.
        """
        self.wait_until(f"'{name}' is to be seen", lambda: self._visible(name, kind))
        widget = self._visible(name, kind)
        assert widget is not None
        return widget

    def _visible(self, name: str, kind: type[QWidget]) -> QWidget | None:
        found = self.window.findChildren(kind, name)
        return next((it for it in found if it.isVisible()), None)

    def wait_until(
        self, what: str, condition: Callable[[], object], seconds: float = 0.0
    ) -> None:
        """Let the window live until something holds.

        Raises:
          DemoProblem: If it does not within the time.
        """
        seconds = seconds or self._until_s
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise DemoProblem(f"After {seconds:g} s it was not true that {what}.")
            self.rest(LOOK_EVERY_MS)

    @staticmethod
    def rest(milliseconds: int) -> None:
        """Do nothing; the window goes on."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def picture(self, path: Path) -> None:
        """Keep what the window shows.

        Raises:
          DemoProblem: If it cannot be written.
        """
        QApplication.sendPostedEvents(None, int(QEvent.Type.LayoutRequest))
        if not self.window.grab().save(str(path)):
            raise DemoProblem(f"The picture '{path.name}' could not be written.")
        self.say(f"picture {path.name}")

    # ------------------------------------------------------------------- hands

    def click(self, name: str) -> None:
        """Click a widget as soon as it can be used."""
        widget = self.see(name)
        self.wait_until(f"'{name}' can be used", widget.isEnabled)
        QTest.mouseClick(widget, LEFT, NO_KEYS, widget.rect().center())

    @staticmethod
    def click_item(view: QAbstractItemView, index: QModelIndex) -> None:
        """Click a row of a table or a card of a list."""
        view.scrollTo(index)
        place = view.visualRect(index).center()
        QTest.mouseClick(view.viewport(), LEFT, NO_KEYS, place)

    def press(self, keys: str) -> None:
        """Press a shortcut, for example ``Ctrl+2``."""
        self.window.activateWindow()
        self.wait_until("the window is in front", self.window.isActiveWindow)
        QTest.keySequence(self.window, QKeySequence(keys))

    def write(self, name: str, text: str) -> None:
        """Replace the content of a field and confirm with Enter."""
        field = self.see(name)
        field.setFocus(Qt.FocusReason.MouseFocusReason)
        QTest.keySequence(field, QKeySequence(QKeySequence.StandardKey.SelectAll))
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def choose_file(self, dialog: str, path: Path) -> None:
        """Name a file in a file dialog and press its button.

        The name is put in at once, as pasting does: key by key, the list of
        completions would come up over the dialog.
        """
        asked = self.see(dialog, QFileDialog)
        field = asked.findChild(QLineEdit, "fileNameEdit")
        buttons = asked.findChild(QDialogButtonBox)
        if field is None or buttons is None:
            raise DemoProblem(f"'{dialog}' is not Qt's own file dialog.")
        field.setText(str(path))
        for kind in (buttons.StandardButton.Save, buttons.StandardButton.Open):
            button = buttons.button(kind)
            if button is not None:
                QTest.mouseClick(button, LEFT, NO_KEYS, button.rect().center())

    # ------------------------------------------------------------------- voice

    def say(self, text: str) -> None:
        """Tell whoever watches what was just done."""
        seconds = time.monotonic() - self.began
        sys.stdout.write(f"{seconds:6.1f} s  {text}\n")
        sys.stdout.flush()
