"""The mark of a view whose answer is under way."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from rllab_gui.theme import Theme

DOTS = "···"


class BusyMark(QWidget):
    """Dots that come and go without anything being laid out anew.

    Attributes:
      busy: They are shown.
    """

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.busy = False
        self.setObjectName(name)
        theme.changed.connect(self.restyle)
        self.restyle()

    def set_busy(self, busy: bool) -> None:
        """Show the dots, or keep their room only."""
        if busy == self.busy:
            return
        self.busy = busy
        self.setAccessibleName("Being worked out" if busy else "")
        words = "What is shown is of another step; this one is worked out"
        self.setToolTip(words if busy else "")
        self.update()

    def sizeHint(self) -> QSize:
        """The room of the dots, seen or not."""
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(DOTS), metrics.height())

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The dots, while there is something to wait for."""
        if self.busy:
            with QPainter(self) as painter:
                painter.setPen(QColor(self._theme.tokens.accent))
                painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, DOTS)

    def restyle(self) -> None:
        """Take over font and colour."""
        self.setFont(self._theme.font(relative=0.95, bold=True))
        self.updateGeometry()
