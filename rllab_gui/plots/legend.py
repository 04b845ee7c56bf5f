"""The words below a plot, whose room changes as seldom as possible."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from rllab_gui.theme import Theme

GIVE_BACK_MS = 700
"""Room that shorter words do not need is given back once they have stayed so long."""


class Legend(QWidget):
    """Rich text in several lines, or in one line that says so if it has been cut.

    Words that change with every step would have the plot, its panel and the window
    laid out anew each time. So this asks for another height only where words need
    more, and for less a while later.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._one_line = False
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.RichText)
        self.label.setWordWrap(True)
        top = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft
        self.label.setAlignment(top)
        self.cut = QLabel("…", self)
        self.cut.setAutoFillBackground(True)
        self.cut.hide()
        self._height = 0
        self._wrapped: tuple[int, int] | None = None
        self._settling = QTimer(self, singleShot=True, interval=GIVE_BACK_MS)
        self._settling.timeout.connect(self._settle)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()

    def set_text(self, html: str) -> None:
        """Say this; nothing takes no room."""
        self.label.setText(html)
        self._wrapped = None
        self.setToolTip(html)
        self.setVisible(bool(html))
        if self._needed() >= self._height:
            self._settle()
        elif not self._settling.isActive():
            self._settling.start()
        self._place()

    def take_one_line(self, one: bool) -> None:
        """Take no more than one line from now on, or as many as are needed."""
        if one != self._one_line:
            self._one_line = one
            self._settle()
            self._place()

    def restyle(self) -> None:
        """Take over the colours and sizes of the theme."""
        px = self._theme.px
        self.label.setFont(self._theme.font(relative=0.85))
        self.label.setStyleSheet(f"color: {self._theme.tokens.muted}")
        self.label.setContentsMargins(px(6), 0, px(6), px(2))
        self._wrapped = None
        self._settle()
        self._place()

    def sizeHint(self) -> QSize:
        """As high as its words are, or lately were."""
        return QSize(0, self._height)

    def minimumSizeHint(self) -> QSize:
        """The same: what does not fit is cut by the plot that holds it."""
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width breaks the lines elsewhere."""
        super().resizeEvent(event)
        if event.oldSize().width() != self.width():
            self._settle()
        self._place()

    def _needed(self) -> int:
        line = self._line()
        if self._one_line or not self.width():
            return line
        return max(line, self._wrapped_height())

    def _wrapped_height(self) -> int:
        """Of these words in this width, for which they are laid out once."""
        wide = self.width()
        if self._wrapped is None or self._wrapped[0] != wide:
            self._wrapped = wide, self.label.heightForWidth(wide)
        return self._wrapped[1]

    def _line(self) -> int:
        return self.label.fontMetrics().lineSpacing() + self._theme.px(3)

    def _settle(self) -> None:
        self._settling.stop()
        needed = self._needed()
        if needed != self._height:
            self._height = needed
            self.updateGeometry()

    def _place(self) -> None:
        """The words from the top; an ellipsis where a single line goes on."""
        bounded = self._one_line and bool(self.label.text())
        cut = bounded and self._wrapped_height() > self._line()
        high = self.height()
        if cut:  # one line with its margin, nothing of the second one
            high = self.label.fontMetrics().lineSpacing() + self._theme.px(2)
        self.label.setGeometry(0, 0, self.width(), high)
        if cut:
            ground = self._theme.tokens.panel
            self.cut.setStyleSheet(f"background: {ground}")
            self.cut.setFont(self.label.font())  # a sheet takes its first one back
            self.cut.adjustSize()
            self.cut.move(self.width() - self.cut.width() - self._theme.px(6), 0)
        self.cut.setVisible(cut)
