"""What scrolls up and down where there is no room: words, and whole panels."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QWidget

LEAST_LINES = 2
MOST_ASKED = 0.38
"""Of the height of the window: a panel that asks for more scrolls."""


class ScrolledWords(QScrollArea):
    """Holds a label that wraps; never covers what is above or below it.

    Attributes:
      label: Wherein the words are.
    """

    def __init__(self, label: QLabel, parent: QWidget) -> None:
        super().__init__(parent)
        self.label = label
        self.setObjectName(f"{label.objectName()}.scroll")
        self.setAccessibleName(label.accessibleName())
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setWidgetResizable(True)
        self.setWidget(label)

    def say(self, text: str) -> None:
        """Show these words from their beginning."""
        if text != self.label.text():
            self.label.setText(text)
            self.verticalScrollBar().setValue(0)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        """All of the words, in this width."""
        wide = max(self.width(), self.minimumWidth(), 1)
        return QSize(wide, max(self.label.heightForWidth(wide), 0))

    def minimumSizeHint(self) -> QSize:
        """Some lines, if there are so many."""
        few = LEAST_LINES * self.label.fontMetrics().lineSpacing()
        margins = self.label.contentsMargins()
        few += margins.top() + margins.bottom()
        return QSize(0, min(few, self.sizeHint().height()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In another width the words have another height."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


class ScrolledPanel(QScrollArea):
    """Holds what is in a panel; scrolls up and down before anything is cut off.

    It asks for as much room as its contents do, up to a share of the window: what is
    above and below it has to stay on the screen as well.
    """

    def __init__(self, inside: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self._inside = inside
        self.setWidget(inside)

    def minimumSizeHint(self) -> QSize:
        """All that is inside, where the window is high enough."""
        needed = self._inside.minimumSizeHint()
        most = round(MOST_ASKED * self.window().height())
        if needed.height() <= most:
            return needed
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(needed.width() + bar, most)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The contents need more room, or less."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self._inside:
            self.updateGeometry()
        return super().eventFilter(watched, event)
