"""Canvases whose scale a person may change: by wheel, key and double click."""

from __future__ import annotations

from abc import abstractmethod

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from rllab_gui.theme import Theme


class ZoomedCanvas(QWidget):
    """Turns what the person does into :meth:`zoom` and signals.

    Signals:
      zoomed(): The person has chosen the scale.
      autoAsked(): Double click or A: automatic scale, please.
    """

    zoomed = Signal()
    autoAsked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @abstractmethod
    def zoom(self, factor: float, x: float) -> None:
        """Show so much more (above 1) or less, round this pixel from the left."""

    def can_zoom(self) -> bool:
        """Whether there is anything to zoom."""
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom, with the focus or with Ctrl; else whatever lies below scrolls."""
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if not (control or self.hasFocus()) or not self.can_zoom():
            event.ignore()
            return
        event.accept()
        self.zoom(0.999 ** event.angleDelta().y(), event.position().x())
        self.zoomed.emit()
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Back to the automatic scale."""
        self.autoAsked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A is the automatic scale, where no command has that key."""
        if event.key() == Qt.Key.Key_A and not event.modifiers():
            self.autoAsked.emit()
        else:
            super().keyPressEvent(event)
