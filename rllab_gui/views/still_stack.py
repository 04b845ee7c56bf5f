"""Widgets one behind the other, of which changes inside do not reach the outside."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget


class StillStack(QWidget):
    """Like Qt's stack, but a new text within it lays out nothing around it.

    Labels ask for a layout with every text, and Qt passes that on up to the window,
    which then places all of its docks: thirty times a second that is a tenth of a
    core. Here it goes on only if the least size is another one.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages: list[QWidget] = []
        self._least = QSize()

    def add(self, page: QWidget) -> None:
        """One more page; the first one is in front."""
        page.setParent(self)
        page.setVisible(not self._pages)
        self._pages.append(page)

    def bring(self, page: QWidget) -> None:
        """Bring this page to the front."""
        if not page.isHidden():
            return
        page.setGeometry(self.rect())
        for other in self._pages:
            other.setVisible(other is page)

    def sizeHint(self) -> QSize:
        """What the largest page would like."""
        return self._largest([page.sizeHint() for page in self._pages])

    def minimumSizeHint(self) -> QSize:
        """What the largest page needs."""
        return self._largest([page.minimumSizeHint() for page in self._pages])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """All pages have the whole room."""
        super().resizeEvent(event)
        for page in self._pages:
            page.setGeometry(self.rect())

    def event(self, event: QEvent) -> bool:
        """A page that has no parent with a layout tells its parent of its wishes."""
        if event.type() == QEvent.Type.LayoutRequest:
            least = self.minimumSizeHint()
            if least != self._least:
                self._least = least
                self.updateGeometry()
        return super().event(event)

    @staticmethod
    def _largest(sizes: list[QSize]) -> QSize:
        whole = QSize(0, 0)
        for size in sizes:
            whole = whole.expandedTo(size)
        return whole
