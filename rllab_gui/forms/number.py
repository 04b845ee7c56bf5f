"""A field for a number: typed, or moved by arrows in steps that fit its scale."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from engine.contract.options import ConfigurationError, OptionSpec, parse_value
from rllab_gui.forms.scale import read, stepped, written

STEPS = {
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_PageUp: 10,
    Qt.Key.Key_PageDown: -10,
}


class NumberField(QLineEdit):
    """Whole or real number, linear or in decades.

    Signals:
      edited(object): A person has entered this number.
      refused(str): What was typed is no number; the sentence says what it takes.
    """

    edited = Signal(object)
    refused = Signal(str)

    def __init__(self, of: OptionSpec, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._of = of
        self._value: float | int = 0
        self.editingFinished.connect(self._on_finished)

    @property
    def value(self) -> float | int:
        """The number that is shown."""
        return self._value

    def set_value(self, value: float | int) -> None:
        """Show a number without saying that a person did."""
        self._value = value
        self.setText(written(value, self._of))
        self.setCursorPosition(0)

    def step_by(self, steps: int) -> None:
        """Up or down, in steps that fit the scale."""
        new = stepped(self._value, steps, self._of)
        if new != self._value:
            self.set_value(new)
            self.edited.emit(new)

    def event(self, event: QEvent) -> bool:
        """The keys that step belong to this field, not to a shortcut."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in STEPS
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows and page keys step."""
        steps = STEPS.get(Qt.Key(event.key()))
        if steps is None:
            super().keyPressEvent(event)
        else:
            self.step_by(steps)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Only with focus: scrolling the form must not change what it passes."""
        if self.hasFocus():
            self.step_by(1 if event.angleDelta().y() > 0 else -1)
        else:
            event.ignore()

    def _on_finished(self) -> None:
        if self.text() == written(self._value, self._of):
            return
        try:
            value = parse_value(self._of, read(self.text(), self._of))
        except ConfigurationError as error:
            self.refused.emit(str(error))
            return
        self._value = value
        self.edited.emit(value)
